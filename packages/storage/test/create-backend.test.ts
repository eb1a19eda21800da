import {
  createBackend,
  createCacheBackend,
  createMemoryBackend,
  createStorageBackends,
  StorageError,
  type Backend,
  type CreateBackendOptions,
  type Driver,
  type WriteOutcome,
} from '../src';
import { FakeClock } from '../src/testing';
import { memoryDriver } from './testing/broken-backends';

const a = { partition: 'p', key: 'a' };

/** A memory driver that counts its openings and closings, and does as told. */
function made(changes: Partial<Driver> = {}, options: CreateBackendOptions = {}) {
  const driver = memoryDriver();
  const log: string[] = [];
  const own: Driver = Object.assign(driver, {
    open: async () => void log.push('open'),
    close: async () => void log.push('close'),
    ...changes,
  });
  const backend = createBackend(own, { clock: new FakeClock(), sweepIntervalMs: 0, ...options });
  return { backend, log, driver };
}

const never = (): Promise<never> => new Promise(() => undefined);

/** Once whatever is ready now has been done. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a backend that is opened', () => {
  it('rejects calls before, and says what to do', async () => {
    const { backend } = made();
    await expect(backend.get(a)).rejects.toMatchObject({
      code: 'NOT_OPEN',
      message: expect.stringContaining('open()'),
    });
    await expect(backend.stats()).rejects.toMatchObject({ code: 'NOT_OPEN' });
    expect(await backend.health()).toMatchObject({ healthy: false, error: { code: 'NOT_OPEN' } });
  });

  it('opens once for all who ask, and lets calls wait for it', async () => {
    let opened = (): void => undefined;
    const { backend, log } = made({
      open: () => {
        log.push('open');
        return new Promise((resolve) => (opened = resolve));
      },
    });
    const opening = [backend.open(), backend.open()];
    const writing = backend.set(a, 1);
    await settled();
    opened();
    await Promise.all(opening);
    expect(await writing).toEqual(expect.any(String));
    expect(log).toEqual(['open']);
  });

  it('forgets an attempt that failed, having released what it had', async () => {
    let attempts = 0;
    const { backend, log } = made({
      open: async () => {
        attempts += 1;
        log.push('open');
        if (attempts === 1) throw new StorageError('UNAVAILABLE', 'not yet');
      },
    });
    const outcomes = await Promise.allSettled([backend.open(), backend.open()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(backend.get(a)).rejects.toMatchObject({ code: 'NOT_OPEN' });
    await backend.open();
    expect(await backend.get(a)).toBeUndefined();
    await backend.close();
    expect(log).toEqual(['open', 'close', 'open', 'close']);
  });

  it('tells why it failed to open, not how releasing failed', async () => {
    const { backend } = made({
      open: () => Promise.reject(new StorageError('ACCESS_DENIED', 'why')),
      close: () => Promise.reject(new Error('how')),
    });
    await expect(backend.open()).rejects.toMatchObject({ code: 'ACCESS_DENIED', message: 'why' });
  });

  it('closes what was being opened when it is closed meanwhile', async () => {
    let opened = (): void => undefined;
    const { backend, log } = made({
      open: () => new Promise((resolve) => (opened = resolve)),
    });
    const opening = backend.open();
    await settled();
    const closing = backend.close();
    opened();
    await expect(opening).rejects.toMatchObject({ code: 'CLOSED' });
    await closing;
    expect(log).toEqual(['close']);
  });

  it('has nothing to close when it was never open', async () => {
    const { backend, log } = made();
    await backend.close();
    await expect(backend.open()).rejects.toMatchObject({ code: 'CLOSED' });
    expect(log).toEqual([]);
  });
});

describe('a driver that fails', () => {
  const open = async (changes: Partial<Driver>, options?: CreateBackendOptions): Promise<Backend> => {
    const { backend } = made(changes, options);
    await backend.open();
    return backend;
  };
  const broken = new Error('of the driver');

  it.each([
    [
      'at once',
      () => {
        throw broken;
      },
    ],
    ['later', () => Promise.reject(broken)],
  ])('%s is UNAVAILABLE, with its error as the cause', async (_, fail) => {
    const backend = await open({ get: fail, write: fail });
    await expect(backend.get(a)).rejects.toMatchObject({ code: 'UNAVAILABLE', cause: broken });
    await expect(backend.set(a, 1)).rejects.toMatchObject({ code: 'UNAVAILABLE', cause: broken });
  });

  it('is told in its own words', async () => {
    const full = new StorageError('CAPACITY_EXCEEDED', 'full');
    const backend = await open({
      write: () => Promise.reject(broken),
      explain: (error) => (error === broken ? full : undefined),
      batch: () => [broken, { status: 'written' }],
    });
    await expect(backend.set(a, 1)).rejects.toBe(full);
    const write = { type: 'set', ...a, value: 1 } as const;
    expect(await backend.batch([write, write])).toMatchObject([
      { status: 'failed', error: full },
      { status: 'written' },
    ]);
  });

  it('is given up after timeoutMs', async () => {
    const backend = await open({ get: never }, { timeoutMs: 1 });
    await expect(backend.get(a)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('1 ms'),
    });
  });

  it('is not healthy when it does not answer by the deadline', async () => {
    const backend = await open({ write: never });
    expect(await backend.health(1)).toMatchObject({ healthy: false, error: { code: 'UNAVAILABLE' } });
  });

  it('is not healthy when it does not keep what it is given', async () => {
    const backend = await open({ get: () => undefined });
    expect(await backend.health()).toMatchObject({ healthy: false, error: { code: 'CORRUPT' } });
  });

  it('never lets what does not parse pass for nothing', async () => {
    const backend = await open({ get: () => ({ key: 'a', value: '{"a":', version: 'v' }) });
    await expect(backend.get(a)).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  it.each(['transact', 'query', 'publish', 'subscribe'] as const)('without %s says so', async (method) => {
    const backend = await open({ [method]: undefined });
    const calls = {
      transact: () => backend.transact([]),
      query: () => backend.query('p', []),
      publish: () => backend.publish('c', 1),
      subscribe: () => backend.subscribe('c', () => undefined),
    };
    await expect(calls[method]()).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining(method),
    });
  });

  const throwing = (): never => {
    throw broken;
  };
  const rejecting = (): Promise<never> => Promise.reject(broken);

  // What an async one rejected with ended the process.
  it.each<[string, () => void]>([
    ['throws', throwing],
    ['is async and rejects', rejecting],
  ])('tells onError of a listener that %s', async (_, listener) => {
    const told: unknown[] = [];
    const backend = await open({}, { onError: (...failure) => told.push(failure) });
    await backend.subscribe('c', listener);
    await backend.publish('c', 1);
    await settled();
    expect(told).toEqual([[broken, 'subscribe']]);
  });

  // Thrown in an event of the driver, it ended the process.
  it.each<[string, () => void]>([
    ['throws', throwing],
    ['is async and rejects', rejecting],
  ])('warns of an onError that %s', async (_, onError) => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
    const backend = await open({}, { onError });
    await backend.subscribe('c', throwing);
    await backend.publish('c', 1);
    await settled();
    expect(warned.mock.calls).toEqual([[expect.stringContaining(broken.message), { type: 'RecapWarning' }]]);
    warned.mockRestore();
  });
});

describe('sweeping', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] }));
  afterEach(() => jest.useRealTimers());

  it('goes on by itself in steps until nothing is left, and ends with close()', async () => {
    const limits: number[] = [];
    const left = [500, 500, 3];
    const { backend } = made(
      { sweep: async (limit) => (limits.push(limit), left.shift() ?? 0) },
      { sweepIntervalMs: 1_000 },
    );
    await backend.open();
    jest.advanceTimersByTime(999);
    await settled();
    expect(limits).toEqual([]);
    jest.advanceTimersByTime(1);
    while (left.length > 0) await settled();
    await settled();
    expect(limits).toEqual([500, 500, 500]);
    await backend.close();
    jest.advanceTimersByTime(10_000);
    await settled();
    expect(limits).toHaveLength(3);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('tells onError of its failures and tries again the next time', async () => {
    const told: unknown[] = [];
    const { backend } = made(
      { sweep: () => Promise.reject(new StorageError('UNAVAILABLE', 'down')) },
      { sweepIntervalMs: 1_000, onError: (error) => told.push(error) },
    );
    await backend.open();
    for (const expected of [1, 2]) {
      jest.advanceTimersByTime(1_000);
      await settled();
      expect(told).toHaveLength(expected);
    }
    await backend.close();
  });
});

it('lists the keys of what is scanned, where the driver has no way of its own', async () => {
  const { backend, driver } = made();
  Object.assign(driver, { keys: undefined });
  await backend.open();
  for (const key of ['a', 'b', 'c', 'd']) await backend.set({ partition: 'p', key }, key);
  expect(await backend.keys('p', { limit: 2, range: { gt: 'a' } })).toEqual({ items: ['b', 'c'], next: 'c' });
  expect(await backend.keys('p', { limit: 2, after: 'c' })).toEqual({ items: ['d'] });
});

it('gives on what a driver has decoded itself, beside what it has not', async () => {
  const { backend, driver } = made();
  Object.assign(driver, {
    keys: undefined,
    scan: () => ({
      items: [
        { type: 'value', key: 'a', value: { n: 1 }, version: 'v1', expiresAt: 5_000_000_000_000 },
        { key: 'b', value: '{"n":2}', version: 'v2' },
        { type: 'list', key: 'c', version: 'v3' },
      ],
      hasMore: true,
    }),
  });
  await backend.open();
  expect(await backend.scan('p')).toEqual({
    items: [
      { type: 'value', key: 'a', value: { n: 1 }, version: 'v1', expiresAt: 5_000_000_000_000 },
      { type: 'value', key: 'b', value: { n: 2 }, version: 'v2' },
      { type: 'list', key: 'c', version: 'v3' },
    ],
    next: 'c',
  });
  expect(await backend.keys('p')).toEqual({ items: ['a', 'b', 'c'], next: 'c' });
});

describe('a program without types', () => {
  const others = {
    'set with null for options': (backend: Backend) => backend.set(a, 1, null as never),
    'delete with a text for options': (backend: Backend) => backend.delete(a, 'version' as never),
    'append of a text': (backend: Backend) => backend.append(a, 'abc' as never),
    'append of nothing': (backend: Backend) => backend.append(a, undefined as never),
    'getMany of a text': (backend: Backend) => backend.getMany('abc' as never),
    'batch of nothing': (backend: Backend) => backend.batch(undefined as never),
    'transact of an object': (backend: Backend) => backend.transact({ length: 1 } as never),
    'scan with null for options': (backend: Backend) => backend.scan('p', null as never),
    'keys with null for a range': (backend: Backend) => backend.keys('p', { range: null as never }),
    'partitions with null for options': (backend: Backend) => backend.partitions('', null as never),
    'subscribe without a listener': (backend: Backend) => backend.subscribe('c', undefined as never),
  };

  it.each(Object.entries(others))('is told what is wrong: %s', async (_title, call) => {
    const { backend } = made();
    await backend.open();
    await expect(call(backend)).rejects.toMatchObject({ name: 'StorageError', code: 'ARGUMENT_INVALID' });
  });

  it('is refused a hole, as it is undefined', async () => {
    const { backend } = made();
    await backend.open();
    const values: number[] = [1];
    values[2] = 3;
    await expect(backend.append(a, values)).rejects.toMatchObject({ code: 'VALUE_INVALID' });
    await expect(backend.getMany(Array(1) as never)).rejects.toMatchObject({
      code: 'KEY_INVALID',
    });
    expect(await backend.batch(Array(1) as never)).toMatchObject([{ status: 'failed' }]);
    expect(await backend.range(a)).toEqual([]);
  });

  it.each([0, -1, NaN, Infinity, 2 ** 31, '5'])(
    'that gives %p for a deadline of health is told so, and not that the backend is slow',
    async (deadlineMs) => {
      const { backend } = made();
      await backend.open();
      expect(await backend.health(deadlineMs as number)).toMatchObject({
        healthy: false,
        error: { code: 'ARGUMENT_INVALID' },
      });
    },
  );
});

it.each([
  ['many', 12_000, 1],
  ['large', 4, 2 ** 20],
])('gives others their turn while a list of %s elements is decoded', async (_what, count, size) => {
  const backend = createMemoryBackend();
  await backend.open();
  const values = Array.from({ length: count }, (_, n) => `${n}`.padEnd(size, '.'));
  for (let from = 0; from < count; from += 1_000)
    await backend.append({ partition: 'p', key: 'l' }, values.slice(from, from + 1_000));
  let turns = 0;
  const tick = (): void => {
    turns += 1;
    ticking = setImmediate(tick);
  };
  let ticking = setImmediate(tick);
  const found = await backend.range({ partition: 'p', key: 'l' });
  clearImmediate(ticking);
  expect(turns).toBeGreaterThan(1);
  expect(found).toEqual(values);
  await backend.close();
});

describe('an option that is misspelt', () => {
  const a = { partition: 'p', key: 'a' };
  const set = { ...a, type: 'set', value: 2 } as const;
  const failureOf = async ([outcome]: readonly WriteOutcome[]): Promise<never> => {
    throw outcome?.status === 'failed' ? outcome.error : new Error('It was made.');
  };

  it.each<[name: string, call: (backend: Backend, options: object) => Promise<unknown>]>([
    ['ifabsent', (backend, options) => backend.set(a, 2, options)],
    ['ifVersions', (backend, options) => backend.delete(a, options)],
    ['expiresat', (backend, options) => backend.append(a, [2], options)],
    ['rang', (backend, options) => backend.scan('p', options)],
    ['limits', (backend, options) => backend.keys('p', options)],
    ['range', (backend, options) => backend.partitions('', options)],
    ['reverse', (backend, options) => backend.query('p', [], options)],
    ['gtt', (backend, range) => backend.scan('p', { range })],
    ['ifVersions', (backend, options) => backend.transact([{ ...set, ...options }])],
    ['ifVersions', (backend, options) => backend.batch([{ ...set, ...options }]).then(failureOf)],
    ['ifAbsent', (backend, options) => backend.batch([{ ...a, type: 'delete', ...options }]).then(failureOf)],
  ])('is told, and nothing is done: %s', async (name, call) => {
    const backend = createMemoryBackend();
    await backend.open();
    const version = await backend.set(a, 1);
    await expect(call(backend, { [name]: 'x' })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      message: expect.stringContaining(`has no "${name}"; it has "`),
    });
    expect(await backend.get(a)).toMatchObject({ value: 1, version });
    await backend.close();
  });
});

describe('writes that are not awaited', () => {
  /** A batch began some turns later than what came behind it. */
  it('reach the driver in the order of the calls', async () => {
    const calls: string[] = [];
    const { backend } = made({
      write: async ({ type }) => {
        calls.push(type);
        return { status: 'written' };
      },
      batch: async (writes) => {
        calls.push('batch');
        return writes.map(() => ({ status: 'written' }));
      },
      transact: async (writes) => {
        calls.push('transact');
        return writes.map(() => ({ status: 'written' }));
      },
    });
    await backend.open();
    const write = { type: 'set', ...a, value: 1 } as const;
    await Promise.all([
      backend.batch([write]),
      backend.set(a, 2),
      backend.transact([write]),
      backend.delete(a),
    ]);
    expect(calls).toEqual(['batch', 'set', 'transact', 'delete']);
  });
});

describe('a clock that shows fractions of a millisecond', () => {
  it('is taken in whole ones, for health, lifetimes and what has expired', async () => {
    let now = 1_000.75;
    const clock = { now: () => now };
    const backend = createMemoryBackend({ clock, sweepIntervalMs: 0 });
    const cache = createCacheBackend(backend, { clock });
    await cache.connect();
    expect(await backend.health()).toMatchObject({ healthy: true });
    await cache.set('k', 1, 0.5);
    now = 1_499.99;
    expect(await cache.get('k')).toBe(1);
    now = 1_500.01;
    expect(await cache.get('k')).toBeUndefined();
    await cache.disconnect();
  });

  it('is taken so by a manager too', async () => {
    const clock = { now: () => Date.now() + 0.5 };
    const config = { cache: { type: 'memory' }, database: { type: 'memory' } } as const;
    const { manager, backends } = await createStorageBackends(config, { clock });
    await backends.cache.set('k', 1, 60);
    expect(await backends.cache.get('k')).toBe(1);
    expect(await manager.healthCheck()).toMatchObject({ overall: true });
    await manager.disconnect();
  });
});
