import {
  createCacheBackend,
  createCachedDatabase,
  createDatabaseBackend,
  createMemoryBackend,
  StorageError,
  type CachedDatabaseOptions,
} from '../../src';
import { Rig, Watched } from './rig';

const down = new StorageError('UNAVAILABLE', 'The server is down.');
let rig: Rig;

beforeEach(() => {
  rig = new Rig();
});

const both = ['read-through', 'write-through'] as const;

describe.each(both)('%s', (strategy) => {
  it('reads from the database once, and then from the cache until it forgets', async () => {
    const cached = await rig.open(strategy);
    await rig.database.proxy.set('a', { n: 1 });
    for (let index = 0; index < 3; index += 1) expect(await cached.get('a')).toEqual({ n: 1 });
    expect(rig.database.count('get')).toBe(1);
    rig.clock.advance(60_000);
    expect(await cached.get('a')).toEqual({ n: 1 });
    expect(rig.database.count('get')).toBe(2);
    expect(cached.stats()).toMatchObject({ hits: 2, misses: 2 });
  });

  it('never caches a value that was read before a write and arrives after it', async () => {
    // The classic stale set: without the lease, the cache would hold 1 for a minute.
    const reader = await rig.open(strategy);
    const writer = await rig.open(strategy);
    await rig.database.proxy.set('a', 1);
    const slow = rig.database.hold('get');
    const reading = reader.get('a');
    await slow.arrived;
    await writer.set('a', 2);
    slow.release();
    expect(await reading).toBe(1);
    expect([await reader.get('a'), await writer.get('a')]).toEqual([2, 2]);
    expect(reader.stats().refusedFills).toBe(1);
  });

  it('lets nobody join a read that began before a write of another instance ended', async () => {
    const reader = await rig.open(strategy);
    const writer = await rig.open(strategy);
    await rig.database.proxy.set('a', 1);
    const slow = rig.database.hold('get');
    const early = reader.get('a');
    await slow.arrived;
    await writer.set('a', 2);
    const late = reader.get('a');
    slow.release();
    expect([await early, await late]).toEqual([1, 2]);
  });

  it('leaves no value of two who write at once, but what the database has', async () => {
    const one = await rig.open(strategy);
    const other = await rig.open(strategy);
    const slow = rig.database.hold('set', 'before');
    const first = one.set('a', 'first to begin');
    await slow.arrived;
    await other.set('a', 'first to arrive');
    slow.release();
    await first;
    expect(await rig.database.proxy.get('a')).toBe('first to begin');
    expect([await one.get('a'), await other.get('a')]).toEqual(['first to begin', 'first to begin']);
  });

  it('takes a key out of the cache when it cannot know whether a write happened', async () => {
    const cached = await rig.open(strategy);
    await cached.set('a', 1);
    await cached.get('a');
    const lost = rig.database.hold('set', 'after');
    const writing = cached.set('a', 2);
    await lost.arrived;
    rig.database.fail(down, 'set');
    lost.release();
    await writing;
    rig.database.fail(down, 'set', 'mset', 'delete');
    await rig.databaseBackend.set({ partition: 'elsewhere', key: 'x' }, 1);
    for (const write of [() => cached.set('a', 3), () => cached.mset([['a', 3]]), () => cached.delete('a')]) {
      await expect(write()).rejects.toBe(down);
      const before = rig.database.count('get');
      await cached.get('a');
      expect(rig.database.count('get')).toBe(before + 1);
    }
  });

  it('asks the database once for all who want a key at the same time, and gives each a copy', async () => {
    const cached = await rig.open(strategy);
    await rig.database.proxy.set('a', { n: 1 });
    const slow = rig.database.hold('get');
    const reading = Array.from({ length: 50 }, () => cached.get('a'));
    await slow.arrived;
    const late = Array.from({ length: 50 }, () => cached.get('a'));
    const among = cached.mget(['a', 'b']);
    await Promise.resolve();
    slow.release();
    const found = (await Promise.all([...reading, ...late])) as { n: number }[];
    expect(await among).toEqual([{ n: 1 }, undefined]);
    expect(rig.database.count('get')).toBeLessThanOrEqual(2);
    found[0]!.n = 7;
    expect(found.slice(1)).toEqual(Array.from({ length: 99 }, () => ({ n: 1 })));
    expect(await cached.get('a')).toEqual({ n: 1 });
  });

  it('rejects all who wait when the database fails, and asks anew afterwards', async () => {
    const cached = await rig.open(strategy);
    await rig.database.proxy.set('a', 1);
    rig.database.fail(down, 'get');
    const reads = await Promise.allSettled([cached.get('a'), cached.get('a')]);
    expect(reads).toEqual([
      { status: 'rejected', reason: down },
      { status: 'rejected', reason: down },
    ]);
    rig.database.fail(undefined, 'get');
    const before = rig.database.count('get');
    expect([await cached.get('a'), await cached.get('a')]).toEqual([1, 1]);
    expect(rig.database.count('get')).toBe(before + 1);
  });

  it('knows for a while that there is nothing, until something is written', async () => {
    const cached = await rig.open(strategy, { negativeTtlSeconds: 5 });
    for (let index = 0; index < 3; index += 1) expect(await cached.get('a')).toBeUndefined();
    expect(await cached.exists('a')).toBe(false);
    expect(rig.database.calls).toEqual(expect.arrayContaining(['get']));
    expect(rig.database.count('get')).toBe(1);
    expect(rig.database.count('exists')).toBe(0);
    rig.clock.advance(5_000);
    await cached.get('a');
    expect(rig.database.count('get')).toBe(2);
    await cached.set('a', null);
    expect([await cached.get('a'), await cached.exists('a')]).toEqual([null, true]);
    await cached.delete('a');
    await cached.append('a', 'element');
    await expect(cached.get('a')).rejects.toMatchObject({ code: 'WRONG_TYPE' });
    expect(await cached.exists('a')).toBe(true);
  });

  it('asks every time whether there is something, with negativeTtlSeconds 0', async () => {
    const cached = await rig.open(strategy, { negativeTtlSeconds: 0 });
    await cached.get('a');
    await cached.get('a');
    expect(rig.database.count('get')).toBe(2);
    await rig.database.proxy.set('a', 1);
    expect(await cached.get('a')).toBe(1);
  });

  it('tells a value that looks like one of its own marks from these', async () => {
    const cached = await rig.open(strategy);
    for (const value of ['pending', [], [1], [[]], Uint8Array.of(1)]) {
      await cached.set('a', value);
      expect([await cached.get('a'), await cached.get('a')]).toEqual([value, value]);
    }
  });

  it('is not mixed up with what the same cache keeps otherwise', async () => {
    const cached = await rig.open(strategy);
    await cached.set('a', 1);
    await cached.get('a');
    expect(await rig.cache.get('a')).toBeUndefined();
    await rig.cache.set('a', 'mine');
    await cached.clear();
    expect([await rig.cache.get('a'), await cached.get('a')]).toEqual(['mine', undefined]);
  });

  it('writes what was given, not what becomes of it meanwhile', async () => {
    const cached = await rig.open(strategy);
    const value = { n: 1 };
    const writing = [
      cached.set('a', value),
      cached
        .mset([
          ['b', value],
          ['c', undefined],
          ['d', value],
        ])
        .catch(() => undefined),
      cached.append('l', value),
    ];
    value.n = 2;
    await Promise.all(writing);
    for (const from of [cached, rig.database.proxy]) {
      expect(await from.mget(['a', 'b', 'd'])).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
      expect(await from.getRange('l')).toEqual([{ n: 1 }]);
    }
    const keys = ['a', 'b'];
    const reading = cached.mget(keys);
    keys.push('e');
    expect(await reading).toHaveLength(2);
  });

  it('is not mixed up with another database behind the same cache', async () => {
    const [users, orders] = ['users:', 'orders:'].map((keyPrefix) =>
      createCachedDatabase({
        cache: rig.cache,
        database: createDatabaseBackend(rig.databaseBackend, { keyPrefix }),
        strategy,
        ttlSeconds: 60,
      }),
    );
    await users!.set('1', 'ann');
    expect([await users!.get('1'), await orders!.get('1')]).toEqual(['ann', undefined]);
    await orders!.set('1', 'a book');
    expect([await users!.get('1'), await orders!.get('1')]).toEqual(['ann', 'a book']);
    await orders!.clear();
    expect([await users!.get('1'), await orders!.get('1')]).toEqual(['ann', undefined]);
  });

  it('goes on with the database alone while the cache fails, and says so', async () => {
    const cached = await rig.open(strategy);
    await cached.set('a', 1);
    await cached.get('a');
    rig.cacheBackend.fail(down, 'getMany', 'batch');
    expect(await cached.get('a')).toBe(1);
    await cached.set('a', 2);
    expect(await cached.get('a')).toBe(2);
    await cached.mset([['b', 3]]);
    expect(await cached.mget(['a', 'b'])).toEqual([2, 3]);
    expect(rig.failures.map(({ operation, isLost }) => [operation, isLost])).toContainEqual([
      'invalidate',
      false,
    ]);
  });

  it('does not answer from a cache that could not be told of a write, once it is back', async () => {
    const cached = await rig.open(strategy);
    await cached.set('a', 1);
    expect(await cached.get('a')).toBe(1);
    rig.cacheBackend.fail(down, 'batch');
    await cached.set('a', 2);
    expect(await cached.get('a')).toBe(2);
    rig.cacheBackend.fail(undefined, 'batch');
    expect([await cached.get('a'), await cached.get('a')]).toEqual([2, 2]);
    // Another instance cannot know, and answers what is in the cache for its lifetime at most.
    expect(await (await rig.open(strategy)).get('a')).toBe(2);
  });

  it('forgets someone who marked a key and died', async () => {
    const dead = await rig.open(strategy);
    const cached = await rig.open(strategy);
    await rig.database.proxy.set('a', 1);
    const slow = rig.database.hold('get', 'before');
    void dead.get('a');
    await slow.arrived;
    await cached.get('a');
    await cached.get('a');
    expect(rig.database.count('get')).toBe(3);
    rig.clock.advance(10_000);
    await cached.get('a');
    await cached.get('a');
    expect(rig.database.count('get')).toBe(4);
    slow.release();
  });

  it('fails to connect where the database does, and tries again', async () => {
    const cached = createCachedDatabase({
      ...{ cache: rig.cache, database: rig.database.proxy, strategy, ttlSeconds: 1 },
    });
    rig.database.fail(down, 'connect');
    await expect(cached.get('a')).rejects.toBe(down);
    rig.database.fail(undefined, 'connect');
    expect(await cached.get('a')).toBeUndefined();
  });

  it('goes by the database while the cache is not there at its start, and looks for it each second', async () => {
    const failures: string[] = [];
    const cached = createCachedDatabase({
      ...{ cache: rig.cache, database: rig.database.proxy, strategy, ttlSeconds: 60 },
      onError: (error, { operation }) => void failures.push(`${operation}: ${error.message}`),
    });
    rig.cacheBackend.fail(down, 'open');
    await cached.connect();
    await cached.set('a', 1);
    expect([await cached.get('a'), await cached.exists('a')]).toEqual([1, true]);
    expect(failures).toEqual(['read: The server is down.']);
    rig.cacheBackend.fail(undefined, 'open');
    rig.clock.advance(1_000);
    await cached.get('a');
    await new Promise(setImmediate);
    await cached.get('a');
    const before = rig.database.count('get');
    expect(await cached.get('a')).toBe(1);
    expect(rig.database.count('get')).toBe(before);
  });

  it('says what is wrong with a cache that is there and refuses', async () => {
    const refusal = new StorageError('ACCESS_DENIED', 'The password is wrong.');
    rig.cacheBackend.fail(refusal, 'open');
    const options = { cache: rig.cache, database: rig.database.proxy, strategy, ttlSeconds: 1 };
    await expect(createCachedDatabase(options).connect()).rejects.toBe(refusal);
  });

  it('trusts nothing that is cached once more keys were written than it can remember', async () => {
    const cached = await rig.open(strategy, { onError: () => undefined });
    const items = Array.from({ length: 10_500 }, (_, n) => [`k${n}`, 1] as const);
    await cached.mset(items);
    await cached.mget(items.map(([key]) => key));
    rig.cacheBackend.fail(down, 'batch', 'set', 'delete', 'getMany');
    await cached.mset(items.map(([key]) => [key, 2]));
    rig.cacheBackend.fail(undefined, 'batch', 'set', 'delete', 'getMany');
    const found = await cached.mget(items.map(([key]) => key));
    expect(new Set(found)).toEqual(new Set([2]));
  });

  it('writes no item that was refused, whatever the caller makes of it afterwards', async () => {
    const cached = await rig.open(strategy);
    await cached.set('k', 'old');
    const items: [string, unknown][] = [
      ['a', 1],
      ['k', undefined],
    ];
    const made = cached.mset(items);
    items[1]![1] = 'new';
    await expect(made).rejects.toMatchObject({
      code: 'BATCH_FAILED',
      outcomes: [
        { key: 'a', status: 'written' },
        { key: 'k', status: 'failed', error: { code: 'VALUE_INVALID' } },
      ],
    });
    expect([await cached.get('k'), await rig.database.proxy.get('k')]).toEqual(['old', 'old']);
  });

  it('leaves the cache and the database to others when it is disconnected', async () => {
    const cached = await rig.open(strategy);
    await cached.set('a', 1);
    await cached.disconnect();
    await expect(cached.get('a')).rejects.toMatchObject({ code: 'CLOSED' });
    expect(await rig.database.proxy.get('a')).toBe(1);
  });
});

describe('read-through', () => {
  it('keeps a key in doubt that came into doubt while an earlier removal was not answered', async () => {
    const cached = await rig.open('read-through', { onError: () => undefined });
    await rig.database.proxy.set('a', 0);
    await cached.get('a');
    // The first removal has no answer yet; the second fails, and another instance has filled the key in between.
    const first = rig.cacheBackend.hold('batch');
    const removing = cached.set('a', 1);
    await first.arrived;
    const other = await rig.open('read-through');
    await other.get('a');
    rig.cacheBackend.fail(down, 'batch', 'set', 'delete');
    await cached.set('a', 2);
    rig.cacheBackend.fail(undefined, 'batch', 'set', 'delete');
    first.release();
    await removing;
    expect(await cached.get('a')).toBe(2);
  });

  it('brings a written value into the cache with the next read', async () => {
    const cached = await rig.open('read-through');
    await cached.set('a', 1);
    expect(rig.database.count('get')).toBe(0);
    await cached.get('a');
    await cached.get('a');
    expect(rig.database.count('get')).toBe(1);
  });
});

describe('write-through', () => {
  it('has a written value in the cache at once, in that of other instances too', async () => {
    const cached = await rig.open('write-through');
    await cached.set('a', { n: 1 });
    await cached.mset([
      ['b', 2],
      ['c', 3],
    ]);
    await cached.delete('c');
    const other = await rig.open('write-through');
    expect(await other.mget(['a', 'b', 'c'])).toEqual([{ n: 1 }, 2, undefined]);
    expect([rig.database.count('get'), rig.database.count('mget')]).toEqual([0, 0]);
  });

  it('caches of several only those that were written', async () => {
    const cached = await rig.open('write-through');
    await cached.mset([
      ['a', 1],
      ['b', 1],
    ]);
    await expect(
      cached.mset([
        ['a', 2],
        ['b', NaN],
        ['', 3],
      ]),
    ).rejects.toMatchObject({ code: 'BATCH_FAILED' });
    expect(await cached.mget(['a', 'b'])).toEqual([2, 1]);
  });

  /** A read that was asked for while another instance wrote was joined whenever it had begun. */
  it('lets nobody join a read from before the write that was under way then', async () => {
    const [writer, reader] = [await rig.open('write-through'), await rig.open('write-through')];
    await writer.set('a', 1);
    const second = rig.database.hold('set', 'before');
    const writing = writer.set('a', 2);
    await second.arrived;
    const early = rig.database.hold('get');
    const reading = reader.get('a');
    await early.arrived;
    second.release();
    await writing;
    const third = rig.database.hold('set', 'before');
    const writingAgain = writer.set('a', 3);
    await third.arrived;
    const late = reader.get('a');
    await new Promise(setImmediate);
    early.release();
    expect(await reading).toBe(1);
    expect(await late).toBe(2);
    third.release();
    await writingAgain;
    expect(await reader.get('a')).toBe(3);
  });

  it('does not answer while a write is under way what this write may have replaced', async () => {
    const cached = await rig.open('write-through');
    await cached.set('a', 1);
    const slow = rig.database.hold('set', 'after');
    const writing = cached.set('a', 2);
    await slow.arrived;
    expect(await cached.get('a')).toBe(2);
    slow.release();
    await writing;
    expect(await cached.get('a')).toBe(2);
  });
});

describe('instances with a cache each', () => {
  const open = async (
    clockOf: Rig,
    bus: CachedDatabaseOptions['invalidateOver'] | undefined,
  ): ReturnType<Rig['open']> =>
    clockOf.open('write-through', {
      cache: createCacheBackend(createMemoryBackend({ clock: clockOf.clock }), { clock: clockOf.clock }),
      ...(bus === undefined ? {} : { invalidateOver: bus }),
    });

  it('may be behind for ttlSeconds, and no longer', async () => {
    const [one, other] = [await open(rig, undefined), await open(rig, undefined)];
    await one.set('a', 1);
    expect(await other.get('a')).toBe(1);
    await one.set('a', 2);
    rig.clock.advance(59_999);
    expect(await other.get('a')).toBe(1);
    rig.clock.advance(1);
    expect(await other.get('a')).toBe(2);
  });

  it('go by the database as long as they cannot hear of what others write', async () => {
    const bus = new Watched(createMemoryBackend({ clock: rig.clock, sweepIntervalMs: 0 }));
    const one = await open(rig, bus.proxy);
    await one.set('a', 1);
    bus.fail(down, 'open');
    const other = await open(rig, bus.proxy);
    expect(await other.get('a')).toBe(1);
    await one.set('a', 2);
    expect(await other.get('a')).toBe(2);
    bus.fail(undefined, 'open');
    rig.clock.advance(1_000);
    await other.get('a');
    await new Promise(setImmediate);
    await one.set('a', 3);
    expect(await other.get('a')).toBe(3);
    await other.get('a');
    const before = rig.database.count('get');
    expect(await other.get('a')).toBe(3);
    expect(rig.database.count('get')).toBe(before);
    await one.set('a', 4);
    await new Promise(setImmediate);
    expect(await other.get('a')).toBe(4);
  });

  it('hear of what others write, delete and clear, over any backend that can publish', async () => {
    const bus = new Watched(rig.databaseBackend);
    const [one, other] = [await open(rig, bus.proxy), await open(rig, bus.proxy)];
    const heard = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const hostile = '\0'.repeat(1_024);
    await one.mset([
      ['a', 1],
      [hostile, 1],
    ]);
    expect(await other.mget(['a', hostile])).toEqual([1, 1]);
    await one.set('a', 2);
    await one.delete(hostile);
    await heard();
    expect(await other.mget(['a', hostile])).toEqual([2, undefined]);
    await one.mset(Array.from({ length: 500 }, (_, index) => [`k${index}`, index] as const));
    await heard();
    await one.clear();
    await heard();
    expect(await other.get('a')).toBeUndefined();
    await other.disconnect();
    await one.set('a', 3);
    expect(rig.failures).toEqual([]);
  });

  it('take out what they were reading while another wrote it', async () => {
    const [one, other] = [await open(rig, rig.databaseBackend), await open(rig, rig.databaseBackend)];
    await rig.database.proxy.set('a', 1);
    const slow = rig.database.hold('get');
    const reading = other.get('a');
    await slow.arrived;
    await one.set('a', 2);
    await new Promise((resolve) => setImmediate(resolve));
    slow.release();
    expect(await reading).toBe(1);
    expect(await other.get('a')).toBe(2);
  });

  it('take a role for its backend, and refuse one that cannot publish', async () => {
    const database = createDatabaseBackend(rig.databaseBackend);
    await expect(open(rig, database)).resolves.toBeDefined();
    const mute = new Proxy(rig.databaseBackend, {
      get: (target, name) =>
        name === 'capabilities'
          ? { ...target.capabilities, publish: false }
          : (Reflect.get(target, name) as unknown),
    });
    await expect(open(rig, mute)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('options', () => {
  it.each<[string, Partial<Record<keyof CachedDatabaseOptions, unknown>>, string]>([
    ['a strategy that there is not', { strategy: 'write-around' }, 'CONFIG_INVALID'],
    ['no lifetime', { ttlSeconds: undefined }, 'CONFIG_INVALID'],
    ['a lifetime of zero', { ttlSeconds: 0 }, 'ARGUMENT_INVALID'],
    ['a negative lifetime of nothing', { negativeTtlSeconds: -1 }, 'ARGUMENT_INVALID'],
    ['a cache of somebody else', { cache: new Map() }, 'CONFIG_INVALID'],
    ['a queue for nothing', { writeBehind: { maxQueued: 0 } }, 'ARGUMENT_INVALID'],
  ])('that cannot work are refused at once: %s', async (_, options, code) => {
    await expect(rig.open('write-behind', options as never)).rejects.toMatchObject({ code });
  });

  it.each<[string, string, () => void]>([
    [
      'throws',
      'thrown by onError',
      () => {
        throw new Error('thrown by onError');
      },
    ],
    // Warning of what is no error threw another one.
    [
      'throws what is no error',
      'no error',
      () => {
        throw {} as Error;
      },
    ],
    // It ended the process.
    ['is async and rejects', 'rejected by onError', () => Promise.reject(new Error('rejected by onError'))],
  ])('an onError that %s does no harm', async (_, told, onError) => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation();
    const cached = await rig.open('read-through', { onError });
    rig.cacheBackend.fail(down, 'getMany');
    expect(await cached.get('a')).toBeUndefined();
    expect(warn.mock.calls).toEqual([[expect.stringContaining(told), { type: 'RecapWarning' }]]);
    warn.mockRestore();
  });

  it('without onError, a database that rejects with no error is a warning too, and is written to again', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation((warning: unknown) => {
      if (typeof warning !== 'string' && !(warning instanceof Error))
        throw new TypeError('As Node itself does.');
    });
    const cached = await rig.open('write-behind', { onError: undefined } as object);
    rig.database.fail('no error' as never, 'mset');
    await cached.set('a', 1);
    await cached.flush().catch(() => undefined);
    expect(warn.mock.calls).toEqual([[expect.objectContaining({ code: 'UNAVAILABLE', cause: 'no error' })]]);
    rig.database.fail(undefined, 'mset');
    await cached.flush();
    expect(await rig.database.proxy.get('a')).toBe(1);
    warn.mockRestore();
  });

  it('without onError, the first failure of each kind is a warning of the process', async () => {
    const warnings: unknown[] = [];
    const warn = jest
      .spyOn(process, 'emitWarning')
      .mockImplementation((warning) => void warnings.push(warning));
    const cached = createCachedDatabase({
      cache: rig.cache,
      database: rig.database.proxy,
      strategy: 'read-through',
      ttlSeconds: 1,
    });
    await cached.connect();
    rig.cacheBackend.fail(down, 'getMany');
    await cached.get('a');
    await cached.get('a');
    expect(warnings).toEqual([down]);
    warn.mockRestore();
  });
});
