/** What no two runs have in common; only its type is compared. */
const VOLATILE = new Set([
  'id',
  'session_id',
  'created_at',
  'last_activity',
  'ttl',
  'duration_ms',
  'cursor',
  'client_address',
]);

/** A value with the parts that differ from run to run replaced by their types. */
export function shapeOf(value: unknown, isKept: (key: string) => boolean = () => false): unknown {
  return JSON.parse(JSON.stringify(value), (key, part: unknown) => {
    if (!VOLATILE.has(key) || isKept(key)) return part;
    return part === null ? null : `<${typeof part}>`;
  }) as unknown;
}
