import assert from 'node:assert/strict';
import {
  createCacheBackend,
  createDatabaseBackend,
  type Backend,
  type CacheBackend,
  type DatabaseBackend,
} from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import fc from 'fast-check';

const KEYS = ['a', 'a:1', 'a:2', 'b', '*', 'é', '\u{1F600}', '\uFFFF', '__proto__', '\0'];
const PATTERNS = ['*', 'a*', 'a:?', '\\*', '?', 'b', 'none*'];

const key = fc.constantFrom(...KEYS);
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }).map((json) => JSON.parse(JSON.stringify(json)) as unknown),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => Uint8Array.from(bytes)),
);
const role = fc.constantFrom('cache' as const, 'database' as const);
const index = fc.integer({ min: -6, max: 6 });

const command = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      role,
      key,
      value,
      ttl: fc.option(fc.constantFrom(0.005, 1, 10)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('mset' as const),
      role,
      items: fc.array(fc.tuple(key, value), { maxLength: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      key,
      values: fc.array(value, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), role, key }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('getRange' as const), key, start: index, end: index }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('keys' as const), role, pattern: fc.constantFrom(...PATTERNS) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      ms: fc.constantFrom(1, 4, 5, 999, 1_000, 9_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), role }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);

type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;

interface Kept {
  readonly value?: unknown;
  readonly list?: unknown[];
  readonly expiresAt: number;
}

/** What a cache or a database is, in the plainest of words. */
class Oracle {
  readonly kept = new Map<string, Kept>();
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  find(name: string): Kept | undefined {
    const found = this.kept.get(name);
    return found !== undefined && found.expiresAt > this.#clock.now() ? found : undefined;
  }

  set(name: string, content: unknown, ttl: number | null): void {
    const expiresAt = ttl === null ? Infinity : this.#clock.now() + ttl * 1_000;
    this.kept.set(name, { value: content, expiresAt });
  }

  keys(pattern: string): string[] {
    const expression = pattern.replaceAll(/\\(.)|(\*)|(\?)/g, (_, literal: string | undefined, star) =>
      literal === undefined ? (star === undefined ? '[^]' : '[^]*') : `\\${literal}`,
    );
    return KEYS.filter((name) => this.find(name) && new RegExp(`^${expression}$`, 'u').test(name)).sort(
      (one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)),
    );
  }
}

interface Engine {
  readonly open: (clock: FakeClock) => Promise<Backend>;
  /** On the same data; without it, a restart is one of the roles alone. */
  readonly another?: ((clock: FakeClock) => Promise<Backend>) | undefined;
}

interface Pair {
  readonly cache: CacheBackend;
  readonly database: DatabaseBackend;
}

/** Plays random commands against a cache and a database that share a backend and a prefix, and against maps. */
export async function checkAgainstModel(engine: Engine, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 30 }), async (commands) => {
      const clock = new FakeClock();
      const oracles = { cache: new Oracle(clock), database: new Oracle(clock) };
      let backend = await engine.open(clock);
      const connect = (): Pair => ({
        cache: createCacheBackend(backend, { keyPrefix: 'model:', clock, ownsBackend: false }),
        database: createDatabaseBackend(backend, { keyPrefix: 'model:', ownsBackend: false }),
      });
      let roles = connect();
      try {
        for (const one of commands) {
          if (one.do === 'advance') clock.advance(one.ms);
          else if (one.do === 'restart') {
            await Promise.all([roles.cache.disconnect(), roles.database.disconnect()]);
            if (engine.another !== undefined) {
              await backend.close();
              backend = await engine.another(clock);
            }
            roles = connect();
          } else await play(one, roles, oracles);
        }
        await compareAll(roles, oracles);
      } finally {
        await backend.close();
      }
    }),
    { numRuns },
  );
}

async function play(
  one: Exclude<Command, { do: 'advance' | 'restart' }>,
  roles: Pair,
  oracles: { readonly cache: Oracle; readonly database: Oracle },
): Promise<void> {
  const { database } = oracles;
  switch (one.do) {
    case 'set':
      if (one.role === 'database' || one.ttl === null) await roles[one.role].set(one.key, one.value);
      else await roles.cache.set(one.key, one.value, one.ttl);
      oracles[one.role].set(one.key, one.value, one.role === 'cache' ? one.ttl : null);
      break;
    case 'mset':
      await roles[one.role].mset(one.items);
      for (const [name, content] of one.items) oracles[one.role].set(name, content, null);
      break;
    case 'append': {
      const there = database.find(one.key);
      const appending = roles.database.append(one.key, ...one.values);
      if (there !== undefined && there.list === undefined) {
        await assert.rejects(appending, { code: 'WRONG_TYPE' });
        break;
      }
      const list = [...(there?.list ?? []), ...one.values];
      assert.equal(await appending, list.length);
      database.kept.set(one.key, { list, expiresAt: Infinity });
      break;
    }
    case 'delete':
      assert.equal(await roles[one.role].delete(one.key), oracles[one.role].find(one.key) !== undefined);
      oracles[one.role].kept.delete(one.key);
      break;
    case 'getRange': {
      const there = database.find(one.key);
      const ranging = roles.database.getRange(one.key, one.start, one.end);
      if (there !== undefined && there.list === undefined) {
        await assert.rejects(ranging, { code: 'WRONG_TYPE' });
        break;
      }
      const list = there?.list ?? [];
      const at = (position: number): number => (position < 0 ? list.length + position : position);
      const expected = list.filter((_, position) => position >= at(one.start) && position <= at(one.end));
      assert.deepEqual(await ranging, expected);
      break;
    }
    case 'keys':
      assert.deepEqual(await roles[one.role].keys(one.pattern), oracles[one.role].keys(one.pattern));
      break;
    case 'clear':
      await roles[one.role].clear();
      oracles[one.role].kept.clear();
  }
}

async function compareAll(
  roles: Pair,
  oracles: { readonly cache: Oracle; readonly database: Oracle },
): Promise<void> {
  for (const name of ['cache', 'database'] as const) {
    assert.deepEqual(await roles[name].keys(), oracles[name].keys('*'));
    for (const one of KEYS) {
      const expected = oracles[name].find(one);
      assert.equal(await roles[name].exists(one), expected !== undefined);
      if (expected?.list === undefined) assert.deepEqual(await roles[name].get(one), expected?.value);
      else {
        assert.deepEqual(await roles.database.getRange(one), expected.list);
        assert.equal(await roles.database.getLength(one), expected.list.length);
      }
    }
  }
}
