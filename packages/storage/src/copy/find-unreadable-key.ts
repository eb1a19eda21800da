import type { Backend } from '../backend';
import { errorCode } from '../errors';

const MAX_KEY_BYTES = 1_024;
const FIRST_SURROGATE = 0xd800;
const SURROGATES = 0x800;
const CODE_POINTS = 0x110000 - SURROGATES;

/**
 * The key of the first item after `after`, which cannot be read. No page tells it, so it is found by bounds: a scan up to
 * a bound fails exactly when the item lies before it. Takes some twenty scans for each character.
 */
export async function findUnreadableKey(
  backend: Backend,
  partition: string,
  after: string | undefined,
): Promise<string> {
  const isBefore = async (bound: string): Promise<boolean> => {
    if (Buffer.byteLength(bound) > MAX_KEY_BYTES) return true;
    const range = { lt: bound, ...(after === undefined ? {} : { gt: after }) };
    try {
      await backend.scan(partition, { range, limit: 1 });
      return false;
    } catch (error) {
      if (errorCode(error) === 'CORRUPT') return true;
      throw error;
    }
  };
  let key = '';
  // It is the key itself when nothing lies between the two: NUL is the smallest character.
  while (key === '' || !(await isBefore(`${key}\0`))) {
    let low = 0;
    let high = CODE_POINTS;
    // The largest character with which it does not lie before.
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (await isBefore(key + characterAt(middle))) high = middle;
      else low = middle;
    }
    key += characterAt(low);
  }
  return key;
}

function characterAt(index: number): string {
  return String.fromCodePoint(index < FIRST_SURROGATE ? index : index + SURROGATES);
}
