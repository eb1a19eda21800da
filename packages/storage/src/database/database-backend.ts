/**
 * A database: what is in it stays. Values are JSON, or bytes; `undefined`, `NaN`, infinities, `bigint`, dates, maps,
 * instances of classes, functions and holes in arrays are refused with `VALUE_INVALID` and their path, never changed
 * in silence. `null` is a value; what is not there is `undefined`. What comes back is a deep copy.
 *
 * A key holds a value or a list. What is meant for the other rejects `WRONG_TYPE`; `set` replaces either, and
 * `delete`, `exists`, `keys` and `clear` make no difference. Every method connects first where nobody has; all reject
 * as `Backend` says, and `CLOSED` after `disconnect()`.
 */
export interface DatabaseBackend {
  /** Safe to call twice. After a failed attempt the next call, of any method, tries again. */
  connect(): Promise<void>;
  /** For good. Safe to call twice. */
  disconnect(): Promise<void>;

  /** `T` says what the program has put there; nothing checks it. */
  get<T = unknown>(key: string): Promise<T | undefined>;
  /** @throws {StorageError} `ARGUMENT_INVALID` for a lifetime, as a cache takes it */
  set(key: string, value: unknown): Promise<void>;
  /** Resolves to whether there was something. */
  delete(key: string): Promise<boolean>;

  /** Adds to the end of a list, up to 1,000 elements in one step, and resolves to its new length. */
  append(key: string, ...values: unknown[]): Promise<number>;
  /** Elements from `start` to `end`, both included; -1 is the last. Without bounds, all; of no list, none. */
  getRange<T = unknown>(key: string, start?: number, end?: number): Promise<T[]>;
  /** 0 where there is no list. */
  getLength(key: string): Promise<number>;

  /** As many answers as keys, in their order. */
  mget<T = unknown>(keys: readonly string[]): Promise<(T | undefined)[]>;
  /**
   * Any number of items, one after the other where a key comes twice. One that fails leaves the others alone.
   *
   * @throws {BatchError} with the outcome of each, when some were not written
   */
  mset(items: readonly DatabaseItem[]): Promise<void>;

  exists(key: string): Promise<boolean>;
  /** Deletes everything that was there when it was called; of what is written meanwhile, some may go as well. */
  clear(): Promise<void>;
  /**
   * Of values and lists, sorted by their UTF-8 bytes. In a pattern, `*` stands for any characters, `?` for one, `\`
   * makes the next one literal (`escapePattern` does it), and everything else is literal; without one, all keys.
   */
  keys(pattern?: string): Promise<string[]>;
}

export type DatabaseItem = readonly [key: string, value: unknown];
