import type { HeaderList } from '../exchange';
import { hidesString } from './form-redaction';
import { REDACTED } from './redacted-mark';
import type { OnHidden, RedactionContext } from './redaction-context';
import { redactPhrase } from './string-redaction';

/** Authentication schemes, which may stay in front of what is hidden. @see https://www.iana.org/assignments/http-authschemes */
const SCHEME =
  /^(Basic|Bearer|Concealed|Digest|DPoP|GNAP|HOBA|Mutual|Negotiate|NTLM|OAuth|PrivateToken|SCRAM-SHA-1|SCRAM-SHA-256|vapid|Token|ApiKey|Hawk|AWS4-HMAC-SHA256|SSWS|JWT)\s/i;
const COOKIE_ATTRIBUTE =
  /^\s*(?:(?:expires|max-age|domain|path|samesite|priority|version)=|(?:secure|httponly|partitioned)\s*$)/i;

/** Redacts header fields; each field is reported once, as `base.name` with the name in lower case. */
export function redactHeaders(
  headers: HeaderList,
  base: string,
  context: RedactionContext,
  onHidden: OnHidden,
): HeaderList {
  // What the program hides by its place is not harmless in every place.
  const known = context.paths.isEmpty ? context.harmlessFields : undefined;
  return headers.map((field) => {
    const [name, value] = field;
    const harmless = known?.find(name, value);
    if (harmless !== undefined) return harmless;
    const lower = name.toLowerCase();
    const path = `${base}.${lower}`;
    const redacted = context.paths.hides(path) ? REDACTED : redactHeader(lower, value, path, context);
    if (redacted !== value) onHidden(path);
    const shown = context.shapes.hide(name);
    if (shown !== name || redacted !== value) return [shown, redacted] as const;
    known?.add(field);
    return field;
  });
}

function redactHeader(name: string, value: string, path: string, context: RedactionContext): string {
  if (value.trim() === '') return value;
  const verdict = context.names.header(name);
  if (verdict !== 'visible') {
    if (name === 'cookie' || name === 'cookie2') return redactCookies(value, context);
    if (name === 'set-cookie' || name === 'set-cookie2') return redactSetCookie(value, context);
    if (hidesString(verdict, value)) return hideButScheme(name, value);
  }
  return redactPhrase(value, path, 0, context, 'equals');
}

function hideButScheme(name: string, value: string): string {
  const scheme = name.endsWith('authorization') ? SCHEME.exec(value)?.[1] : undefined;
  return scheme === undefined ? REDACTED : `${scheme} ${REDACTED}`;
}

function redactCookies(value: string, context: RedactionContext): string {
  return value
    .split(';')
    .map((pair) => hideCookie(pair, context))
    .join(';');
}

function redactSetCookie(value: string, context: RedactionContext): string {
  return value
    .split(';')
    .map((part, at) => (at > 0 && COOKIE_ATTRIBUTE.test(part) ? part : hideCookie(part, context)))
    .join(';');
}

function hideCookie(pair: string, context: RedactionContext): string {
  const equals = pair.indexOf('=');
  // A pair without a name is all value (RFC 6265bis, 5.6).
  if (equals === -1) return pair.trim() === '' ? pair : ` ${REDACTED}`.slice(pair.startsWith(' ') ? 0 : 1);
  if (pair.slice(equals + 1).trim() === '') return pair;
  return `${context.shapes.hide(pair.slice(0, equals))}=${REDACTED}`;
}
