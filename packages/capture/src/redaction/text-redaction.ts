import { redactAttributes, redactElementPairs } from './element-pairs';
import { hidesString } from './form-redaction';
import type { OnHidden, RedactionContext } from './redaction-context';
import { REDACTED } from './redacted-mark';
import { redactPhrase } from './string-redaction';

const ELEMENT = /<([A-Za-z_][\w:.-]{0,95})(?=[\s>])/g;
/** How much of an unfinished word at the end of a text is given up at most. */
const MAX_UNFINISHED_WORD = 8192;
const UNFINISHED_NUMBER = /[\d -]{0,40}$/;

/** Redacts text that claims no structure, and XML: `name=value`, `name: value`, `<name>value</name>`, secrets by shape. */
export function redactText(
  text: string,
  path: string,
  context: RedactionContext,
  onHidden: OnHidden,
): string {
  if (context.paths.hides(path) && text !== '') {
    onHidden(path);
    return REDACTED;
  }
  const result = redactPhrase(redactMarkup(text, context), path, 0, context, 'any');
  if (result !== text) onHidden(path);
  return result;
}

/**
 * Leaves out the unfinished word at the end of a text that goes on, and the number before it, since a
 * part of a secret has no shape that could be seen.
 */
export function withoutUnfinishedEnd(text: string): string {
  const from = Math.max(0, text.length - MAX_UNFINISHED_WORD);
  let end = text.length;
  while (end > from && !isSpace(text.charCodeAt(end - 1))) end -= 1;
  const number = UNFINISHED_NUMBER.exec(text.slice(Math.max(0, end - 40), end));
  return text.slice(0, end - (number?.[0].length ?? 0));
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

function redactMarkup(text: string, context: RedactionContext): string {
  if (!text.includes('<')) return text;
  return redactElements(redactElementPairs(redactAttributes(text, context), context), context);
}

function redactElements(text: string, context: RedactionContext): string {
  let result = '';
  let copied = 0;
  ELEMENT.lastIndex = 0;
  for (let match = ELEMENT.exec(text); match !== null; match = ELEMENT.exec(text)) {
    const name = match[1]!;
    const verdict = context.names.field(name.slice(name.lastIndexOf(':') + 1));
    if (verdict === 'visible') continue;
    const open = text.indexOf('>', ELEMENT.lastIndex);
    if (open === -1) break;
    if (text[open - 1] === '/') continue;
    const close = text.indexOf(`</${name}`, open);
    const end = close === -1 ? text.length : close;
    if (hidesString(verdict, text.slice(open + 1, end).trim())) {
      result += text.slice(copied, open + 1) + REDACTED;
      copied = end;
    }
    ELEMENT.lastIndex = end;
  }
  return copied === 0 ? text : result + text.slice(copied);
}
