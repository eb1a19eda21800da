/**
 * A cache: what is in it may be gone at any time. Values are JSON, or bytes; `undefined`, `NaN`, infinities, `bigint`,
 * dates, maps, instances of classes, functions and holes in arrays are refused with `VALUE_INVALID` and their path,
 * never changed in silence. `null` is a value; what is not there is `undefined`. What comes back is a deep copy.
 *
 * Every method connects first where nobody has; all reject as `Backend` says, and `CLOSED` after `disconnect()`.
 */
export interface CacheBackend {
  /** Safe to call twice. After a failed attempt the next call, of any method, tries again. */
  connect(): Promise<void>;
  /** For good. Safe to call twice. */
  disconnect(): Promise<void>;

  /** `T` says what the program has put there; nothing checks it. */
  get<T = unknown>(key: string): Promise<T | undefined>;
  /**
   * @param ttlSeconds above 0 and at most 3,155,760,000 (100 years), with up to three decimals; the item is gone from
   *   that very millisecond on, and reading does not extend it. Without it: `defaultTtlSeconds`, or else for ever.
   * @throws {StorageError} `ARGUMENT_INVALID` for any other `ttlSeconds`
   */
  set(key: string, value: unknown, ttlSeconds?: number): Promise<void>;
  /** Resolves to whether there was something. */
  delete(key: string): Promise<boolean>;

  /** As many answers as keys, in their order. */
  mget<T = unknown>(keys: readonly string[]): Promise<(T | undefined)[]>;
  /**
   * Any number of items, one after the other where a key comes twice. One that fails leaves the others alone.
   *
   * @throws {BatchError} with the outcome of each, when some were not written
   */
  mset(items: readonly CacheItem[]): Promise<void>;

  exists(key: string): Promise<boolean>;
  /** Deletes everything that was there when it was called; of what is written meanwhile, some may go as well. */
  clear(): Promise<void>;
  /**
   * Sorted by their UTF-8 bytes. In a pattern, `*` stands for any characters, `?` for one, `\` makes the next one
   * literal (`escapePattern` does it), and everything else is literal; without one, all keys.
   */
  keys(pattern?: string): Promise<string[]>;
}

export type CacheItem = readonly [key: string, value: unknown, ttlSeconds?: number | undefined];
