import type { Backend, Item, Page, ScanOptions } from '../backend';
import { errorCode } from '../errors';

const MAX_KEY_BYTES = 1_024;
const FIRST_SURROGATE = 0xd800;
const SURROGATES = 0x800;
const CODE_POINTS = 0x110000 - SURROGATES;

/** One item, or the key of one that cannot be read. */
export type NextItem = { readonly page: Page<Item> } | { readonly unreadable: string };

/**
 * The first item after `after`, where a page of one fails with `CORRUPT`: it may do so for what it looks at behind that
 * item as well.
 */
export async function readNextItem(
  backend: Backend,
  partition: string,
  after: string | undefined,
): Promise<NextItem> {
  const from = after === undefined ? {} : { after };
  const listed = await unlessCorrupt(backend.keys(partition, { limit: 1, ...from }));
  const key = listed?.items[0];
  if (listed !== undefined && key !== undefined) {
    const alone = { range: { gte: key, lte: key }, limit: 1 };
    const page = await unlessCorrupt(backend.scan(partition, alone));
    if (page === undefined) return { unreadable: key };
    // A backend may leave out of its keys what it cannot read.
    const before = { range: { lt: key }, limit: 1, ...from };
    if (await canScan(backend, partition, before))
      return { page: listed.next === undefined ? { items: page.items } : { items: page.items, next: key } };
  }
  return { unreadable: await findUnreadableKey(backend, partition, after) };
}

/**
 * The key of the first item after `after`, which cannot be read. Where nothing tells it, it is found by bounds: a scan
 * up to a bound fails exactly when the item lies before it. Takes some twenty scans for each character.
 */
async function findUnreadableKey(
  backend: Backend,
  partition: string,
  after: string | undefined,
): Promise<string> {
  const isBefore = async (bound: string): Promise<boolean> => {
    if (Buffer.byteLength(bound) > MAX_KEY_BYTES) return true;
    const range = { lt: bound, ...(after === undefined ? {} : { gt: after }) };
    return !(await canScan(backend, partition, { range, limit: 1 }));
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

async function canScan(backend: Backend, partition: string, options: ScanOptions): Promise<boolean> {
  return (await unlessCorrupt(backend.scan(partition, options))) !== undefined;
}

async function unlessCorrupt<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (errorCode(error) === 'CORRUPT') return undefined;
    throw error;
  }
}
