import type { CacheEntries, CacheEntry } from './cache-entries';
import type { Content } from './content';
import type { CachingFailure } from './cached-database';
import type { Invalidations } from './invalidations';

/** Of keys whose older value could not be taken out of the cache. Beyond, the oldest is left to its lifetime. */
const MAX_DOUBTFUL = 10_000;

const UNKNOWN: CacheEntry = { mark: 'unknown' };

export type ReportFailure = (error: Error, context: CachingFailure) => void;

/** The cache, which may fail: then it knows nothing, and what it may hold wrongly is not asked for. */
export class CacheSide {
  readonly #entries: CacheEntries;
  readonly #report: ReportFailure;
  readonly #invalidations: Invalidations | undefined;
  readonly #doubtful = new Set<string>();

  constructor(entries: CacheEntries, invalidations: Invalidations | undefined, report: ReportFailure) {
    this.#entries = entries;
    this.#invalidations = invalidations;
    this.#report = report;
  }

  /** A mark for every key that the cache cannot be asked for, or not be trusted with. */
  async find(keys: readonly string[]): Promise<ReadonlyMap<string, CacheEntry>> {
    const doubtful = keys.filter((key) => this.#doubtful.has(key));
    if (doubtful.length > 0) await this.#drop(doubtful);
    const known = keys.filter((key) => !this.#doubtful.has(key));
    const found = await this.#attempt('read', known, () => this.#entries.find(known));
    const entries = found ?? new Map<string, CacheEntry>(known.map((key) => [key, UNKNOWN]));
    for (const key of keys) if (this.#doubtful.has(key)) entries.set(key, UNKNOWN);
    return entries;
  }

  async lease(keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return (await this.#attempt('fill', keys, () => this.#entries.lease(keys))) ?? new Map();
  }

  async mark(keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return (await this.#attempt('fill', keys, () => this.#entries.mark(keys))) ?? new Map();
  }

  async release(marks: ReadonlyMap<string, string>): Promise<void> {
    await this.#attempt('fill', [...marks.keys()], () => this.#entries.release(marks));
  }

  put(key: string, content: Content): Promise<string | undefined> {
    return this.#attempt('fill', [key], () => this.#entries.put(key, content));
  }

  /** Resolves to how many were refused. */
  async fill(contents: ReadonlyMap<string, Content>, marks: ReadonlyMap<string, string>): Promise<number> {
    const refused = await this.#attempt('fill', [...marks.keys()], () => this.#entries.fill(contents, marks));
    return refused?.length ?? 0;
  }

  /** After a write: whose mark is still there is filled, everything else is taken out; and others are told. */
  async settle(
    keys: readonly string[],
    written: ReadonlyMap<string, Content>,
    marks: ReadonlyMap<string, string>,
  ): Promise<void> {
    const filled = new Set(keys.filter((key) => written.has(key) && marks.has(key)));
    if (filled.size > 0) {
      const refused = await this.#attempt('fill', [...filled], () => this.#entries.fill(written, marks));
      for (const key of refused ?? keys) filled.delete(key);
    }
    const stale = keys.filter((key) => !filled.has(key));
    if (stale.length > 0) await this.#drop(stale);
    await this.#tell(keys);
  }

  /** @throws {Error} when the cache cannot be cleared */
  async clear(): Promise<void> {
    try {
      await this.#entries.clear();
      this.#doubtful.clear();
    } finally {
      // Others may have caches of their own.
      await this.#tell(undefined);
    }
  }

  /** What another instance has written is taken out, where this cache is not the other's as well. */
  async forget(keys: readonly string[] | undefined): Promise<void> {
    if (keys === undefined) await this.#attempt('invalidate', [], () => this.#entries.clear());
    else await this.#drop(keys);
  }

  async #drop(keys: readonly string[]): Promise<void> {
    const isDone = await this.#attempt('invalidate', keys, async () => {
      await this.#entries.drop(keys);
      return true;
    });
    for (const key of keys) {
      this.#doubtful.delete(key);
      if (isDone !== true) this.#doubtful.add(key);
    }
    for (const key of this.#doubtful) {
      if (this.#doubtful.size <= MAX_DOUBTFUL) break;
      this.#doubtful.delete(key);
    }
  }

  async #tell(keys: readonly string[] | undefined): Promise<void> {
    await this.#attempt('invalidate', keys ?? [], async () => this.#invalidations?.tell(keys));
  }

  async #attempt<T>(
    operation: CachingFailure['operation'],
    keys: readonly string[],
    run: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      this.#report(error as Error, { operation, keys, isLost: false });
      return undefined;
    }
  }
}
