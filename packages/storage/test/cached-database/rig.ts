import {
  createCacheBackend,
  createCachedDatabase,
  createDatabaseBackend,
  createMemoryBackend,
  type Backend,
  type CacheBackend,
  type CachedDatabase,
  type CachedDatabaseOptions,
  type CachingFailure,
  type DatabaseBackend,
} from '../../src';
import { FakeClock } from '../../src/testing';

type Methods<T> = Extract<keyof T, string>;

interface Hold {
  readonly when: 'before' | 'after';
  readonly arrive: () => void;
  readonly released: Promise<void>;
}

export interface Held {
  /** Resolves once a call has got there. */
  readonly arrived: Promise<void>;
  readonly release: () => void;
}

/** Stands before an object whose methods a test holds up, makes fail and counts. */
export class Watched<T extends object> {
  readonly calls: string[] = [];
  readonly proxy: T;
  readonly #holds = new Map<string, Hold[]>();
  readonly #failures = new Map<string, Error>();

  constructor(target: T) {
    this.proxy = new Proxy(target, {
      get: (_, name) => {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== 'function' || typeof name !== 'string') return member;
        return (...args: unknown[]) => this.#call(target, name, member as never, args);
      },
    });
  }

  count(name: Methods<T>): number {
    return this.calls.filter((call) => call === name).length;
  }

  /** Holds the next call up: before it is made, or before its answer arrives. */
  hold(name: Methods<T>, when: 'before' | 'after' = 'after'): Held {
    let arrive = (): void => undefined;
    let release = (): void => undefined;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const released = new Promise<void>((resolve) => (release = resolve));
    const holds = this.#holds.get(name) ?? [];
    this.#holds.set(name, holds);
    holds.push({ when, arrive, released });
    return { arrived, release };
  }

  /** Until it is told otherwise. */
  fail(error: Error | undefined, ...names: Methods<T>[]): void {
    for (const name of names) {
      if (error === undefined) this.#failures.delete(name);
      else this.#failures.set(name, error);
    }
  }

  async #call(
    target: T,
    name: string,
    member: (...args: unknown[]) => unknown,
    args: unknown[],
  ): Promise<unknown> {
    this.calls.push(name);
    const hold = this.#holds.get(name)?.shift();
    if (hold?.when === 'before') {
      hold.arrive();
      await hold.released;
    }
    const failure = this.#failures.get(name);
    if (failure !== undefined) throw failure;
    const answer: unknown = await member.apply(target, args);
    if (hold?.when === 'after') {
      hold.arrive();
      await hold.released;
    }
    return answer;
  }
}

/** A cache and a database in memory, which several instances may share. */
export class Rig {
  readonly clock = new FakeClock();
  readonly database: Watched<DatabaseBackend>;
  readonly cacheBackend: Watched<Backend>;
  readonly databaseBackend: Backend;
  readonly cache: CacheBackend;
  readonly failures: (CachingFailure & { readonly error: Error })[] = [];

  constructor() {
    const { clock } = this;
    this.cacheBackend = new Watched(createMemoryBackend({ clock, sweepIntervalMs: 0 }));
    this.cache = createCacheBackend(this.cacheBackend.proxy, { clock });
    this.databaseBackend = createMemoryBackend({ clock, sweepIntervalMs: 0, maxValueBytes: 1_000_000 });
    this.database = new Watched(createDatabaseBackend(this.databaseBackend));
  }

  async open(
    strategy: CachedDatabaseOptions['strategy'],
    options: Partial<CachedDatabaseOptions> = {},
  ): Promise<CachedDatabase> {
    const cached = createCachedDatabase({
      cache: this.cache,
      database: this.database.proxy,
      strategy,
      ttlSeconds: 60,
      onError: (error, context) => this.failures.push({ error, ...context }),
      ...options,
    });
    await cached.connect();
    return cached;
  }
}
