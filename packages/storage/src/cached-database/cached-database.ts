import type { Backend } from '../backend';
import type { CacheBackend } from '../cache/cache-backend';
import type { DatabaseBackend } from '../database/database-backend';
import type { WriteBehindOptions } from './write-behind-queue';

/**
 * - `read-through`: a write goes to the database and takes the key out of the cache; the next read brings it in.
 * - `write-through`: a write goes to the database and then into the cache.
 * - `write-behind`: a write goes into the cache and a queue, and from there to the database. A process that dies
 *   loses what is queued, although it was acknowledged.
 */
export type CachingStrategy = 'read-through' | 'write-through' | 'write-behind';

export interface CachedDatabaseOptions {
  /** Made by `createCacheBackend`. What is cached here does not mix with what the cache keeps otherwise. */
  readonly cache: CacheBackend;
  readonly database: DatabaseBackend;
  readonly strategy: CachingStrategy;
  /** How long a value stays in the cache; so long may it be stale where an invalidation was lost. */
  readonly ttlSeconds: number;
  /** How long it is known that there is nothing: 30, or `ttlSeconds` where that is less; 0 for not at all. */
  readonly negativeTtlSeconds?: number;
  /**
   * Tells other instances of every write, by publishing and subscribing: for instances that have a cache each, such as
   * memory. A backend that can publish, or a cache or database on one. Instances that share a cache need none.
   */
  readonly invalidateOver?: Backend | CacheBackend | DatabaseBackend;
  readonly writeBehind?: WriteBehindOptions;
  /** Told of every failure that reaches no caller. Without it, the first of each operation is a warning of the process. */
  readonly onError?: (error: Error, context: CachingFailure) => void;
}

export interface CachingFailure {
  /**
   * `read` and `fill`: the database answered instead of the cache. `invalidate`: the cache may hold an older value,
   * for `ttlSeconds` at most. `write-behind`: the database did not take a write.
   */
  readonly operation: 'read' | 'fill' | 'invalidate' | 'write-behind';
  readonly keys: readonly string[];
  /** The write will not be tried again: what was acknowledged is gone. */
  readonly isLost: boolean;
}

export interface CachingStats {
  /** Reads that the cache or the queue answered, also with "there is nothing". */
  readonly hits: number;
  /** Reads that went to the database. */
  readonly misses: number;
  /** Values that were read from the database and not put into the cache, since a write came in between. */
  readonly refusedFills: number;
  readonly failures: number;
  /** Writes that the database has yet to take. */
  readonly queued: number;
  /** Acknowledged writes that it never took. */
  readonly lost: number;
}

/**
 * A database whose values are read from a cache where it has them. Lists are not cached: `append`, `getRange` and
 * `getLength` go to the database.
 *
 * After a write has resolved, no read of this instance answers anything older; with `write-through` and
 * `read-through`, no read of any instance on the same cache does. The cache may fail once it is connected: then the
 * database answers.
 */
export interface CachedDatabase extends DatabaseBackend {
  /** Connects cache and database; fails when either does. */
  connect(): Promise<void>;
  /** Flushes, and leaves cache and database to whoever made them. */
  disconnect(): Promise<void>;
  /**
   * Resolves once the database has taken what was queued when it was called.
   *
   * @throws {StorageError} the database's failure, after `writeBehind.retries` more attempts; what is queued stays so
   */
  flush(): Promise<void>;
  stats(): CachingStats;
}
