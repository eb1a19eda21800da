import { toExpiry } from '../cache/time-to-live';
import { StorageError } from '../errors';

export interface EntryLifetimes {
  readonly valueMs: number;
  /** 0: that there is nothing is not kept. */
  readonly nothingMs: number;
  /** After which someone who reads or writes is taken for dead. */
  readonly pendingMs: number;
}

const NOTHING_MS = 30_000;
/** Whoever takes longer finds the mark gone, and does no harm. */
const PENDING_MS = 10_000;

/** @throws {StorageError} `CONFIG_INVALID`, `ARGUMENT_INVALID` */
export function toLifetimes(options: {
  readonly ttlSeconds: number;
  readonly negativeTtlSeconds?: number;
}): EntryLifetimes {
  const { ttlSeconds, negativeTtlSeconds } = options;
  const valueMs = toExpiry(ttlSeconds, 0);
  if (valueMs === undefined) throw new StorageError('CONFIG_INVALID', '"ttlSeconds" is missing.');
  const given = negativeTtlSeconds === 0 ? 0 : toExpiry(negativeTtlSeconds, 0, 'negativeTtlSeconds');
  return { valueMs, nothingMs: given ?? Math.min(valueMs, NOTHING_MS), pendingMs: PENDING_MS };
}
