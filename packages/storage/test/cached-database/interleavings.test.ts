import fc from 'fast-check';
import {
  createCacheBackend,
  createCachedDatabase,
  createDatabaseBackend,
  createMemoryBackend,
  type CachedDatabase,
  type CachingStrategy,
} from '../../src';

jest.setTimeout(60_000);

const KEYS = ['a', 'b'];

type Step =
  | { readonly type: 'get' | 'set' | 'delete' | 'exists'; readonly key: string }
  | { readonly type: 'mget' | 'mset' };

interface Done {
  readonly type: 'read' | 'write';
  readonly key: string;
  /** Written or read: each write has a number of its own; 0 is nothing. */
  readonly value: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constantFrom('get' as const, 'set' as const),
      key: fc.constantFrom(...KEYS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('delete' as const), key: fc.constantFrom(...KEYS) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('mget' as const, 'mset' as const) }) },
);

/** Every call of cache and database begins and ends when the scheduler says so. */
function scheduled<T extends object>(target: T, scheduler: fc.Scheduler, names: readonly string[]): T {
  return new Proxy(target, {
    get: (_, name) => {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      const call = member as (...args: unknown[]) => unknown;
      if (!names.includes(String(name))) return call.bind(target);
      return async (...args: unknown[]) => {
        await scheduler.schedule(Promise.resolve(), `${String(name)} begins`);
        const answer = await call.apply(target, args);
        await scheduler.schedule(Promise.resolve(), `${String(name)} ends`);
        return answer;
      };
    },
  });
}

async function play(
  scheduler: fc.Scheduler,
  strategy: CachingStrategy,
  actors: readonly (readonly Step[])[],
  instances: number,
): Promise<{ history: Done[]; ends: number[][] }> {
  const cacheBackend = createMemoryBackend({ sweepIntervalMs: 0 });
  const databaseBackend = createMemoryBackend({ sweepIntervalMs: 0 });
  const plain = createDatabaseBackend(databaseBackend);
  await cacheBackend.open();
  await plain.connect();
  const cache = createCacheBackend(scheduled(cacheBackend, scheduler, ['getMany', 'batch']));
  const database = scheduled(plain, scheduler, ['get', 'set', 'delete', 'mget', 'mset', 'exists']);
  const all: CachedDatabase[] = [];
  for (let index = 0; index < instances; index += 1) {
    const one = createCachedDatabase({ cache, database, strategy, ttlSeconds: 60 });
    await one.connect();
    all.push(one);
  }
  const history: Done[] = [];
  let time = 0;
  let values = 0;
  const act = async (steps: readonly Step[], instance: CachedDatabase): Promise<void> => {
    for (const one of steps) {
      const startedAt = ++time;
      const reads = (found: readonly [key: string, value: unknown][]): void => {
        const endedAt = ++time;
        for (const [key, value] of found)
          history.push({ type: 'read', key, value: Number(value ?? 0), startedAt, endedAt });
      };
      const writes = async (
        written: readonly [key: string, value: number][],
        write: () => Promise<unknown>,
      ) => {
        await write();
        const endedAt = ++time;
        for (const [key, value] of written) history.push({ type: 'write', key, value, startedAt, endedAt });
      };
      const value = ++values;
      switch (one.type) {
        case 'get':
          reads([[one.key, await instance.get(one.key)]]);
          break;
        case 'mget': {
          const found = await instance.mget(KEYS);
          reads(KEYS.map((key, index) => [key, found[index]]));
          break;
        }
        case 'set':
          await writes([[one.key, value]], () => instance.set(one.key, value));
          break;
        case 'mset':
          await writes(
            KEYS.map((key) => [key, value]),
            () => instance.mset(KEYS.map((key) => [key, value])),
          );
          break;
        case 'delete':
          await writes([[one.key, 0]], () => instance.delete(one.key));
          break;
        case 'exists':
          await instance.exists(one.key);
      }
    }
  };
  await scheduler.waitFor(Promise.all(actors.map((steps, index) => act(steps, all[index % instances]!))));
  await scheduler.waitFor(Promise.all(all.map((one) => one.flush())));
  const ends = await scheduler.waitFor(
    Promise.all(
      [plain, ...all].map(async (one) => {
        const found: number[] = [];
        for (const key of KEYS) found.push(Number((await one.get(key)) ?? 0));
        return found;
      }),
    ),
  );
  return { history, ends };
}

/** A write that had been overwritten, by one that began after it had ended, before the read began. */
function staleReads(history: readonly Done[]): Done[] {
  const writes = history.filter(({ type }) => type === 'write');
  return history.filter((read) => {
    if (read.type !== 'read') return false;
    const sources = writes.filter(({ key, value }) => key === read.key && value === read.value);
    const isOverwritten = (endedAt: number): boolean =>
      writes.some(
        (later) =>
          later.key === read.key &&
          later.value !== read.value &&
          later.startedAt > endedAt &&
          later.endedAt < read.startedAt,
      );
    const isInitial = read.value === 0 && !isOverwritten(0);
    return !isInitial && sources.every(({ endedAt }) => isOverwritten(endedAt));
  });
}

const actors = fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 4 });

describe.each([
  ['read-through', 2],
  ['write-through', 2],
  ['read-through', 1],
  ['write-through', 1],
  ['write-behind', 1],
] as const)('%s, whatever the order in which %d instances get their answers', (strategy, instances) => {
  it('answers nothing that was overwritten before, and ends with what the database has', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), actors, async (scheduler, steps) => {
        const { history, ends } = await play(scheduler, strategy, steps, instances);
        expect(staleReads(history)).toEqual([]);
        for (const end of ends) expect(end).toEqual(ends[0]);
      }),
      { numRuns: 150 },
    );
  });
});

describe('write-behind on two instances', () => {
  it('ends with what the database has', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), actors, async (scheduler, steps) => {
        const { ends } = await play(scheduler, 'write-behind', steps, 2);
        for (const end of ends) expect(end).toEqual(ends[0]);
      }),
      { numRuns: 150 },
    );
  });
});
