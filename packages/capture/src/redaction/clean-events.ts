import { isCleanJson } from './clean-json';
import type { RedactionContext } from './redaction-context';
import { redactText } from './text-redaction';

const DATA = 'data: ';
/** How streams of OpenAI and those that speak like it end. It looks like a list, and is no JSON. */
const LAST_WORD = '[DONE]';
const BEGINS_AS_JSON = /^\s*[[{"]/;

/**
 * Whether a complete event stream is one in which nothing is to be hidden. A quick look, wrong in one direction only,
 * as {@link isCleanJson}, and for the same texts.
 */
export function isCleanEventStream(bytes: Uint8Array, text: string, context: RedactionContext): boolean {
  // Other line ends are rare, and left to whoever takes the text apart.
  if (text.includes('\r')) return false;
  for (let from = 0; from < text.length;) {
    const newline = text.indexOf('\n', from);
    const to = newline === -1 ? text.length : newline;
    if (to > from && !isCleanLine(bytes, text, from, to, context)) return false;
    from = to + 1;
  }
  return true;
}

function isCleanLine(
  bytes: Uint8Array,
  text: string,
  from: number,
  to: number,
  context: RedactionContext,
): boolean {
  if (!text.startsWith(DATA, from)) {
    const line = text.slice(from, to);
    // `data` without a value, or after a byte order mark.
    return !line.includes('data') && isCleanText(line, context);
  }
  // Several such lines are one text.
  if (text.startsWith('data', to + 1)) return false;
  const start = from + DATA.length;
  if (isCleanJson(bytes, text, start, to, context)) return true;
  const payload = text.slice(start, to);
  return payload === LAST_WORD || (!BEGINS_AS_JSON.test(payload) && isCleanText(payload, context));
}

function isCleanText(text: string, context: RedactionContext): boolean {
  return redactText(text, '', context, () => undefined) === text;
}
