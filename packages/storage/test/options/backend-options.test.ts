import { inspect } from 'node:util';
import {
  createCacheBackend,
  createCachedDatabase,
  createDatabaseBackend,
  createDynamodbBackend,
  createMemoryBackend,
  createMongodbBackend,
  createPostgresBackend,
  createRedisBackend,
  createSqliteBackend,
  createStorageBackends,
  StorageManager,
} from '../../src';
import { backendOptions } from '../../src/options/backend-options';

/** What a program in JavaScript can do to a function of ours. */
const wrongly = (make: unknown, ...given: unknown[]): Error & { code?: string } => {
  try {
    (make as (...given: unknown[]) => unknown)(...given);
  } catch (error) {
    return error as Error;
  }
  throw new Error('It was taken.');
};

const backend = createMemoryBackend();
const cache = createCacheBackend(backend);
const database = createDatabaseBackend(backend);
const cached = { cache, database, strategy: 'read-through', ttlSeconds: 1 };

describe('options of a single backend', () => {
  // It was UNAVAILABLE once it was opened, so that a fallback would have taken over.
  it.each([
    [
      'sqlite',
      createSqliteBackend,
      /^"client" is not a database of better-sqlite3: it has no prepare\(\)\.$/,
    ],
    ['postgres', createPostgresBackend, /^"client" is not a pool of pg: it has no query\(\)\.$/],
    [
      'redis',
      createRedisBackend,
      /^"client" is not a client or cluster of ioredis: it has no getBuffer\(\)\.$/,
    ],
    ['mongodb', createMongodbBackend, /^"client" is not a client of mongodb: it has no connect\(\)\.$/],
    ['dynamodb', createDynamodbBackend, /^"client" is not a DynamoDBClient: it has no send\(\)\.$/],
  ])('refuse a client that is none, for %s', async (type, make, message) => {
    expect(wrongly(make, { client: {} })).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message) as string,
    });
    expect(wrongly(make, { client: Promise.resolve() }).message).toContain('await it before');
    const config = { database: { type, client: {}, fallback: ['memory'] } } as never;
    await expect(new StorageManager(config).connect()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it.each([
    [
      'createSqliteBackend',
      createSqliteBackend,
      undefined,
      /give either the "path" of a file .* or a "client"/,
    ],
    [
      'createSqliteBackend',
      createSqliteBackend,
      { pth: 'a' },
      /"pth" \(did you mean "path"\?\).*Valid: .*busyTimeoutMs/,
    ],
    [
      'createSqliteBackend',
      createSqliteBackend,
      { path: 'a', synchronous: 'fulll' },
      /synchronous: has to be "full"/,
    ],
    [
      'createSqliteBackend',
      createSqliteBackend,
      { path: 'a', busyTimeoutMs: -1 },
      /busyTimeoutMs: has to be a whole number/,
    ],
    ['createSqliteBackend', createSqliteBackend, { filename: 'a' }, /"filename" \(here "path"\)/],
    [
      'createRedisBackend',
      createRedisBackend,
      { urll: 'redis://h' },
      /"urll" \(did you mean "url"\?\)\. Valid: .*sentinel/,
    ],
    ['createRedisBackend', createRedisBackend, { url: 'redis://h/0?x=1' }, /url: has a parameter "x"/],
    [
      'createRedisBackend',
      createRedisBackend,
      { port: 70_000 },
      /port: has to be a whole number from 1 to 65535/,
    ],
    [
      'createMemoryBackend',
      createMemoryBackend,
      { whenFull: 'evct' },
      /whenFull: has to be "evict" or "refuse"/,
    ],
    ['createMemoryBackend', createMemoryBackend, { keyPrefix: 'a' }, /unknown setting "keyPrefix"/],
    ['createMemoryBackend', createMemoryBackend, 7, /options: has to be an object of settings/],
    ['createMemoryBackend', createMemoryBackend, { clock: {} }, /clock: has to be a clock/],
    [
      'createPostgresBackend',
      createPostgresBackend,
      { pool: { maximum: 3 } },
      /pool: unknown setting "maximum"/,
    ],
    [
      'createPostgresBackend',
      createPostgresBackend,
      { pool: { min: 5, max: 2 } },
      /pool\.min: has to be at most "max"/,
    ],
    ['createPostgresBackend', createPostgresBackend, { onError: 'log' }, /onError: has to be a function/],
  ])('are refused by %s with what is valid: %#', (name, make, options, message) => {
    const error = wrongly(make, ...(options === undefined ? [] : [options]));
    expect(error).toMatchObject({ name: 'StorageError', code: 'CONFIG_INVALID' });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(name);
  });

  it('take numbers and flags as text too, as the environment gives them', async () => {
    const given = { maxItems: '1' as never };
    const small = createMemoryBackend(given);
    await small.open();
    await small.set({ partition: 'p', key: 'a' }, 1);
    await expect(small.set({ partition: 'p', key: 'b' }, 1)).rejects.toMatchObject({
      code: 'CAPACITY_EXCEEDED',
    });
    await small.close();
  });

  it.each(['postgres', 'redis', 'mongodb'] as const)(
    'of %s name a user by "username", and by "user" as drivers do',
    (type) => {
      const taken = (given: object): object => backendOptions(type, 'test', given);
      expect(taken({ username: 'me' })).toMatchObject({ username: 'me' });
      expect(taken({ user: 'me' })).toMatchObject({ username: 'me' });
      expect(taken({ user: undefined, username: 'me' })).toMatchObject({ username: 'me' });
      expect(wrongly(taken, { user: 5 }).message).toMatch(/username: has to be a text/);
      expect(wrongly(taken, { user: 'a', username: 'b' }).message).toMatch(
        /user: says the same as "username"\. Say it once/,
      );
    },
  );

  it('hand on what a program gives as it is: functions, clients, passwords that are asked for', () => {
    const client = { query: () => undefined, connect: () => undefined, on: () => undefined };
    expect(() => createPostgresBackend({ client: client as never })).not.toThrow();
    expect(() =>
      createPostgresBackend({ password: () => 'x', ssl: { minVersion: 'TLSv1.3' } }),
    ).not.toThrow();
    expect(() => createRedisBackend({ keyPrefix: '', onWarning: () => undefined })).not.toThrow();
  });
});

describe('a URL', () => {
  // The host that is dialled must not depend on who reads the URL.
  it.each(['p/w@evil', 'p?w@evil', 'p#w@evil', '12/w', '12?w', '12#w', 'p@w', 'p@12/w', '1/@2', '1:2/3@4'])(
    'with the password %s is refused as it stands, without a word of it, and taken escaped',
    (password) => {
      for (const [make, scheme] of [
        [createPostgresBackend, 'postgres'],
        [createRedisBackend, 'redis'],
      ] as const) {
        const secret = `s3cret${password}s3cret`;
        for (const one of [secret, password]) {
          const error = wrongly(make, { url: `${scheme}://me:${one}@127.0.0.1:1/0` });
          expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
          expect(error.message).toMatch(/written %40|written %23/);
          expect(inspect(error)).not.toContain('s3cret');
        }
        const escaped = encodeURIComponent(secret);
        expect(() => make({ url: `${scheme}://me:${escaped}@127.0.0.1:1/0` })).not.toThrow();
      }
    },
  );
});

describe('what roles are made of', () => {
  it.each([
    ['createCacheBackend', createCacheBackend, [{}], /has to be a backend.*no open\(\), get\(\).* more/],
    ['createCacheBackend', createCacheBackend, [], /has to be a backend/],
    [
      'createCacheBackend',
      createCacheBackend,
      [backend, { ttl: 5 }],
      /unknown setting "ttl".*Valid: .*defaultTtlSeconds/,
    ],
    ['createDatabaseBackend', createDatabaseBackend, [{}], /has to be a backend/],
    ['createDatabaseBackend', createDatabaseBackend, [cache], /has to be a backend/],
    [
      'createDatabaseBackend',
      createDatabaseBackend,
      [backend, { keyPrefx: 'a' }],
      /did you mean "keyPrefix"/,
    ],
    ['createCachedDatabase', createCachedDatabase, [{}], /cache: has to be made by createCacheBackend/],
    ['createCachedDatabase', createCachedDatabase, [], /options: has to be an object of settings/],
    [
      'createCachedDatabase',
      createCachedDatabase,
      [{ ...cached, strategy: 'x' }],
      /strategy: has to be one of read-through/,
    ],
    ['createCachedDatabase', createCachedDatabase, [{ ...cached, ttl: 5 }], /unknown setting "ttl"/],
    [
      'createCachedDatabase',
      createCachedDatabase,
      [{ ...cached, writeBehind: { max: 1 } }],
      /writeBehind: unknown/,
    ],
  ])('is refused by %s: %#', (name, make, given, message) => {
    const error = wrongly(make, ...given);
    expect(error).toMatchObject({ name: 'StorageError', code: 'CONFIG_INVALID' });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(name);
  });
});

describe('the manager', () => {
  it('refuses options that it does not know or cannot use, with the valid ones', async () => {
    const config = { cache: { type: 'memory' } } as const;
    const error = wrongly((options: never) => new StorageManager(config, options), { looger: console });
    expect(error.message).toMatch(/"looger" \(did you mean "logger"\?\)\. Valid: .*onFallback/);
    await expect(createStorageBackends(config, { onError: 5 as never })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('onError: has to be a function'),
    });
    await expect(createStorageBackends(config, 5 as never)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('refuses a custom backend that is none', async () => {
    const config = { cache: { type: 'custom', backend: {} } } as const;
    await expect(createStorageBackends(config)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/cache\.backend: has to be a backend.*this has no open\(\)/),
    });
  });

  it.each([
    { type: 'redis', url: '$NOT_SET' },
    { type: 'postgres', connectionString: '${NOT_SET}' },
    { type: '$NOT_SET' },
    { type: 'redis', port: '$NOT_SET' },
    { type: 'redis', cluster: { nodes: [{ host: '$NOT_SET' }] } },
  ])('tells once of a variable that is not set: %j', async (cache) => {
    const manager = new StorageManager({ cache: cache as never }, { environment: {} });
    const error = (await manager.validateConfig().catch((reason: unknown) => reason)) as Error;
    expect(error.message.match(/NOT_SET is not set/g)).toHaveLength(1);
    expect(error.message.split('\n')).toHaveLength(2);
  });
});
