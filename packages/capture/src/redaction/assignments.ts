import { decodePercent, hidesString } from './form-redaction';
import type { NameVerdict } from './name-rules';
import { REDACTED } from './redacted-mark';
import type { RedactionContext } from './redaction-context';

const MAX_NAME_LENGTH = 96;
const MAX_GAP = 16;
const EQUALS = /=+>?/g;
const EQUALS_OR_COLON = /=+>?|:=?(?!\/\/)/g;
const OPENING_QUOTE = /[ \t]{0,16}(?:\r?\n[ \t]{0,64})?(\\*["'`]|&(?:quot|apos|#34|#39|#x22|#x27);)/iy;
const ENTITY_OF_QUOTE = /&(?:quot|apos|#34|#39|#x22|#x27);$/i;
const LONGEST_ENTITY = 6;
const OPENING_BRACKET = /\s{0,64}(?=[[{])/y;
/** After `=` a value ends at white space or at what parts it from the next one. */
const AFTER_EQUALS = /[ \t]{0,16}((?:[^\s&;"'`<>]|["'`](?=\w)|<(?!\/))*)/y;
/** After `:` it is one word, to leave the rest of a sentence. */
const AFTER_COLON = /[ \t]{0,16}((?:[^\s,;<"'`]|[,;](?!\s|$)|["'`](?=\w)|<(?!\/|br))*)/y;
const CLOSING = /[)}\]]/;
/** Names of header fields whose values hold spaces. */
const HEADER_LINE = /^(?:proxy-)?authorization$|^(?:set-)?cookie2?$/i;
const REST_OF_LINE = /[ \t]{0,16}([^\r\n<]*)/y;
/** `$password: String!` declares a variable of GraphQL. */
const DECLARED = /^\[?(?:String|ID|Int|Float|Boolean)\b/;
/** What the query of a URL left, with the fragment after it. */
const ALREADY_HIDDEN = /^\[REDACTED\](?:$|[#&;,)}\]])/;
const SCHEME = /^(?:bearer|basic|digest|token|negotiate|apikey)$/i;
const AFTER_SCHEME = /[ \t]{1,16}([^\s&;"'`<>]+)/y;

/**
 * Hides the values of `name=value`, `name="value"` and, with `any`, of `name: value` and `"name": "value"`
 * in free text. Looks back from each separator over at most 96 characters of a name.
 */
export function redactAssignments(
  text: string,
  context: RedactionContext,
  separators: 'equals' | 'any',
): string {
  const separator = new RegExp(separators === 'any' ? EQUALS_OR_COLON : EQUALS);
  let result = '';
  let copied = 0;
  for (let match = separator.exec(text); match !== null; match = separator.exec(text)) {
    const isColon = match[0].startsWith(':');
    const name = nameBefore(text, match.index, copied);
    if (name === undefined) continue;
    const verdict = judge(text, name, context);
    if (verdict === 'visible') continue;
    const value = valueAfter(text, separator.lastIndex, isColon, name);
    if (value === undefined || ALREADY_HIDDEN.test(text.slice(value[0], value[1]))) continue;
    if (isColon && text[name.start] === '$' && DECLARED.test(text.slice(value[0], value[1]))) continue;
    if (!hidesString(verdict, text.slice(value[0], value[1]).trim())) continue;
    result += text.slice(copied, value[0]) + REDACTED;
    copied = value[1];
    separator.lastIndex = copied;
  }
  return copied === 0 ? text : result + text.slice(copied);
}

/** Words that are secret after some other one, from which people part them by a space. */
const LAST_OF_TWO = /^(?:keys?|codes?|pin|pass|phrase|number|card|secret)$/i;
const WORD_BEFORE = /([A-Za-z]+) $/;
const MAX_WORD = 16;

interface Name {
  readonly start: number;
  readonly end: number;
}

function nameBefore(text: string, separator: number, from: number): Name | undefined {
  let end = separator;
  while (end > from && separator - end < MAX_GAP && isBlank(text.charCodeAt(end - 1))) end -= 1;
  if (end > from && /["'`]/.test(text[end - 1]!)) {
    end -= 1;
    while (end > from && separator - end < MAX_GAP && text[end - 1] === '\\') end -= 1;
  } else if (end > from && text[end - 1] === ';') {
    end -= ENTITY_OF_QUOTE.exec(text.slice(Math.max(from, end - LONGEST_ENTITY), end))?.[0].length ?? 0;
  }
  let start = end;
  while (start > from && end - start < MAX_NAME_LENGTH && isNameCharacter(text.charCodeAt(start - 1)))
    start -= 1;
  return start === end ? undefined : { start, end };
}

function judge(text: string, { start, end }: Name, context: RedactionContext): NameVerdict {
  const isParameter = start > 0 && (text[start - 1] === '?' || text[start - 1] === '&');
  const name = decodePercent(text.slice(start, end));
  if (isParameter) return context.names.parameter(name);
  if (!LAST_OF_TWO.test(name)) return context.names.field(name);
  const before = WORD_BEFORE.exec(text.slice(Math.max(0, start - MAX_WORD), start))?.[1] ?? '';
  return context.names.field(`${before} ${name}`);
}

function valueAfter(text: string, from: number, isColon: boolean, name: Name): [number, number] | undefined {
  OPENING_QUOTE.lastIndex = from;
  const quote = OPENING_QUOTE.exec(text)?.[1];
  if (quote !== undefined) {
    const start = OPENING_QUOTE.lastIndex;
    return [start, closingQuote(text, quote, start)];
  }
  if (isColon && HEADER_LINE.test(text.slice(name.start, name.end))) return restOfLine(text, from, name);
  OPENING_BRACKET.lastIndex = from;
  if (isColon && OPENING_BRACKET.test(text)) {
    return [OPENING_BRACKET.lastIndex, closingBracket(text, OPENING_BRACKET.lastIndex)];
  }
  const pattern = isColon ? AFTER_COLON : AFTER_EQUALS;
  pattern.lastIndex = from;
  const value = pattern.exec(text)?.[1];
  if (value === undefined || value === '') return undefined;
  let end = pattern.lastIndex;
  const start = end - value.length;
  if (SCHEME.test(value)) {
    AFTER_SCHEME.lastIndex = end;
    if (AFTER_SCHEME.test(text)) end = AFTER_SCHEME.lastIndex;
  }
  while (isColon && end > start && CLOSING.test(text[end - 1]!)) end -= 1;
  return end === start ? undefined : [start, end];
}

/** To the end of the line, or to the quote that stands before the name. */
function restOfLine(text: string, from: number, name: Name): [number, number] | undefined {
  REST_OF_LINE.lastIndex = from;
  const rest = REST_OF_LINE.exec(text)?.[1] ?? '';
  const start = REST_OF_LINE.lastIndex - rest.length;
  const before = text[name.start - 1];
  const quote = before !== undefined && /["'`]/.test(before) ? rest.indexOf(before) : -1;
  const value = (quote === -1 ? rest : rest.slice(0, quote)).replace(/\\$/, '').trimEnd();
  return value === '' ? undefined : [start, start + value.length];
}

/** Where the same quote comes again, not escaped more than the opening one; without it, the end of the text. */
function closingQuote(text: string, quote: string, from: number): number {
  for (let at = text.indexOf(quote, from); at !== -1; at = text.indexOf(quote, at + quote.length)) {
    let backslashes = 0;
    while (at - backslashes > from && text[at - backslashes - 1] === '\\') backslashes += 1;
    if (quote.length > 1 ? backslashes === 0 : backslashes % 2 === 0) return at;
  }
  return text.length;
}

/** After the bracket that closes the one at `from`; without it, the end of the text. */
function closingBracket(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at) | 32;
    if (code === 0x7b) depth += 1;
    else if (code === 0x7d && (depth -= 1) === 0) return at + 1;
  }
  return text.length;
}

const isBlank = (code: number): boolean => code === 32 || code === 9;

/** Letters, digits, `_`, `-`, `.`, `%`, `[`, `]`, `$` and all that is not ASCII. */
function isNameCharacter(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 45 && code <= 57 && code !== 47) ||
    code === 95 ||
    code === 37 ||
    code === 91 ||
    code === 93 ||
    code === 36 ||
    code > 127
  );
}
