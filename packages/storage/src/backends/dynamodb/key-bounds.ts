import type { ByteRange } from '../../byte-range';
import type { Condition } from './dynamo-table';

/** What a sort key can hold. */
const MAX_BYTES = 1_024;

export interface KeyBounds {
  /** Asks for a little more than is wanted: one condition on the sort key is all that a query takes. */
  readonly where: Condition | undefined;
  /** Whether it is really wanted. */
  readonly has: (key: Uint8Array) => boolean;
}

/** From the first bound, up to but not including the second; `undefined` where nothing can be in between. */
export function keyBounds({ from, to }: ByteRange): KeyBounds | undefined {
  if (to !== undefined && Buffer.compare(from, to) >= 0) return undefined;
  const has = (key: Uint8Array): boolean =>
    Buffer.compare(key, from) >= 0 && (to === undefined || Buffer.compare(key, to) < 0);
  // Longer than any key: all that begins so far is before it, and what is equal so far too.
  const low = from.subarray(0, MAX_BYTES);
  const high = to?.subarray(0, MAX_BYTES);
  if (high === undefined)
    return {
      where: low.length === 0 ? undefined : { expression: 'sk >= :from', values: { ':from': { B: low } } },
      has,
    };
  if (low.length === 0) return { where: { expression: 'sk <= :to', values: { ':to': { B: high } } }, has };
  return {
    where: { expression: 'sk BETWEEN :from AND :to', values: { ':from': { B: low }, ':to': { B: high } } },
    has,
  };
}
