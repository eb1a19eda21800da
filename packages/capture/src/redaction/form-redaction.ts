import type { NameVerdict } from './name-rules';
import { REDACTED } from './redacted-mark';
import type { OnHidden, RedactionContext } from './redaction-context';

const PERMISSION = /^(?:read|write|admin|none|include|omit|same-origin)$/i;
const NUMBER = /^[-+]?\d{1,12}(?:\.\d{1,12})?$/;

/** Whether a string under a name with this verdict is to be hidden. What says nothing is not. */
export function hidesString(verdict: NameVerdict, value: string): boolean {
  if (verdict === 'visible' || value === '') return false;
  if (value === 'true' || value === 'false' || value === 'null') return false;
  return verdict !== 'unless-count' || !(NUMBER.test(value) || PERMISSION.test(value));
}

/**
 * Redacts `name=value&…`. A hidden value becomes `[REDACTED]` as it stands here, not percent-encoded;
 * all else keeps its bytes. Names are decoded before they are judged; what cannot be decoded is taken as it is.
 *
 * @param base path of the whole form; a field's own path is `base.name`
 */
export function redactForm(
  form: string,
  base: string,
  level: number,
  context: RedactionContext,
  onHidden: OnHidden,
): string {
  const pairs = form.split('&');
  // RFC 6749, 4.1: `code` is a secret where a client hands it over or gets it.
  const isOauth = /(?:^|&)code=/.test(form) && /(?:^|&)(?:state|grant_type|session_state)=/.test(form);
  let isChanged = false;
  for (let at = 0; at < pairs.length; at += 1) {
    const pair = pairs[at]!;
    const equals = pair.indexOf('=');
    const rawName = equals === -1 ? '' : pair.slice(0, equals);
    const rawValue = pair.slice(equals + 1);
    if (rawValue === '') continue;
    const name = decodeForm(rawName);
    const redacted = redactValue(name, rawValue, `${base}${name === '' ? '' : `.${name}`}`, {
      isOauth,
      level,
      context,
      onHidden,
    });
    if (redacted === rawValue) continue;
    isChanged = true;
    pairs[at] = equals === -1 ? redacted : `${context.shapes.hide(rawName)}=${redacted}`;
  }
  return isChanged ? pairs.join('&') : form;
}

interface FieldOptions {
  readonly isOauth: boolean;
  readonly level: number;
  readonly context: RedactionContext;
  readonly onHidden: OnHidden;
}

function redactValue(name: string, rawValue: string, path: string, options: FieldOptions): string {
  const { context, onHidden } = options;
  const value = decodeForm(rawValue);
  const isSecret =
    context.paths.hides(path) ||
    (options.isOauth && name === 'code') ||
    hidesString(context.names.parameter(name), value);
  if (isSecret) {
    onHidden(path);
    return REDACTED;
  }
  const redacted = context.redactString(value, path, options.level, context, onHidden);
  return redacted === value ? rawValue : encodeForm(redacted);
}

function encodeForm(value: string): string {
  return encodeURIComponent(value.replace(/\p{Surrogate}/gu, '\ufffd')).replaceAll(
    '%5BREDACTED%5D',
    REDACTED,
  );
}

/** Percent-decoding as browsers do it: `+` is a space, what is malformed stays, and nothing throws. */
export function decodeForm(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  return decodePercent(spaced);
}

/** Percent-decoding that leaves malformed escapes as they are. */
export function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}
