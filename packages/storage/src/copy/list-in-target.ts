import type { Address, Backend } from '../backend';
import { errorCode } from '../errors';
import { readPartialVersion } from './partial-version';

/**
 * What the target has where a list is to go.
 *
 * - `absent`: nothing.
 * - `complete`: this very list.
 * - `partial`: its first `count` elements, from a copy that did not come to its end.
 * - `outdated`: the beginning of what the list was before.
 * - `other`: something that no copy has begun.
 */
export type ListInTarget =
  | { readonly status: 'absent' | 'complete' }
  | { readonly status: 'partial'; readonly count: number }
  | { readonly status: 'outdated' | 'other'; readonly version: string };

export async function findList(target: Backend, address: Address, version: string): Promise<ListInTarget> {
  const length = await lengthOf(target, address);
  if (length === 0) return { status: 'absent' };
  const { partition, key } = address;
  const { items } = await target.scan(partition, { range: { gte: key, lte: key }, limit: 1 });
  const [item] = items;
  if (item === undefined) return { status: 'absent' };
  if (item.type === 'value') return { status: 'other', version: item.version };
  if (item.version === version) return { status: 'complete' };
  const partial = readPartialVersion(item.version, version);
  if (partial === undefined) return { status: 'other', version: item.version };
  // Of another length, somebody has appended to it.
  if (partial === 'outdated' || partial.count !== length)
    return { status: 'outdated', version: item.version };
  return { status: 'partial', count: partial.count };
}

async function lengthOf(target: Backend, address: Address): Promise<number | undefined> {
  try {
    return await target.length(address);
  } catch (error) {
    if (errorCode(error) === 'WRONG_TYPE') return undefined;
    throw error;
  }
}
