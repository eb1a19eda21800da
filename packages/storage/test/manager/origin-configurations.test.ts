import { errorCode } from '../../src/errors';
import { checkConfig } from '../../src/manager/check-config';

/*
 * Every block of settings that the documents of other storage systems show, and what it does here. Settings only;
 * where a document has one backend for everything, the block stands as it is.
 */

const HOURS_12 = '12h';

interface Taken {
  readonly name: string;
  readonly config: object;
  /** What it comes to. */
  readonly becomes: object;
  /** Aliases that had to be known. */
  readonly by?: string;
}

const taken: Taken[] = [
  {
    name: 'a cache in Redis by URL, a database in PostgreSQL by fields, its password from the environment',
    config: {
      cache: { type: 'redis', url: 'redis://localhost:6379', keyPrefix: 'saiki:cache:' },
      database: {
        ...{ type: 'postgresql', host: 'localhost', port: 5432, database: 'saiki', username: 'saiki_user' },
        ...{ password: '$DATABASE_PASSWORD', keyPrefix: 'saiki:db:' },
      },
    },
    becomes: {
      cache: { backend: { type: 'redis', host: 'localhost', port: 6379, keyPrefix: 'saiki:cache:' } },
      database: {
        backend: {
          ...{ type: 'postgres', host: 'localhost', port: 5432, database: 'saiki', username: 'saiki_user' },
          ...{ password: 'from the environment', keyPrefix: 'saiki:db:' },
        },
      },
    },
    by: 'postgresql',
  },
  {
    name: 'both in memory',
    config: { cache: { type: 'in-memory' }, database: { type: 'in-memory' } },
    becomes: { cache: { backend: { type: 'memory' } }, database: { backend: { type: 'memory' } } },
    by: 'in-memory',
  },
  {
    name: 'a database in an SQLite file',
    config: { database: { type: 'sqlite', path: '.saiki/saiki.db', keyPrefix: 'saiki:' } },
    becomes: { cache: undefined, database: { backend: { path: '.saiki/saiki.db', keyPrefix: 'saiki:' } } },
  },
  {
    name: 'a database in PostgreSQL, encrypted',
    config: {
      database: {
        ...{ type: 'postgresql', host: 'localhost', port: 5432, database: 'saiki', username: 'saiki_user' },
        ...{ password: 'secure_password', ssl: true },
      },
    },
    becomes: { database: { backend: { type: 'postgres', ssl: true, password: 'secure_password' } } },
    by: 'postgresql',
  },
  {
    name: 'a cache in Redis with retries',
    config: {
      cache: {
        ...{ type: 'redis', url: 'redis://localhost:6379', keyPrefix: 'saiki:cache:' },
        ...{ maxRetries: 3, retryDelayOnFailover: 100 },
      },
    },
    becomes: { cache: { backend: { retry: { retries: 3, initialDelayMs: 100, maxDelayMs: 2_000 } } } },
    by: 'maxRetries, retryDelayOnFailover',
  },
  {
    name: 'Redis by URL, PostgreSQL by host and database',
    config: {
      cache: { type: 'redis', url: 'redis://localhost:6379' },
      database: { type: 'postgresql', host: 'localhost', database: 'saiki' },
    },
    becomes: { database: { backend: { host: 'localhost', database: 'saiki' } } },
    by: 'postgresql',
  },
  {
    name: 'a pool of connections to PostgreSQL',
    config: {
      database: {
        ...{ type: 'postgresql', host: 'localhost', database: 'saiki' },
        pool: { min: 2, max: 10, acquireTimeoutMillis: 30_000, idleTimeoutMillis: 30_000 },
      },
    },
    becomes: {
      database: { backend: { pool: { min: 2, max: 10, acquireTimeoutMs: 30_000, idleTimeoutMs: 30_000 } } },
    },
    by: 'postgresql, acquireTimeoutMillis, idleTimeoutMillis',
  },
];

interface Refused {
  readonly name: string;
  readonly config: object;
  /** What the message says to do, setting by setting. */
  readonly remedies: readonly RegExp[];
}

const ROLE = /Say what it is for: \{ cache: \{ type: … \}, database: \{ type: … \} \}/;
const redisFields = { RedisAddress: 'localhost:6379', RedisPassword: '', RedisDB: 0, SessionTTL: HOURS_12 };
const mongoFields = {
  ...{ MongoURI: 'mongodb://localhost:27017', MongoDatabase: 'cs_ai', MongoCollection: 'sessions' },
  SessionTTL: '24h',
};

/** One backend for everything, which is a conversation's; here it is said for a role, in settings of its own. */
const refused: Refused[] = [
  {
    name: 'cs-ai: Redis',
    config: { Type: 'redis', ...redisFields, Timeout: '5s' },
    remedies: [ROLE, /RedisAddress: here "host" and "port"/],
  },
  { name: 'cs-ai: MongoDB', config: { Type: 'mongo', ...mongoFields, Timeout: '10s' }, remedies: [ROLE] },
  { name: 'cs-ai: in memory', config: { Type: 'memory', SessionTTL: '1h', Timeout: '1s' }, remedies: [ROLE] },
  {
    name: 'cs-ai: every field of its configuration',
    config: {
      ...{ Type: 'dynamo', ...redisFields, ...mongoFields, AWSRegion: 'eu-west-1', DynamoTable: 'sessions' },
      ...{ MaxRetries: 3, Timeout: '5s' },
    },
    remedies: [ROLE],
  },
  { name: 'cs-ai: Redis before migration', config: { Type: 'redis', ...redisFields }, remedies: [ROLE] },
  { name: 'cs-ai: MongoDB after migration', config: { Type: 'mongo', ...mongoFields }, remedies: [ROLE] },
  { name: 'cs-ai: in memory for tests', config: { Type: 'memory', SessionTTL: '1h' }, remedies: [ROLE] },
  { name: 'cs-ai: a client of its own', config: { Redis: {}, SessionTTL: HOURS_12 }, remedies: [/"Redis"/] },
  {
    name: 'cs-ai: a provider of its own',
    config: { StorageProvider: {}, SessionTTL: HOURS_12 },
    remedies: [/"StorageProvider"/],
  },
  {
    name: 'guide: in memory, with a time-out',
    config: { Type: 'memory', SessionTTL: '1h', Timeout: '5s' },
    remedies: [ROLE],
  },
  {
    name: 'guide: Redis with a password',
    config: { Type: 'redis', ...redisFields, RedisPassword: 'your-password', Timeout: '5s' },
    remedies: [ROLE],
  },
  {
    name: 'guide: every field, DynamoDB among them',
    config: {
      Type: 'dynamo',
      DynamoRegion: 'eu-west-1',
      DynamoTable: 't',
      DynamoEndpoint: 'http://localhost:8000',
    },
    remedies: [ROLE],
  },
  {
    name: 'cs-ai: Redis as a cache, its fields as they are',
    config: { cache: { type: 'redis', ...redisFields, Timeout: '5s', MaxRetries: 3 } },
    remedies: [
      /"RedisAddress" \(here "host" and "port", or "url"\)/,
      /"RedisPassword" \(here "password"\)/,
      /"RedisDB" \(here "db"\)/,
      /"SessionTTL" \(a lifetime is given with each write/,
      /"Timeout" \(here "timeoutMs", in milliseconds\)/,
      /"MaxRetries" \(here "retry"/,
    ],
  },
  {
    name: 'cs-ai: MongoDB as a database',
    config: { database: { type: 'mongo', ...mongoFields } },
    remedies: [/"MongoURI" \(here "url"\)/, /"MongoCollection" \(here "collectionPrefix"/],
  },
  {
    name: 'cs-ai: DynamoDB as a database',
    config: { database: { type: 'dynamo', DynamoRegion: 'eu-west-1', DynamoTable: 't' } },
    remedies: [/"DynamoRegion" \(here "region"\)/, /"DynamoTable" \(here "table"\)/],
  },
  {
    name: 'AG-UI: files',
    config: {
      ...{ Type: 'file', ReadTimeout: '1s', WriteTimeout: '2s' },
      FileOptions: {
        BaseDir: '/var/lib/state',
        EnableSharding: true,
        ShardCount: 16,
        FileMode: 0o644,
        BackupCount: 5,
      },
    },
    remedies: [ROLE],
  },
  {
    name: 'AG-UI: files as a database',
    config: { database: { type: 'file', FileOptions: { BaseDir: '/var/lib/state' } } },
    remedies: [/FileOptions" \(here its settings stand beside "type": "path", "enableSharding"/],
  },
  {
    name: 'AG-UI: Redis as a cache',
    config: {
      cache: {
        ...{
          type: 'redis',
          ConnectionURL: 'localhost:6379',
          ConnectTimeout: '5s',
          ReadTimeout: '2s',
          WriteTimeout: '2s',
        },
        RedisOptions: {
          PoolSize: 10,
          MinIdleConns: 5,
          MaxRetries: 3,
          Password: '',
          DB: 0,
          KeyPrefix: 'app:state:',
        },
      },
    },
    remedies: [
      /"ConnectionURL" \(here "url", with redis:\/\//,
      /"RedisOptions" \(here its settings stand beside "type"\)/,
    ],
  },
  {
    name: 'AG-UI: PostgreSQL as a database',
    config: {
      database: {
        ...{ type: 'postgresql', ConnectionURL: 'postgres://user:password@localhost/dbname?sslmode=disable' },
        ...{ Schema: 'public', MaxConnections: 10, ConnectTimeout: '10s' },
        PostgreSQLOptions: { SSLMode: 'disable', ApplicationName: 'ag-ui-state' },
      },
    },
    remedies: [/"ConnectionURL"/, /"Schema" \(here "schema"\)/, /"MaxConnections" \(here "pool": \{ "max"/],
  },
];

describe('configurations of other storage systems', () => {
  it.each(taken)('are taken: $name', ({ config, becomes }) => {
    const resolved = checkConfig(config, { DATABASE_PASSWORD: 'from the environment' }, 'test');
    expect(resolved).toMatchObject(becomes);
  });

  it.each(taken.filter(({ by }) => by === undefined))('are taken without an alias: $name', ({ config }) => {
    expect(JSON.stringify(config)).not.toMatch(/postgresql|in-memory|Millis|maxRetries/);
  });

  it.each(refused)('are refused with CONFIG_INVALID and a remedy: $name', ({ config, remedies }) => {
    let error: unknown;
    try {
      checkConfig(config, {}, 'test');
    } catch (thrown) {
      error = thrown;
    }
    expect(errorCode(error)).toBe('CONFIG_INVALID');
    for (const remedy of remedies) expect((error as Error).message).toMatch(remedy);
    expect((error as Error).message).not.toMatch(/your-password|user:password/);
  });

  it.each([
    [
      'cs-ai and guide: Redis',
      { cache: { type: 'redis', host: 'localhost', port: 6379, db: 0, timeoutMs: 5_000 } },
    ],
    [
      'AG-UI: Redis',
      { cache: { type: 'redis', url: 'redis://localhost:6379', keyPrefix: 'app:state:', maxRetries: 3 } },
    ],
    [
      'AG-UI: PostgreSQL',
      {
        database: {
          ...{
            type: 'postgres',
            url: 'postgres://user:password@localhost/dbname?sslmode=disable',
            schema: 'public',
          },
          ...{
            applicationName: 'ag-ui-state',
            pool: { max: 10 },
            timeoutMs: 5_000,
          },
        },
      },
    ],
  ])('are taken once the remedies were followed: %s', (_name, config) => {
    expect(() => checkConfig(config, {}, 'test')).not.toThrow();
  });
});
