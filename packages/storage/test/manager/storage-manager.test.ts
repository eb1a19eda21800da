import { inspect } from 'node:util';
import type { Backend } from '../../src/backend';
import { createCachedDatabase } from '../../src/cached-database/create-cached-database';
import { createMemoryBackend } from '../../src/backends/memory/memory-backend';
import { StorageError } from '../../src/errors';
import type { FallbackEvent } from '../../src/fallback/fallback-event';
import { createStorageBackends } from '../../src/manager/create-storage-backends';
import type { StorageConfig } from '../../src/manager/storage-config';
import { StorageManager } from '../../src/manager/storage-manager';
import type { StorageOptions } from '../../src/manager/storage-options';
import { faultyBackend, unavailable, type Faults } from '../faulty-backend';

const managers: StorageManager[] = [];
afterEach(async () => {
  jest.useRealTimers();
  await Promise.allSettled(managers.splice(0).map((manager) => manager.disconnect()));
});

function managerOf(config: unknown, options: StorageOptions = {}): StorageManager {
  const manager = new StorageManager(config as StorageConfig, { environment: {}, ...options });
  managers.push(manager);
  return manager;
}

interface Faulty {
  readonly config: {
    readonly type: 'custom';
    readonly backend: Backend;
    readonly retry: false;
    readonly circuitBreaker: false;
  };
  readonly backend: Backend;
  readonly inner: Backend;
  readonly faults: Faults;
}

/** A backend of the program's own, on which things go wrong. */
function faulty(): Faulty {
  const inner = createMemoryBackend({ sweepIntervalMs: 0 });
  const made = faultyBackend(inner);
  return {
    ...made,
    inner,
    config: { type: 'custom', backend: made.backend, retry: false, circuitBreaker: false },
  };
}

describe('createStorageBackends', () => {
  it('gives a cache and a database that keep apart', async () => {
    const { manager, backends } = await createStorageBackends({
      cache: { type: 'memory' },
      database: { type: 'memory' },
    });
    managers.push(manager);
    await backends.cache.set('session:123', { user: 456 }, 3_600);
    await backends.database.append('messages:789', { role: 'user' });
    expect(await backends.cache.get('session:123')).toEqual({ user: 456 });
    expect(await backends.database.get('session:123')).toBeUndefined();
    expect(await backends.database.getRange('messages:789', -10, -1)).toEqual([{ role: 'user' }]);
  });

  it('keeps instances apart', async () => {
    const [one, other] = await Promise.all(
      [1, 2].map(() => createStorageBackends({ database: { type: 'memory' } })),
    );
    managers.push(one!.manager, other!.manager);
    await one!.backends.database.set('a', 1);
    expect(await other!.backends.database.get('a')).toBeUndefined();
    await one!.manager.disconnect();
    expect(await other!.backends.database.exists('a')).toBe(false);
  });

  it('lets a cache and a database share one engine', async () => {
    const backend = createMemoryBackend();
    const { manager, backends } = await createStorageBackends({
      cache: { type: 'custom', backend },
      database: { type: 'custom', backend },
    });
    managers.push(manager);
    await backends.cache.set('a', 'cached');
    await backends.database.set('a', 'kept');
    await backends.cache.clear();
    expect(await backends.cache.get('a')).toBeUndefined();
    expect(await backends.database.get('a')).toBe('kept');
  });
});

describe('connect', () => {
  it('opens once for everyone who asks', async () => {
    const { config, faults } = faulty();
    const manager = managerOf({ database: config });
    const all = await Promise.all([
      manager.connect(),
      manager.connect(),
      manager.createDatabaseBackend(),
      manager.connect(),
    ]);
    const { length } = faults.calls;
    expect(all[0]).toBe(all[1]);
    expect(all[2]).toBe(all[0].database);
    expect(await manager.connect()).toBe(all[0]);
    expect(faults.calls).toHaveLength(length);
    expect(new Set(faults.calls)).toEqual(new Set(['open']));
  });

  it('closes the one that opened when the other cannot be opened, and tries again when it is asked again', async () => {
    const [cache, database] = [faulty(), faulty()];
    const own = jest.fn(() => Promise.resolve());
    const closable = { ...cache.backend, close: own };
    database.faults.isDown = true;
    const manager = managerOf({ cache: { ...cache.config, backend: closable }, database: database.config });
    await expect(manager.connect()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(own).toHaveBeenCalledTimes(1);
    database.faults.isDown = false;
    await expect(manager.connect()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('tries again with backends of its own', async () => {
    const failing = {
      database: {
        type: 'custom',
        backend: { ...faulty().backend, open: () => Promise.reject(unavailable()) },
      },
    };
    const config: { database: object } = { ...failing };
    const manager = managerOf(config);
    await expect(manager.connect()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    config.database = { type: 'memory' };
    expect(await (await manager.connect()).database.exists('a')).toBe(false);
  });

  // With Redis for both, nobody could tell which of the two it was.
  it.each([
    [{ type: 'redis', url: 'redis://ann:s3cret@127.0.0.1:1' }, '127.0.0.1:1'],
    [{ type: 'redis', cluster: { nodes: [{ host: '127.0.0.1', port: 1 }] } }, '127.0.0.1:1'],
    [{ type: 'postgres', host: '::1', port: 1, password: 's3cret' }, '[::1]:1'],
    [{ type: 'mongodb', host: '127.0.0.1', port: 1 }, '127.0.0.1:1'],
    [{ type: 'redis', url: 'unix:///no/redis.sock' }, '/no/redis.sock'],
    [{ type: 'postgres', host: '/no', port: 1, password: 's3cret' }, '/no/.s.PGSQL.1'],
  ])('says which of the two cannot be opened, and on which server: %j', async (config, server) => {
    const onError = jest.fn();
    const cache = { ...config, retry: false, timeoutMs: 1_000 };
    const message = expect.stringContaining(`The cache at ${server} cannot be opened. `) as string;
    await expect(managerOf({ cache }, { onError }).connect()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message,
    });
    expect(inspect(onError.mock.calls, { depth: 10 })).not.toContain('s3cret');
    const context = { role: 'cache', backend: config.type, operation: 'open' };
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ message }), context]]);
  });

  it('rejects a configuration that cannot work, opens nothing and never falls back to memory', async () => {
    const { config, faults } = faulty();
    const manager = managerOf({ cache: config, database: { type: 'mongodbb' } });
    await expect(manager.connect()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('database.type: "mongodbb" is unknown'),
    });
    await expect(manager.createCacheBackend()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(faults.calls).toEqual([]);
  });

  it('says so when the one is used that was not configured', async () => {
    const manager = managerOf({ database: { type: 'memory' } });
    const backends = await manager.connect();
    expect(() => backends.cache).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    await expect(manager.createCacheBackend()).rejects.toThrow(/No cache is configured\. Add "cache"/);
  });

  it('is refused after disconnect', async () => {
    const manager = managerOf({ database: { type: 'memory' } });
    const { database } = await manager.connect();
    await manager.disconnect();
    await manager.disconnect();
    await expect(manager.connect()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(manager.createDatabaseBackend()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(database.get('a')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('that is under way when it is disconnected leaves nothing open', async () => {
    const { backend, config } = faulty();
    const close = jest.fn(backend.close.bind(backend));
    const manager = managerOf({ database: { ...config, backend: { ...backend, close } } });
    const connecting = manager.connect();
    await manager.disconnect();
    await expect(connecting).rejects.toMatchObject({ code: 'CLOSED' });
    expect(close).toHaveBeenCalled();
  });
});

it('gives backends that can be spread, as createCachedDatabase() takes them', async () => {
  const backends = await managerOf({ cache: { type: 'memory' }, database: { type: 'memory' } }).connect();
  const cached = createCachedDatabase({ ...backends, strategy: 'write-through', ttlSeconds: 60 });
  await cached.set('a', 1);
  expect(await backends.database.get('a')).toBe(1);
  await cached.disconnect();
});

describe('healthCheck', () => {
  it('takes no deadline that is none for a backend that is slow', async () => {
    const manager = managerOf({ cache: { type: 'memory' } });
    await manager.connect();
    expect(await manager.healthCheck(Infinity)).toMatchObject({
      details: { cache: { error: { code: 'ARGUMENT_INVALID' } } },
    });
  });

  it('tells both, and what they come to', async () => {
    const [cache, database] = [faulty(), faulty()];
    const manager = managerOf({ cache: cache.config, database: database.config });
    await manager.connect();
    expect(await manager.healthCheck()).toMatchObject({
      cache: true,
      database: true,
      overall: true,
      status: 'up',
    });
    cache.faults.isDown = true;
    expect(await manager.healthCheck()).toMatchObject({
      ...{ cache: false, database: true, overall: false, status: 'down' },
      details: {
        cache: { type: 'custom', status: 'down', error: { code: 'UNAVAILABLE' } },
        database: { status: 'up', servedBy: 'memory', pendingWrites: 0, latencyMs: expect.any(Number) },
      },
    });
  });

  it('leaves out what is not configured, and calls down what is not connected', async () => {
    const manager = managerOf({ database: { type: 'memory' } });
    expect(await manager.healthCheck()).toMatchObject({
      ...{ cache: undefined, database: false, overall: false, status: 'down' },
      details: { database: { error: { code: 'NOT_OPEN' } } },
    });
    await manager.connect();
    expect(await manager.healthCheck()).toMatchObject({ cache: undefined, database: true, overall: true });
  });

  it.each([
    ['does not answer', () => new Promise<never>(() => undefined)],
    ['rejects', () => Promise.reject(new Error('No idea.'))],
  ])('answers when a backend of somebody else %s', async (_what, health) => {
    jest.useFakeTimers();
    const { backend, config } = faulty();
    const manager = managerOf({ database: { ...config, backend: { ...backend, health } } });
    await manager.connect();
    const answer = manager.healthCheck(300);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await answer).toMatchObject({
      database: false,
      details: { database: { error: { code: 'UNAVAILABLE' } } },
    });
  });
});

describe('validateConfig', () => {
  it('resolves for what can work and opens nothing', async () => {
    const { config, faults } = faulty();
    await expect(managerOf({ database: config }).validateConfig()).resolves.toBeUndefined();
    await expect(managerOf({ database: { type: 'postgres' } }).validateConfig()).resolves.toBeUndefined();
    expect(faults.calls).toEqual([]);
  });

  it('rejects what cannot, with everything that is wrong', async () => {
    const config = { cache: { type: 'redis', prot: 1 }, database: { type: 'postgres', password: '$NONE' } };
    await expect(managerOf(config).validateConfig()).rejects.toThrow(
      /NONE is not set[^]*did you mean "port"/,
    );
  });
});

describe('with a fallback', () => {
  const fallback = { to: ['memory'], probeIntervalMs: 100, stableMs: 1_000 };

  it('says in health and once in the log that it is degraded, and replays', async () => {
    jest.useFakeTimers();
    const { config, faults, inner } = faulty();
    const events: FallbackEvent['type'][] = [];
    const warn = jest.fn();
    const onError = jest.fn();
    const onFallback = ({ type }: FallbackEvent): void => void events.push(type);
    const options = { logger: { warn }, onError, onFallback };
    const manager = managerOf({ database: { ...config, fallback } }, options);
    const { database } = await manager.connect();
    faults.isDown = true;
    const setting = database.set('a', 1);
    await jest.advanceTimersByTimeAsync(500);
    await setting;
    await database.append('l', 2);
    expect(await database.get('a')).toBe(1);
    expect(await manager.healthCheck()).toMatchObject({
      ...{ database: false, overall: false, status: 'degraded' },
      details: {
        database: { status: 'degraded', servedBy: 'memory', pendingWrites: 2, degradedSince: Date.now() },
      },
    });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]).toEqual([
      expect.objectContaining({ role: 'database', backend: 'custom', to: 'memory' }),
      expect.stringMatching(/has taken over.* Reason: UNAVAILABLE, The server is gone\.$/),
    ]);
    expect(onError.mock.calls).toEqual([
      [
        expect.objectContaining({ code: 'UNAVAILABLE' }),
        { role: 'database', backend: 'custom', operation: 'fallback' },
      ],
    ]);
    faults.isDown = false;
    await jest.advanceTimersByTimeAsync(2_000);
    expect(await manager.healthCheck()).toMatchObject({ database: true, overall: true, status: 'up' });
    expect(events).toEqual(['degraded', 'recovered']);
    expect((await inner.partitions()).items).toHaveLength(2);
    expect(await database.getRange('l', 0, -1)).toEqual([2]);
  });

  it('warns through the process when there is no logger', async () => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
    const { config, faults } = faulty();
    const manager = managerOf({ cache: { ...config, fallback: ['memory'] } });
    const { cache } = await manager.connect();
    faults.isDown = true;
    await cache.set('a', 1);
    await cache.set('b', 1);
    expect(warned.mock.calls).toEqual([
      [expect.stringContaining('memory has taken over'), { type: 'RecapWarning' }],
    ]);
    warned.mockRestore();
  });

  it('tells no words of an error that is not of this package', async () => {
    const warn = jest.fn();
    const { config, faults } = faulty();
    const manager = managerOf({ database: { ...config, fallback } }, { logger: { warn } });
    const { database } = await manager.connect();
    faults.next.push(Object.assign(new Error('s3cret'), { code: 'UNAVAILABLE' }));
    faults.illness = new Error('s3cret');
    await database.get('a').catch(() => undefined);
    expect(warn.mock.calls).toEqual([[expect.anything(), expect.stringMatching(/Reason: UNAVAILABLE\.$/)]]);
  });

  it('rejects when it is closed with writes that only memory has', async () => {
    const { config, faults } = faulty();
    const logger = { warn: jest.fn() };
    const manager = managerOf({ database: { ...config, fallback: ['memory'] } }, { logger });
    const { database } = await manager.connect();
    faults.isDown = true;
    await database.set('a', 1);
    await expect(manager.disconnect()).rejects.toThrow(/1 writes that were kept in memory are lost/);
  });

  it('is none unless it was configured', async () => {
    const { config, faults } = faulty();
    const { database } = await managerOf({ database: config }).connect();
    faults.isDown = true;
    await expect(database.set('a', 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('what a program is told', () => {
  it('are operations that take long, without their keys', async () => {
    jest.useFakeTimers();
    const { config, faults } = faulty();
    const warn = jest.fn();
    const manager = managerOf({ database: config, slowOperationMs: 200 }, { logger: { warn } });
    const { database } = await manager.connect();
    faults.before = async () => {
      await new Promise((resolve) => setTimeout(resolve, 250));
    };
    const set = database.set('secret-key', 'secret-value');
    await jest.advanceTimersByTimeAsync(250);
    await set;
    faults.before = undefined;
    await database.set('secret-key', 1);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]).toEqual([
      { role: 'database', backend: 'custom', operation: 'set', durationMs: 250 },
      'Slow storage operation: set took 250 ms.',
    ]);
  });

  it('are failures of the backend, and no mistakes of the caller', async () => {
    const { config, faults } = faulty();
    const onError = jest.fn();
    const manager = managerOf({ database: config }, { onError });
    const { database } = await manager.connect();
    faults.next.push(unavailable(), new StorageError('CONFLICT', 'No.'), new StorageError('CORRUPT', 'No.'));
    for (let n = 0; n < 3; n += 1) await database.set('a', 1).catch(() => undefined);
    expect(onError.mock.calls).toEqual([
      [
        expect.objectContaining({ code: 'UNAVAILABLE' }),
        { role: 'database', backend: 'custom', operation: 'set' },
      ],
      [expect.objectContaining({ code: 'CORRUPT' }), expect.anything()],
    ]);
  });

  // A program that logs in onError wrote a line for each request of an outage.
  it('are no calls that an open circuit breaker refuses', async () => {
    const { config, faults } = faulty();
    const onError = jest.fn();
    const circuitBreaker = { failures: 2, resetAfterMs: 60_000 };
    const { database } = await managerOf({ database: { ...config, circuitBreaker } }, { onError }).connect();
    faults.isDown = true;
    for (let n = 0; n < 10; n += 1)
      await expect(database.get('a')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(onError).toHaveBeenCalledTimes(2);
  });

  it('are no reads that nobody can know while another backend stands in', async () => {
    const { config, faults } = faulty();
    const onError = jest.fn();
    const { database } = await managerOf(
      { database: { ...config, fallback: ['memory'] } },
      { onError, logger: { warn: () => undefined } },
    ).connect();
    faults.isDown = true;
    for (let n = 0; n < 10; n += 1)
      await expect(database.get('a')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(onError.mock.calls).toEqual([
      [expect.anything(), expect.objectContaining({ operation: 'fallback' })],
    ]);
  });

  it.each<[string, () => void]>([
    [
      'throw',
      () => {
        throw new Error('My own mistake.');
      },
    ],
    // It ended the process, in the outage that the fallback is for.
    ['are async and reject', () => Promise.reject(new Error('My own mistake.'))],
  ])('does no harm when its functions %s', async (_, tell) => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
    const { config, faults } = faulty();
    const told = { onError: tell, onFallback: tell, logger: { warn: tell } };
    const manager = managerOf({ database: { ...config, fallback: ['memory'] } }, told);
    const { database } = await manager.connect();
    faults.isDown = true;
    await database.set('a', 1);
    expect(await database.get('a')).toBe(1);
    await new Promise(setImmediate);
    const warning = [expect.stringContaining('My own mistake.'), { type: 'RecapWarning' }];
    expect(warned.mock.calls).toEqual([warning, warning, warning]);
    faults.isDown = false;
    await manager.disconnect();
    warned.mockRestore();
  });

  it('is told of attempts and circuit breakers', async () => {
    const { backend, faults } = faulty();
    const [debug, warn] = [jest.fn(), jest.fn()];
    const config = {
      ...{ type: 'custom', backend, circuitBreaker: { failures: 3 } },
      retry: { retries: 3, initialDelayMs: 1 },
    };
    const manager = managerOf({ database: config }, { logger: { debug, warn }, random: () => 0 });
    const { database } = await manager.connect();
    faults.isDown = true;
    await expect(database.get('a')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(debug).toHaveBeenCalledTimes(3);
    expect(warn.mock.calls).toEqual([
      [expect.anything(), expect.stringContaining('is left alone for a while')],
    ]);
  });
});
