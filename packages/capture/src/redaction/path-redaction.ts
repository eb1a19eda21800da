import { redactAssignments } from './assignments';
import { decodePercent } from './form-redaction';
import { REDACTED } from './redacted-mark';
import type { OnHidden, RedactionContext } from './redaction-context';

/** Of the characters that need no escape, and no `=` or `;`. */
const PLAIN_PATH = /^[\w/.~-]*$/;

/**
 * Redacts a concrete path: values of parameters with a secret name, matrix parameters (`;jsessionid=…`)
 * and secrets by shape, percent-encoded or not.
 *
 * @param base path under which parameters are reported, as `base.name`
 */
export function redactPath(
  path: string,
  parameters: Readonly<Record<string, string>>,
  base: string,
  context: RedactionContext,
  onHidden: OnHidden,
): string {
  let isNamed = false;
  for (const name in parameters) isNamed ||= Object.hasOwn(parameters, name);
  // What such a path holds in a segment it holds as a whole, but for patterns of the program's own.
  const isPlain = !isNamed && PLAIN_PATH.test(path) && !context.shapes.mayHoldUnmarked(path);
  if (isPlain && context.shapes.hide(path) === path) return path;
  let segments = path.split('/');
  for (const [name, value] of Object.entries(parameters)) {
    const place = `${base}.${name}`;
    if (typeof value !== 'string' || value === '') continue;
    if (context.names.parameter(name) === 'visible' && !context.paths.hides(place)) continue;
    const without = withoutValue(segments, value);
    if (without === undefined) continue;
    segments = without;
    onHidden(place);
  }
  const shown = segments.map((segment) => redactSegment(segment, context));
  if (shown.some((segment, at) => segment !== segments[at])) onHidden(base);
  const result = shown.join('/');
  const hidden = context.shapes.hide(result);
  if (hidden !== result) onHidden(base);
  return hidden;
}

/** The segments with those that are, or else hold, the value replaced; `undefined` when none does. */
function withoutValue(segments: readonly string[], value: string): string[] | undefined {
  const plain = decodePercent(value);
  const isValue = (segment: string): boolean => segment === value || decodePercent(segment) === plain;
  if (segments.some(isValue)) return segments.map((segment) => (isValue(segment) ? REDACTED : segment));

  // A parameter that takes several segments, or a part of one.
  const path = segments.join('/');
  for (const form of new Set([
    value,
    plain,
    encodeURI(wellFormed(plain)),
    encodeURIComponent(wellFormed(plain)),
  ])) {
    if (form !== '' && path.includes(form)) return path.split(form).join(REDACTED).split('/');
  }
  const decoded = decodePercent(path);
  return decoded.includes(plain) ? decoded.split(plain).join(REDACTED).split('/') : undefined;
}

function redactSegment(segment: string, context: RedactionContext): string {
  const decoded = decodePercent(segment);
  const shown = context.shapes.hide(
    decoded.includes('=') ? redactAssignments(decoded, context, 'equals') : decoded,
  );
  if (shown === decoded) return segment;
  return encodeURIComponent(wellFormed(shown))
    .replaceAll('%5BREDACTED%5D', REDACTED)
    .replaceAll('%3B', ';')
    .replaceAll('%3D', '=');
}

const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');
