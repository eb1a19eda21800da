import type { Value } from './backend';
import type { StoredValue } from './driver';
import { decodeValue } from './stored-value';

/** Some milliseconds' worth, whether they are many or large. */
const AT_ONCE = 5_000;
const BYTES_AT_ONCE = 2 ** 20;

/** Of a list, which may be long: others have their turn in between. */
export async function decodeInTurns(values: readonly StoredValue[]): Promise<Value[]> {
  const decoded: Value[] = [];
  let count = 0;
  let bytes = 0;
  for (const value of values) {
    if (count === AT_ONCE || bytes > BYTES_AT_ONCE) {
      await new Promise((resolve) => setImmediate(resolve));
      count = 0;
      bytes = 0;
    }
    decoded.push(decodeValue(value));
    count += 1;
    bytes += value.length;
  }
  return decoded;
}
