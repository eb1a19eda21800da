import { types } from 'node:util';
import { redactJson } from './json-redaction';
import type { OnHidden, RedactionContext } from './redaction-context';
import { toPlain } from './to-plain';

/** Told without copying, since most is. */
function isEmptyObject(metadata: Readonly<Record<string, unknown>>): boolean {
  if (types.isProxy(metadata) || Object.getPrototypeOf(metadata) !== Object.prototype) return false;
  return Object.keys(metadata).length === 0 && !('toJSON' in metadata);
}

/** A plain copy of metadata without secrets; places are reported as `base.key`. */
export function redactMetadata(
  metadata: Readonly<Record<string, unknown>>,
  base: string,
  context: RedactionContext,
  onHidden: OnHidden,
): Record<string, unknown> {
  if (context.paths.isEmpty && isEmptyObject(metadata)) return {};
  const plain = toPlain(metadata);
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) return {};
  const json = Buffer.from(JSON.stringify(plain), 'utf8');
  const outcome = redactJson({
    bytes: json,
    text: json.toString('latin1'),
    from: 0,
    to: json.length,
    isEnded: true,
    level: 0,
    base,
    context,
    onHidden,
    mayHoldUnmarked: undefined,
  });
  const redacted = outcome.isChanged
    ? (JSON.parse(Buffer.from(outcome.text, 'latin1').toString('utf8')) as unknown)
    : plain;
  // The whole of it can be hidden by a path rule.
  return typeof redacted === 'object' && redacted !== null ? (redacted as Record<string, unknown>) : {};
}
