import type { BackendStats, Capabilities, Item } from './backend';
import type { ByteRange } from './byte-range';
import type { JsonFilter } from './json-filter';
import type { StorageError } from './errors';

/** JSON as its text, bytes as bytes. */
export type StoredValue = string | Uint8Array;

/** An answer at once, or later. What is there already costs no further turn of the event loop. */
export type Awaitable<T> = T | Promise<T>;

export interface StoredItem {
  readonly key: string;
  /** Absent: a list. */
  readonly value?: StoredValue | undefined;
  readonly version: string;
  readonly expiresAt?: number | undefined;
}

/** What a driver reads: as it is stored or, where that takes less, decoded already and nobody else's. */
export type ReadItem = StoredItem | Item;

/** A write whose arguments are in order. */
export type DriverWrite = SetWrite | AppendWrite | DeleteWrite;

export interface SetWrite {
  readonly type: 'set';
  readonly partition: string;
  readonly key: string;
  readonly value: StoredValue;
  readonly version: string;
  readonly expiresAt: number | undefined;
  readonly ifAbsent: boolean;
  readonly ifVersion: string | undefined;
}

export interface AppendWrite {
  readonly type: 'append';
  readonly partition: string;
  readonly key: string;
  /** At least one. */
  readonly values: readonly StoredValue[];
  readonly version: string;
  /** Absent: as it was, or never for a new list. */
  readonly expiresAt: number | undefined;
}

export interface DeleteWrite {
  readonly type: 'delete';
  readonly partition: string;
  readonly key: string;
  readonly ifVersion: string | undefined;
}

/**
 * - `written`: a set, or an append with the new `length`; also when the item has this very `version` already, or the
 *   list had it among its last 8 appends, since then this is the same write for the second time, and changes nothing.
 * - `exists`: `ifAbsent` found something visible.
 * - `conflict`: nothing visible has `ifVersion`; for `delete`, something visible has another.
 * - `deleted`, `missing`: a delete found something visible or nothing.
 * - `wrong-type`: an append found a value.
 */
export type Verdict =
  | { readonly status: 'written'; readonly length?: number }
  | { readonly status: 'exists' | 'conflict' | 'deleted' | 'missing' | 'wrong-type' };

/** Half-open and in bytes, whatever the caller asked for. */
export interface DriverScan extends ByteRange {
  readonly limit: number;
  readonly reverse: boolean;
}

export interface DriverPage<T> {
  readonly items: T[];
  /** Something may follow. */
  readonly hasMore: boolean;
  /** What to go on after, where that is not the last of `items`, or there are none. */
  readonly stoppedAt?: string;
}

/**
 * A list's elements, or that there is a value instead; no list is an empty one. The array, and the bytes in it, are
 * nobody else's and not changed afterwards: a long list is decoded over several turns.
 */
export type StoredRange = { readonly values: StoredValue[] } | 'wrong-type';

/**
 * What the author of a backend writes; `createBackend` makes a `Backend` of it and does the thinking: it opens once,
 * checks arguments, fills in versions, encodes values, counts time. So here every argument is in order, every value
 * is JSON text or bytes, `now` is the instant that decides what has expired (`expiresAt <= now` is invisible), and
 * no call comes before `open` has resolved or after `close`.
 */
export interface Driver {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** How long opening may take, where that is longer than a call may. */
  readonly openTimeoutMs?: number | undefined;

  open(): Awaitable<void>;
  /** Called after `open`, also after one that failed or came too late, and then maybe twice: releases whatever there is. */
  close(): Awaitable<void>;
  /** What an error of the engine means; without it, or for `undefined`, it is `UNAVAILABLE`. */
  explain?(error: unknown): StorageError | undefined;

  get(partition: string, key: string, now: number): Awaitable<StoredItem | undefined>;
  getMany(
    addresses: readonly { readonly partition: string; readonly key: string }[],
    now: number,
  ): Awaitable<(StoredItem | undefined)[]>;
  scan(partition: string, scan: DriverScan, now: number): Awaitable<DriverPage<ReadItem>>;
  /**
   * As `scan`, without values, and with the keys of what is there but cannot be read, so that it is found. A driver that
   * reads values all the same needs none, and is asked for a `scan`.
   */
  keys?(partition: string, scan: DriverScan, now: number): Awaitable<DriverPage<string>>;
  partitions(range: ByteRange, limit: number, now: number): Awaitable<DriverPage<string>>;
  /** `end` and `start` may be negative (from the end) and lie anywhere. */
  range(partition: string, key: string, start: number, end: number, now: number): Awaitable<StoredRange>;
  /** Absent: a value is there instead. */
  length(partition: string, key: string, now: number): Awaitable<number | undefined>;

  write(write: DriverWrite, now: number): Awaitable<Verdict>;
  /** Writes that are independent but for their order at one address. An `Error` stands for one that failed. */
  batch(writes: readonly DriverWrite[], now: number): Awaitable<(Verdict | Error)[]>;
  /** All, or none when the verdict on one is `exists`, `conflict` or `wrong-type`; then only that one counts. */
  transact?(writes: readonly DriverWrite[], now: number): Awaitable<Verdict[]>;
  /** May find too much: what does not match is left out afterwards. */
  query?(
    partition: string,
    filter: JsonFilter,
    scan: DriverScan,
    now: number,
  ): Awaitable<DriverPage<ReadItem>>;
  publish?(channel: string, message: string): Awaitable<void>;
  subscribe?(channel: string, listener: (message: string) => void): Awaitable<() => Awaitable<void>>;

  /** Removes up to `limit` expired items; resolves to how many. */
  sweep(limit: number, now: number): Awaitable<number>;
  stats(now: number): Awaitable<BackendStats>;
}
