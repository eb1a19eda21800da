import type { JsonFilter } from './json-filter';
import type { JsonValue } from './json-value';

/** Where an item lives. Partition and key are each 1 to 1,024 bytes of UTF-8: any well-formed string, NUL included. */
export interface Address {
  readonly partition: string;
  readonly key: string;
}

/** What is kept under a key. Bytes come back as bytes (their `buffer` may hold others too), everything else as JSON. */
export type Value = JsonValue | Uint8Array;

/** A key holds a value or a list; a list is read with `range`. */
export type Item = ItemHead & ({ readonly type: 'value'; readonly value: Value } | { readonly type: 'list' });

export interface ItemHead {
  readonly key: string;
  /** Opaque, new at every write, never used twice. */
  readonly version: string;
  /** Ms since the epoch; from that very instant on the item is invisible. */
  readonly expiresAt?: number;
}

/** A value, as `get` finds it. */
export type ValueItem = Extract<Item, { type: 'value' }>;

export interface AppendOptions {
  /** Ms since the epoch, in the future. For `set`, leaving it out means for ever; for `append`, what the list had. */
  readonly expiresAt?: number;
  /**
   * The version to be written, 1 to 64 visible ASCII characters. Give it when a call may be made again: the second
   * recognises what the first wrote, an append as long as fewer than 8 others came between.
   */
  readonly version?: string;
}

export interface SetOptions extends AppendOptions {
  /** Writes only where nothing is. */
  readonly ifAbsent?: boolean;
  /** Writes only over this version. */
  readonly ifVersion?: string;
}

export interface DeleteOptions {
  readonly ifVersion?: string;
}

/** One of several writes, with the conditions that it would have alone. */
export type Write = Address &
  (
    | ({ readonly type: 'set'; readonly value: Value } & SetOptions)
    | ({ readonly type: 'append'; readonly values: readonly Value[] } & AppendOptions)
    | ({ readonly type: 'delete' } & DeleteOptions)
  );

/** What became of one write: the same answer, or the same error, that it would have had alone. */
export type WriteOutcome =
  | { readonly status: 'written'; readonly version: string; readonly length?: number }
  | { readonly status: 'exists' | 'deleted' | 'missing' }
  | { readonly status: 'failed'; readonly error: Error };

/** Bounds of keys, by their UTF-8 bytes; they narrow each other. */
export interface KeyRange {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  /** Literal text. */
  readonly prefix?: string;
}

export interface PageOptions {
  /** 1 to 1,000, 100 unless given. A page may hold fewer and still have a `next`. */
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly after?: string;
}

export interface ScanOptions extends PageOptions {
  readonly range?: KeyRange;
  /** From the last key to the first. */
  readonly reverse?: boolean;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the following page begins; absent on the last one. */
  readonly next?: string;
  /** Of a fallback for a backend that is away: what that has besides is not in it. */
  readonly isPartial?: true;
}

/** What not every engine can do. Without it the call rejects `UNSUPPORTED`. */
export interface Capabilities {
  readonly transact: boolean;
  readonly query: boolean;
  readonly publish: boolean;
  /** The largest value, and the largest element of a list, in bytes as JSON text or as bytes. */
  readonly maxValueBytes: number;
}

export interface Health {
  readonly healthy: boolean;
  readonly latencyMs: number;
  /** Why not. */
  readonly error?: Error;
}

export interface BackendStats {
  /** Values and lists that are visible now, counted up to 10,000. */
  readonly items: number;
  /** There are more than `items`. */
  readonly isCapped: boolean;
  /** What they take, where the engine knows without looking at each. */
  readonly bytes?: number;
}

/**
 * One contract over every engine. Keys are ordered by their UTF-8 bytes; values are deep copies in and out. A read sees
 * what was answered before it was made; a write that is still under way, perhaps.
 *
 * A failure is a rejection with a `StorageError`; a failed read is never "not found". Every method but `open` and
 * `close` rejects `NOT_OPEN` before `open()` and `CLOSED` after `close()`; `KEY_INVALID`, `VALUE_INVALID`,
 * `VALUE_TOO_LARGE` or `ARGUMENT_INVALID` for what it is given; `WRONG_TYPE` for a list where a value is asked for,
 * or the other way round; `CAPACITY_EXCEEDED` where no room is left; `UNAVAILABLE` when the engine does not answer,
 * and then a write may or may not have happened.
 */
export interface Backend {
  /** Short name for messages, such as `postgres`. */
  readonly name: string;
  readonly capabilities: Capabilities;

  /** Opens once; calls share the attempt, and after a failed one the next call tries again. */
  open(): Promise<void>;
  get(address: Address): Promise<ValueItem | undefined>;
  /** As many answers as addresses (at most 1,000), in their order. */
  getMany(addresses: readonly Address[]): Promise<(ValueItem | undefined)[]>;
  /**
   * Replaces value and expiry together, a list too. Resolves to the new version, or to `undefined` when `ifAbsent`
   * found something.
   *
   * @throws {StorageError} `CONFLICT` when there is no item of version `ifVersion`
   */
  set(address: Address, value: Value, options?: SetOptions): Promise<string | undefined>;
  /**
   * Resolves to whether something visible was deleted, a list too.
   *
   * @throws {StorageError} `CONFLICT` when there is an item of another version than `ifVersion`
   */
  delete(address: Address, options?: DeleteOptions): Promise<boolean>;
  scan(partition: string, options?: ScanOptions): Promise<Page<Item>>;
  /**
   * The keys that `scan` would find, in the same order, where an engine can without reading what they hold. So they may
   * tell what a `scan` rejects with `CORRUPT`.
   */
  keys(partition: string, options?: ScanOptions): Promise<Page<string>>;
  /** The names of partitions that hold something visible, in the order of their bytes. */
  partitions(prefix?: string, options?: PageOptions): Promise<Page<string>>;
  /** Applies up to 1,000 writes, those to one address in their order. One that fails leaves the others alone. */
  batch(writes: readonly Write[]): Promise<WriteOutcome[]>;

  /** Adds up to 1,000 elements to the end in one step, and resolves to the list's new length. */
  append(address: Address, values: readonly Value[], options?: AppendOptions): Promise<number>;
  /** Elements from `start` to `end`, both included; -1 is the last. Without bounds, all of them. */
  range(address: Address, start?: number, end?: number): Promise<Value[]>;
  length(address: Address): Promise<number>;

  /**
   * Applies up to 100 writes to different keys of one partition, all or none.
   *
   * @throws {StorageError} `CONFLICT` when a condition of one of them fails, `ifAbsent` among them
   */
  transact(writes: readonly Write[]): Promise<WriteOutcome[]>;
  /** The values of a partition that are JSON and match, in the order of keys. */
  query(partition: string, filter: JsonFilter, options?: PageOptions): Promise<Page<ValueItem>>;
  /** Tells everyone who listens now. `message` is at most 4,096 bytes as JSON. Not stored, not repeated. */
  publish(channel: string, message: JsonValue): Promise<void>;
  /** Resolves once it hears; what it resolves to ends it. */
  subscribe(channel: string, listener: (message: JsonValue) => void): Promise<() => Promise<void>>;

  /**
   * Gives back the space of up to `limit` (1 to 1,000) things that have expired or been cut off: items, and elements of
   * lists. Resolves to how many they were; fewer than `limit` means that none is left.
   */
  sweep(limit?: number): Promise<number>;
  /**
   * Writes, reads and deletes a key of its own in a partition of its own, in `deadlineMs` at most (5,000 unless given).
   * Never rejects, closed or not.
   */
  health(deadlineMs?: number): Promise<Health>;
  stats(): Promise<BackendStats>;
  /** Releases connections and timers. Safe to call twice, and before `open`. */
  close(): Promise<void>;
}
