import type { CacheEntries, CacheEntry } from './cache-entries';
import type { Content } from './content';
import type { CachingFailure } from './cached-database';
import type { Invalidations } from './invalidations';
import { LateOpening } from './late-opening';

/** Of keys whose older value could not be taken out of the cache. Beyond, nothing in it is trusted until it is cleared. */
const MAX_DOUBTFUL = 10_000;

const UNKNOWN: CacheEntry = { mark: 'unknown' };

export interface CacheSideOptions {
  readonly open: () => Promise<void>;
  readonly now: () => number;
  readonly entries: CacheEntries;
  readonly invalidations: Invalidations | undefined;
  readonly report: ReportFailure;
}

export type ReportFailure = (error: Error, context: CachingFailure) => void;

/** The cache, which may fail: then it knows nothing, and what it may hold wrongly is not asked for. */
export class CacheSide {
  readonly #entries: CacheEntries;
  readonly #report: ReportFailure;
  readonly #invalidations: Invalidations | undefined;
  readonly #opening: LateOpening;
  readonly #hearing: LateOpening;
  /** By the number of the doubt. */
  readonly #doubtful = new Map<string, number>();
  #doubts = 0;
  /** The number of the doubt in all that it holds. */
  #doubtInAll: number | undefined;
  #clearing: Promise<void> | undefined;

  constructor({ open, now, entries, invalidations, report }: CacheSideOptions) {
    this.#entries = entries;
    this.#invalidations = invalidations;
    this.#report = report;
    this.#opening = new LateOpening(open, now, (error) =>
      report(error, { operation: 'read', keys: [], isLost: false }),
    );
    this.#hearing = new LateOpening(
      async () => {
        await invalidations?.start();
      },
      now,
      (error) => {
        report(error, { operation: 'invalidate', keys: [], isLost: false });
        // What others write meanwhile is not heard of.
        this.#doubtAll();
      },
    );
  }

  /**
   * Resolves also where the cache cannot be reached, which is then looked for again.
   *
   * @throws {StorageError} as opening a backend, but for `UNAVAILABLE`
   */
  async connect(): Promise<void> {
    await this.#opening.open();
    await this.#hearing.open();
  }

  async disconnect(): Promise<void> {
    await Promise.all([this.#opening.end(), this.#hearing.end()]);
    await this.#invalidations?.stop();
  }

  /** A mark for every key that the cache cannot be asked for, or not be trusted with. */
  async find(keys: readonly string[]): Promise<ReadonlyMap<string, CacheEntry>> {
    await this.#clearDoubt();
    const doubtful = keys.filter((key) => this.#isDoubtful(key));
    if (doubtful.length > 0 && this.#doubtInAll === undefined) await this.#drop(doubtful);
    const known = keys.filter((key) => !this.#isDoubtful(key));
    const found =
      known.length === 0 ? undefined : await this.#attempt('read', known, () => this.#entries.find(known));
    const entries = found ?? new Map<string, CacheEntry>(known.map((key) => [key, UNKNOWN]));
    for (const key of keys) if (this.#isDoubtful(key)) entries.set(key, UNKNOWN);
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
    const doubts = this.#doubts;
    try {
      await this.#opening.open();
      await this.#entries.clear();
      this.#trustFrom(doubts);
    } catch (error) {
      this.#doubtAll();
      throw error;
    } finally {
      // Others may have caches of their own.
      await this.#tell(undefined);
    }
  }

  /** What another instance has written is taken out, where this cache is not the other's as well. */
  async forget(keys: readonly string[] | undefined): Promise<void> {
    if (keys !== undefined) return this.#drop(keys);
    this.#doubtAll();
    await this.#clearDoubt();
  }

  #isDoubtful(key: string): boolean {
    return this.#doubtInAll !== undefined || this.#doubtful.has(key);
  }

  #doubtAll(): void {
    this.#doubtful.clear();
    this.#doubtInAll = this.#doubts += 1;
  }

  /** What was doubted up to then is gone. */
  #trustFrom(doubts: number): void {
    if (this.#doubtInAll !== undefined && this.#doubtInAll <= doubts) this.#doubtInAll = undefined;
    for (const [key, doubt] of this.#doubtful) if (doubt <= doubts) this.#doubtful.delete(key);
  }

  /** One clearing for all who find the cache in doubt. */
  async #clearDoubt(): Promise<void> {
    if (this.#doubtInAll === undefined) return;
    this.#clearing ??= this.#clearAll().finally(() => {
      this.#clearing = undefined;
    });
    await this.#clearing;
  }

  async #clearAll(): Promise<void> {
    // As long as others' writes are not heard of, it would be in doubt again.
    if (!this.#hearing.isOpen) return;
    const doubts = this.#doubts;
    const isDone = await this.#attempt('invalidate', [], async () => {
      await this.#entries.clear();
      return true;
    });
    if (isDone === true) this.#trustFrom(doubts);
  }

  async #drop(keys: readonly string[]): Promise<void> {
    const doubts = this.#doubts;
    const isDone = await this.#attempt('invalidate', keys, async () => {
      await this.#entries.drop(keys);
      return true;
    });
    for (const key of keys) {
      if (isDone !== true) this.#doubtful.set(key, (this.#doubts += 1));
      // Not what has come into doubt since.
      else if ((this.#doubtful.get(key) ?? Infinity) <= doubts) this.#doubtful.delete(key);
    }
    if (this.#doubtful.size > MAX_DOUBTFUL) this.#doubtAll();
  }

  async #tell(keys: readonly string[] | undefined): Promise<void> {
    if (this.#invalidations === undefined || !this.#hearing.isOpen) return;
    await this.#attempt('invalidate', keys ?? [], async () => this.#invalidations?.tell(keys));
  }

  async #attempt<T>(
    operation: CachingFailure['operation'],
    keys: readonly string[],
    run: () => Promise<T>,
  ): Promise<T | undefined> {
    if (!this.#opening.isOpen) return undefined;
    try {
      return await run();
    } catch (error) {
      this.#report(error as Error, { operation, keys, isLost: false });
      return undefined;
    }
  }
}
