import type { Backend } from '../backend';
import { checkCount, checkName } from '../check-arguments';
import { CACHE_PARTS } from '../cache/create-cache-backend';
import type { DatabaseBackend, DatabaseItem } from '../database/database-backend';
import { DATABASE_PARTS } from '../database/create-database-backend';
import { StorageError } from '../errors';
import { BatchError, type BatchOutcome } from '../key-space/batch-error';
import { checkItems, checkKeys, refuseLifetime } from '../key-space/check-items';
import { Lifecycle } from '../lifecycle';
import { decodeValue, encodeValue } from '../stored-value';
import { tellProgram, warnOf } from '../tell-program';
import { CacheEntries, type CacheEntry } from './cache-entries';
import { copyOf, type Content, type KnownContent } from './content';
import { toLifetimes } from './entry-lifetimes';
import { CacheSide } from './cache-side';
import { checkCachedDatabaseOptions, partsOf } from './cached-database-shape';
import type {
  CachedDatabase,
  CachedDatabaseOptions,
  CachingFailure,
  CachingStats,
  CachingStrategy,
} from './cached-database';
import { Invalidations } from './invalidations';
import { readDatabase } from './read-database';
import { SharedReads, type ReadAnswer } from './shared-reads';
import { WriteBehind, type CheckedWrite } from './write-behind';

const MAX_QUEUED = 1_000_000;

type Entries = ReadonlyMap<string, CacheEntry>;
const NO_ENTRIES: Entries = new Map();

/**
 * Puts a cache before a database.
 *
 * @throws {StorageError} `CONFIG_INVALID` for a cache that `createCacheBackend` has not made or a strategy that there
 *   is not, `ARGUMENT_INVALID` for a lifetime that is none
 */
export function createCachedDatabase(options: CachedDatabaseOptions): CachedDatabase {
  checkCachedDatabaseOptions(options);
  return new CachingDatabase(options);
}

class CachingDatabase implements CachedDatabase {
  readonly #database: DatabaseBackend;
  readonly #maxValueBytes: number;
  readonly #strategy: CachingStrategy;
  readonly #onError: CachedDatabaseOptions['onError'];
  readonly #warned = new Set<string>();
  readonly #cache: CacheSide;
  readonly #reads = new SharedReads();
  readonly #behind: WriteBehind | undefined;
  readonly #lifecycle: Lifecycle;
  #ending: Promise<void> | undefined;
  #hits = 0;
  #misses = 0;
  #refusedFills = 0;
  #failures = 0;

  constructor(options: CachedDatabaseOptions) {
    const { cache, database, strategy, invalidateOver, writeBehind = {} } = options;
    const parts = partsOf(cache, CACHE_PARTS)!;
    if (writeBehind.maxQueued !== undefined) checkCount(writeBehind.maxQueued, 'maxQueued', MAX_QUEUED);
    this.#maxValueBytes = partsOf(database, DATABASE_PARTS)?.backend.capabilities.maxValueBytes ?? Infinity;
    this.#database = database;
    this.#strategy = strategy;
    this.#onError = options.onError;

    const report = (error: Error, context: CachingFailure): void => this.#report(error, context);
    const forget = (keys: readonly string[]): void => this.#reads.forget(keys);
    const entries = new CacheEntries(parts, nameOf(database), toLifetimes(options));
    const bus = toBus(invalidateOver);
    const invalidations =
      bus && new Invalidations(bus, parts.keyPrefix, (keys) => this.#hear(keys, bus !== parts.backend));
    const open = async (): Promise<void> => {
      await cache.connect();
      await entries.connect();
    };
    this.#cache = new CacheSide({ open, now: () => parts.clock.now(), entries, invalidations, report });
    if (strategy === 'write-behind')
      this.#behind = new WriteBehind({ database, cache: this.#cache, forget, report }, writeBehind);
    this.#lifecycle = new Lifecycle(
      'cached database',
      async () => {
        // Each has ended before a failure is told: what is opened after that, nobody would close.
        const connected = await Promise.allSettled([this.#cache.connect(), database.connect()]);
        for (const each of connected) if (each.status === 'rejected') throw each.reason;
      },
      () => this.#cache.disconnect(),
    );
  }

  connect(): Promise<void> {
    return this.#lifecycle.open();
  }

  disconnect(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async get<T>(key: string): Promise<T | undefined> {
    return (await this.mget<T>([key]))[0];
  }

  async mget<T>(keys: readonly string[]): Promise<(T | undefined)[]> {
    checkKeys(keys);
    // The caller's own may be another when the answer is there.
    const asked = [...keys];
    for (const key of asked) checkName(key, 'key');
    await this.#ready();
    const found = await this.#find([...new Set(asked)]);
    const given = new Set<string>();
    return asked.map((key) => {
      const answer = found.get(key)!;
      if (answer === 'nothing') return undefined;
      if ('failure' in answer) throw answer.failure;
      if (!given.has(key)) {
        given.add(key);
        return answer.value as T;
      }
      return (copyOf(answer) as typeof answer).value as T;
    });
  }

  async exists(key: string): Promise<boolean> {
    await this.#ready();
    checkName(key, 'key');
    const known = this.#behind?.find(key) ?? (await this.#cache.find([key])).get(key);
    if (known === 'nothing') return false;
    return (known !== undefined && 'value' in known) || this.#database.exists(key);
  }

  async set(key: string, value: unknown, ...more: unknown[]): Promise<void> {
    refuseLifetime(more[0]);
    checkName(key, 'key');
    const content = this.#toContent(value);
    await this.#ready();
    if (this.#behind !== undefined) await this.#behind.add(key, content);
    else await this.#writeThrough(new Map([[key, content]]), () => this.#database.set(key, content.value));
  }

  async delete(key: string): Promise<boolean> {
    await this.#ready();
    checkName(key, 'key');
    if (this.#behind === undefined)
      return this.#writeThrough(new Map([[key, 'nothing']]), () => this.#database.delete(key));
    const isThere = await this.exists(key);
    const before = await this.#behind.add(key, 'nothing');
    return before === undefined ? isThere : before !== 'nothing';
  }

  async mset(items: readonly DatabaseItem[]): Promise<void> {
    checkItems(items, '[key, value]');
    const checked = items.map((item) => this.#check(item));
    await this.#ready();
    if (this.#behind !== undefined) return this.#behind.addAll(checked);
    const good = checked.flatMap((one) => ('error' in one ? [] : [one]));
    const contents = new Map(good.map(({ key, content }) => [key, content]));
    const kept = good.map(({ key, content }) => [key, content.value] as const);
    const outcomes = await outcomesOf(good, () =>
      this.#writeThrough(contents, () => this.#database.mset(kept)),
    );
    if (good.length === checked.length && outcomes.every(({ status }) => status === 'written')) return;
    const answers = outcomes[Symbol.iterator]();
    throw new BatchError(
      checked.map((one) =>
        'error' in one ? { key: one.key, status: 'failed', error: one.error } : answers.next().value!,
      ),
    );
  }

  async append(key: string, ...values: unknown[]): Promise<number> {
    checkName(key, 'key');
    const kept = values.map((value) => this.#toContent(value).value);
    await this.#ready();
    await this.#behind?.flush(key);
    let isNew = true;
    try {
      const length = await this.#database.append(key, ...kept);
      isNew = length <= values.length;
      return length;
    } finally {
      // Only a list that was not there before makes wrong what the cache knows: that there is nothing.
      if (isNew) await this.#forget(key);
    }
  }

  async getRange<T>(key: string, start?: number, end?: number): Promise<T[]> {
    await this.#ready();
    await this.#behind?.flush(key);
    return this.#database.getRange<T>(key, start, end);
  }

  async getLength(key: string): Promise<number> {
    await this.#ready();
    await this.#behind?.flush(key);
    return this.#database.getLength(key);
  }

  async keys(pattern?: string): Promise<string[]> {
    await this.#ready();
    await this.#behind?.flush();
    return this.#database.keys(pattern);
  }

  async clear(): Promise<void> {
    await this.#ready();
    await this.#behind?.flush();
    try {
      await this.#database.clear();
    } finally {
      this.#reads.forgetAll();
      await this.#cache.clear();
    }
  }

  async flush(): Promise<void> {
    await this.#ready();
    await this.#behind?.flush();
  }

  stats(): CachingStats {
    return {
      hits: this.#hits,
      misses: this.#misses,
      refusedFills: this.#refusedFills,
      failures: this.#failures,
      queued: this.#behind?.size ?? 0,
      lost: this.#behind?.lost ?? 0,
    };
  }

  async #ready(): Promise<void> {
    if (this.#ending !== undefined) throw new StorageError('CLOSED', 'The cached database is disconnected.');
    if (!this.#lifecycle.isOpen) await this.#lifecycle.open();
  }

  async #end(): Promise<void> {
    try {
      await this.#behind?.end();
    } finally {
      await this.#lifecycle.close();
    }
  }

  async #find(keys: readonly string[]): Promise<Map<string, ReadAnswer>> {
    const since = this.#reads.now();
    const found = new Map<string, ReadAnswer>();
    for (const key of keys) {
      const queued = this.#behind?.find(key);
      if (queued !== undefined) found.set(key, copyOf(queued));
    }
    const asked = keys.filter((key) => !found.has(key));
    const cached = asked.length === 0 ? NO_ENTRIES : await this.#cache.find(asked);
    for (const key of asked) {
      const entry = cached.get(key);
      if (entry === 'nothing' || (entry !== undefined && 'value' in entry)) found.set(key, entry);
    }
    const missing = asked.filter((key) => !found.has(key));
    this.#hits += found.size;
    this.#misses += missing.length;
    if (missing.length > 0) await this.#findInDatabase(missing, { since, cached, found });
    return found;
  }

  async #findInDatabase(
    keys: readonly string[],
    { since, cached, found }: { since: number; cached: Entries; found: Map<string, ReadAnswer> },
  ): Promise<void> {
    const joined = new Map<string, Promise<ReadAnswer>>();
    for (const key of keys) {
      const answer = this.#reads.join(key, since, markIn(cached, key));
      if (answer !== undefined) joined.set(key, answer);
    }
    const own = keys.filter((key) => !joined.has(key));
    const reading =
      own.length === 0 ? undefined : this.#reads.start(own, (some, begin) => this.#load(some, cached, begin));
    const [answers] = await Promise.all([reading, ...joined.values()]);
    for (const [key, answer] of joined) found.set(key, await answer);
    for (const [key, answer] of answers ?? []) found.set(key, answer);
    // Several may wait for one answer, and each may change what it gets.
    for (const key of keys) {
      const answer = found.get(key)!;
      if (answer !== 'nothing' && 'value' in answer) found.set(key, copyOf(answer));
    }
  }

  async #load(
    keys: readonly string[],
    cached: Entries,
    begin: (marks: ReadonlyMap<string, string>) => void,
  ): Promise<ReadonlyMap<string, ReadAnswer>> {
    const free = keys.filter((key) => !cached.has(key));
    const leases = free.length === 0 ? new Map<string, string>() : await this.#cache.lease(free);
    const marks = new Map(leases);
    for (const key of keys) {
      const mark = markIn(cached, key);
      if (mark !== undefined) marks.set(key, mark);
    }
    begin(marks);
    const contents = new Map<string, Content>();
    try {
      const answers = await readDatabase(this.#database, keys);
      for (const [key, answer] of answers)
        if (answer === 'nothing' || 'value' in answer) contents.set(key, answer);
      return answers;
    } finally {
      const unused = new Map([...leases].filter(([key]) => !contents.has(key)));
      if (unused.size > 0) await this.#cache.release(unused);
      if (leases.size > unused.size) this.#refusedFills += await this.#cache.fill(contents, leases);
    }
  }

  /** A write whose outcome is not known takes the keys out of the cache as well. */
  async #writeThrough<T>(contents: ReadonlyMap<string, Content>, write: () => Promise<T>): Promise<T> {
    const keys = [...contents.keys()];
    const marks: ReadonlyMap<string, string> =
      this.#strategy === 'write-through' ? await this.#cache.mark(keys) : new Map<string, string>();
    const written = new Map<string, Content>();
    try {
      const answer = await write();
      for (const [key, content] of contents) written.set(key, content);
      return answer;
    } finally {
      this.#reads.forget(keys);
      await this.#cache.settle(keys, written, marks);
    }
  }

  /** A copy, which the caller cannot change while it waits; checked, since the queue has nobody to tell. */
  #toContent(value: unknown): KnownContent {
    return { value: decodeValue(encodeValue(value, this.#maxValueBytes)) };
  }

  #check(item: DatabaseItem): CheckedWrite {
    const [key, value] = item;
    try {
      refuseLifetime((item as readonly unknown[])[2]);
      checkName(key, 'key');
      return { key, content: this.#toContent(value) };
    } catch (error) {
      return { key, error: error as Error };
    }
  }

  async #forget(key: string): Promise<void> {
    this.#reads.forget([key]);
    await this.#cache.settle([key], new Map(), new Map());
  }

  #hear(keys: readonly string[] | undefined, isOwnCache: boolean): void {
    if (keys === undefined) this.#reads.forgetAll();
    else this.#reads.forget(keys);
    if (isOwnCache) void this.#cache.forget(keys);
  }

  #report(error: Error, context: CachingFailure): void {
    this.#failures += 1;
    if (this.#onError === undefined) {
      if (this.#warned.has(context.operation) && !context.isLost) return;
      this.#warned.add(context.operation);
      warnOf(error);
      return;
    }
    tellProgram(() => this.#onError?.(error, context));
  }
}

/** What became of each; rejects where nobody knows. */
async function outcomesOf(
  writes: readonly { readonly key: string }[],
  write: () => Promise<void>,
): Promise<readonly BatchOutcome[]> {
  try {
    if (writes.length > 0) await write();
    return writes.map(({ key }) => ({ key, status: 'written' }));
  } catch (error) {
    if (error instanceof BatchError) return error.outcomes;
    throw error;
  }
}

function markIn(cached: Entries, key: string): string | undefined {
  const entry = cached.get(key);
  return entry !== undefined && entry !== 'nothing' && 'mark' in entry ? entry.mark : undefined;
}

/** Where it is one of ours; others share what is cached under one prefix. */
function nameOf(database: DatabaseBackend): string | undefined {
  const parts = partsOf(database, DATABASE_PARTS);
  return parts && `${parts.backend.name}:${parts.keyPrefix}`;
}

function toBus(over: CachedDatabaseOptions['invalidateOver']): Backend | undefined {
  if (over === undefined) return undefined;
  const bus = (partsOf(over, CACHE_PARTS) ?? partsOf(over, DATABASE_PARTS))?.backend ?? (over as Backend);
  if ((bus as Partial<Backend>).capabilities?.publish === true) return bus;
  throw new StorageError(
    'CONFIG_INVALID',
    `"invalidateOver" has to be a backend that can publish; see its capabilities.`,
  );
}
