import { hidesString } from './form-redaction';
import type { NameVerdict } from './name-rules';
import { REDACTED } from './redacted-mark';
import type { RedactionContext } from './redaction-context';
import { TextEdits } from './text-edits';

const TAG = /<[A-Za-z][\w:.-]{0,95}(?=[\s/])/g;
/** One attribute: its name, and its value in double, single or no quotes. */
const ATTRIBUTE = /[\s/]*([^\s=<>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s<>"'`]+)))?/y;
const NAMING = /^(?:name|key|id|type|property|itemprop)$/i;
const VALUE = /^(?:value|content)$/i;
const MAX_NAME_LENGTH = 96;

const NAME_ELEMENT = /<((?:\w{1,32}:)?(?:name|key))>\s{0,16}([^<>\s]{1,96})\s{0,16}<\/\1>/gi;
const VALUE_ELEMENT = /\s{0,256}<((?:\w{1,32}:)?(?:value|string))>/iy;

/** Hides the value of `<input name="password" value="…">` and `<meta name="csrf-token" content="…">`, in any order. */
export function redactAttributes(text: string, context: RedactionContext): string {
  const edits = new TextEdits();
  TAG.lastIndex = 0;
  for (let tag = TAG.exec(text); tag !== null; tag = TAG.exec(text)) {
    ATTRIBUTE.lastIndex = TAG.lastIndex;
    let end = TAG.lastIndex;
    let verdict: NameVerdict = 'visible';
    let values: (readonly [from: number, to: number])[] = [];
    for (let match = ATTRIBUTE.exec(text); match !== null; match = ATTRIBUTE.exec(text)) {
      end = ATTRIBUTE.lastIndex;
      const value = match[2] ?? match[3] ?? match[4];
      if (value === undefined) continue;
      const to = match[4] === undefined ? end - 1 : end;
      if (VALUE.test(match[1]!)) values.push([to - value.length, to]);
      if (verdict === 'visible' && NAMING.test(match[1]!) && value.length <= MAX_NAME_LENGTH)
        verdict = context.names.parameter(value);
    }
    if (verdict === 'visible') values = [];
    for (const [from, to] of values) {
      if (hidesString(verdict, text.slice(from, to))) edits.replace(from, to, REDACTED);
    }
    TAG.lastIndex = end;
  }
  return edits.apply(text, 0, text.length);
}

/** Hides the value of `<name>password</name><value>…</value>` and `<key>password</key><string>…</string>`. */
export function redactElementPairs(text: string, context: RedactionContext): string {
  const edits = new TextEdits();
  NAME_ELEMENT.lastIndex = 0;
  for (let match = NAME_ELEMENT.exec(text); match !== null; match = NAME_ELEMENT.exec(text)) {
    const verdict = context.names.field(match[2]!);
    if (verdict === 'visible') continue;
    VALUE_ELEMENT.lastIndex = NAME_ELEMENT.lastIndex;
    const opening = VALUE_ELEMENT.exec(text);
    if (opening === null) continue;
    const from = VALUE_ELEMENT.lastIndex;
    const close = text.indexOf(`</${opening[1]!}`, from);
    const to = close === -1 ? text.length : close;
    if (hidesString(verdict, text.slice(from, to).trim())) edits.replace(from, to, REDACTED);
    NAME_ELEMENT.lastIndex = to;
  }
  return edits.apply(text, 0, text.length);
}
