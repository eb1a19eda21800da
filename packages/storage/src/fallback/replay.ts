import type { Address, Backend, Item, Write } from '../backend';
import { errorCode } from '../errors';
import { isTimeOrdered } from '../new-id';
import type { JournalEntry } from './journal';

/** What became of one write. `conflict`: the backend has something later, which stays. `refused`: it does not take it. */
export type ReplayOutcome =
  | { readonly status: 'applied' }
  | { readonly status: 'conflict'; readonly theirs: Item | undefined }
  | { readonly status: 'refused'; readonly error: unknown };

export interface ReplayContext {
  readonly now: number;
  /** Versions that were replayed before from another journal of the same outage. */
  readonly ours: ReadonlySet<string>;
}

/** Others may write under the same address at the same time, but hardly this often. */
const ATTEMPTS = 5;

/** What says nothing about the write that was tried: others would be refused as well, and this one perhaps not later. */
const NOT_OF_THE_WRITE = new Set([
  'UNAVAILABLE',
  'POOL_EXHAUSTED',
  'CLOSED',
  'CAPACITY_EXCEEDED',
  'ACCESS_DENIED',
]);

/**
 * Applies a write that was made while the backend was away, unless somebody else has written there since: as far as
 * the version that is there tells, which it does if it is of `newId`.
 *
 * @throws {StorageError} `UNAVAILABLE` when the backend is away again, `CAPACITY_EXCEEDED` when it is full,
 *   `ACCESS_DENIED`; then the write is still to be made
 */
export async function replay(
  primary: Backend,
  entry: JournalEntry,
  { now, ours }: ReplayContext,
): Promise<ReplayOutcome> {
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const there = await find(primary, entry.write);
      if (isOwn(entry.write, there)) return { status: 'applied' };
      if (there !== undefined && !ours.has(there.version) && isLater(entry, there))
        return { status: 'conflict', theirs: there };
      if (await apply(primary, entry.write, there, now)) return { status: 'applied' };
    }
    return { status: 'conflict', theirs: await find(primary, entry.write) };
  } catch (error) {
    const code = errorCode(error);
    if (code !== undefined && NOT_OF_THE_WRITE.has(code)) throw error;
    if (code === 'WRONG_TYPE') return { status: 'conflict', theirs: await find(primary, entry.write) };
    return { status: 'refused', error };
  }
}

/** The head of a value or list alike, which `get` does not give of a list. */
async function find(primary: Backend, { partition, key }: Address): Promise<Item | undefined> {
  const { items } = await primary.scan(partition, { range: { gte: key, lte: key }, limit: 1 });
  return items[0];
}

/** It arrived already: the answer got lost, or the process ended before the journal knew. */
function isOwn(write: Write, there: Item | undefined): boolean {
  return write.type !== 'delete' && write.version !== undefined && there?.version === write.version;
}

/** Appends do not contradict each other, so only what replaces or removes can be late. */
function isLater({ write, since, before }: JournalEntry, there: Item): boolean {
  if (write.type === 'append' && there.type === 'list') return false;
  if (there.version === before) return false;
  // Any other version says nothing about time: then what was acknowledged counts.
  return isTimeOrdered(there.version) && isTimeOrdered(since) && there.version > since;
}

/** @returns false when somebody else was there first */
async function apply(primary: Backend, write: Write, there: Item | undefined, now: number): Promise<boolean> {
  const address = { partition: write.partition, key: write.key };
  // What has expired meanwhile has still replaced what was there.
  const isGone = write.type === 'delete' || (write.expiresAt !== undefined && write.expiresAt <= now);
  try {
    if (isGone) {
      if (there !== undefined) await primary.delete(address, { ifVersion: there.version });
      return true;
    }
    if (write.type === 'append') {
      const { values, expiresAt, version } = write;
      await primary.append(address, values, {
        ...(expiresAt === undefined ? {} : { expiresAt }),
        ...(version === undefined ? {} : { version }),
      });
      return true;
    }
    const condition = there === undefined ? { ifAbsent: true } : { ifVersion: there.version };
    const { value, expiresAt, version } = write;
    const written = await primary.set(address, value, {
      ...condition,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(version === undefined ? {} : { version }),
    });
    return written !== undefined;
  } catch (error) {
    if (errorCode(error) === 'CONFLICT') return false;
    throw error;
  }
}
