import { decodePercent, hidesString } from './form-redaction';
import type { NameVerdict } from './name-rules';
import { REDACTED } from './redacted-mark';
import type { RedactionContext } from './redaction-context';

const MAX_NAME_LENGTH = 96;
const MAX_GAP = 16;
const EQUALS = /=+>?/g;
const EQUALS_OR_COLON = /=+>?|:=?(?!\/\/)/g;
const OPENING_QUOTE = /[ \t]{0,16}(?:\r?\n[ \t]{0,64})?(\\*["'`])/y;
const OPENING_BRACKET = /\s{0,64}(?=[[{])/y;
/** After `=` a value ends at white space or at what parts it from the next one. */
const AFTER_EQUALS = /[ \t]{0,16}((?:[^\s&;"'`<>]|["'`](?=\w)|<(?!\/))*)/y;
/** After `:` it may hold spaces, and ends with the line, or where the next pair begins. */
const AFTER_COLON = /[ \t]{0,16}((?:[^\r\n,;<"'`]|[,;](?![ \t]|$)|["'`](?=\w)|<(?!\/|br))*)/y;
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
    const verdict = nameBefore(text, match.index, copied, context);
    if (verdict === 'visible') continue;
    const value = valueAfter(text, separator.lastIndex, isColon);
    if (value === undefined || ALREADY_HIDDEN.test(text.slice(value[0], value[1]))) continue;
    if (!hidesString(verdict, text.slice(value[0], value[1]).trim())) continue;
    result += text.slice(copied, value[0]) + REDACTED;
    copied = value[1];
    separator.lastIndex = copied;
  }
  return copied === 0 ? text : result + text.slice(copied);
}

function nameBefore(text: string, separator: number, from: number, context: RedactionContext): NameVerdict {
  let end = separator;
  while (end > from && separator - end < MAX_GAP && isBlank(text.charCodeAt(end - 1))) end -= 1;
  if (end > from && /["'`]/.test(text[end - 1]!)) {
    end -= 1;
    while (end > from && separator - end < MAX_GAP && text[end - 1] === '\\') end -= 1;
  }
  let start = end;
  while (start > from && end - start < MAX_NAME_LENGTH && isNameCharacter(text.charCodeAt(start - 1)))
    start -= 1;
  if (start === end) return 'visible';
  const isParameter = start > 0 && (text[start - 1] === '?' || text[start - 1] === '&');
  const name = decodePercent(text.slice(start, end));
  return isParameter ? context.names.parameter(name) : context.names.field(name);
}

function valueAfter(text: string, from: number, isColon: boolean): [number, number] | undefined {
  OPENING_QUOTE.lastIndex = from;
  const quote = OPENING_QUOTE.exec(text)?.[1];
  if (quote !== undefined) {
    const start = OPENING_QUOTE.lastIndex;
    return [start, closingQuote(text, quote, start)];
  }
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
  if (!isColon && SCHEME.test(value)) {
    AFTER_SCHEME.lastIndex = end;
    if (AFTER_SCHEME.test(text)) end = AFTER_SCHEME.lastIndex;
  }
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return end === start ? undefined : [start, end];
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
