import { createMemoryBackend } from '../../src/backends/memory/memory-backend';
import { errorCode } from '../../src/errors';
import { checkConfig } from '../../src/manager/check-config';
import type { ResolvedStorage } from '../../src/manager/resolved-config';
import type { StorageConfig } from '../../src/manager/storage-config';
import { aroundBackend } from '../../src/resilience/around-backend';

const check = (config: unknown, environment = {}): ResolvedStorage =>
  checkConfig(config, environment, 'test');

function problemsOf(config: unknown, environment = {}): string[] {
  try {
    check(config, environment);
  } catch (error) {
    expect(errorCode(error)).toBe('CONFIG_INVALID');
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

describe('the types of backends', () => {
  it.each([
    ['in-memory', 'memory'],
    ['memory', 'memory'],
    ['file', 'file'],
    ['sqlite', 'sqlite'],
    ['postgresql', 'postgres'],
    ['postgres', 'postgres'],
    ['redis', 'redis'],
    ['mongodb', 'mongodb'],
    ['mongo', 'mongodb'],
    ['dynamodb', 'dynamodb'],
    ['dynamo', 'dynamodb'],
  ])('takes %s as %s', (name, type) => {
    expect(check({ database: { type: name } }).database?.backend.type).toBe(type);
  });

  it.each([
    [
      'mysql',
      /^database\.type: "mysql" is unknown.* Valid types: memory, file, sqlite, postgres, redis, mongodb, dynamodb, custom$/,
    ],
    ['dynamodbb', /did you mean "dynamodb"/],
    ['postgress', /"postgress" is unknown \(did you mean "postgres"\?\)\. Valid types/],
    ['Redis', /did you mean "redis"/],
    ['constructor', /"constructor" is unknown\. Valid/],
    ['__proto__', /"__proto__" is unknown\. Valid/],
    ['', /"" is unknown\. Valid/],
    [undefined, /is missing\. Valid types/],
    [7, /has to be a text/],
  ])('refuses %s', (type, message) => {
    expect(problemsOf({ database: { type } })).toEqual([expect.stringMatching(message)]);
  });
});

describe('the names of settings', () => {
  it('lists the valid ones and guesses which was meant', () => {
    expect(problemsOf({ database: { type: 'sqlite', paht: 'a' } })).toEqual([
      'database: unknown setting "paht" (did you mean "path"?). Valid: keyPrefix, path, createFolder, synchronous, busyTimeoutMs, maxValueBytes, client',
    ]);
    expect(problemsOf({ database: { type: 'postgres', pool: { maximum: 3 } } })).toEqual([
      expect.stringMatching(
        /^database\.pool: unknown setting "maximum".* Valid: min, max, idleTimeoutMs, acquireTimeoutMs$/,
      ),
    ]);
  });

  it('lists the valid ones at the top too', () => {
    expect(problemsOf({ cashe: { type: 'memory' } })[0]).toBe(
      'config: unknown setting "cashe" (did you mean "cache"?). Valid: cache, database, slowOperationMs',
    );
  });

  it('shows none that may be a secret', () => {
    const url = 'postgres://u:hunter2@h/db';
    expect(problemsOf({ cache: { type: 'memory', paht: 1, [url]: 2, 'password hunter2': 3 } })).toEqual([
      'cache: unknown setting "paht", a setting whose name is no word (25 characters), a setting whose name is no word (16 characters). Valid: keyPrefix, maxItems, maxBytes, maxValueBytes, whenFull',
    ]);
    expect(problemsOf({ [url]: { type: 'memory' } })[0]).toBe(
      'config: a setting whose name is no word (25 characters). Valid: cache, database, slowOperationMs',
    );
    const cluster = { nodes: [{ host: 'h' }], natMap: { [url]: { host: '$NONE' }, 'hunter2:1': {} } };
    expect(problemsOf({ cache: { type: 'redis', cluster } })).toEqual([
      expect.stringMatching(/^cache\.cluster\.natMap\.\(a name of 25 characters\)\.host: the environment/),
      expect.stringMatching(/^cache\.cluster\.natMap\.\(a name of 9 characters\)\.host: has to be a text/),
    ]);
  });

  it.each(['__proto__', 'constructor', 'toString'])('refuses %s', (name) => {
    const half = JSON.parse(`{"type": "memory", ${JSON.stringify(name)}: 1}`) as object;
    expect(problemsOf({ cache: half })).toEqual([expect.stringContaining(`unknown setting "${name}"`)]);
    const whole = JSON.parse(`{"cache": {"type": "memory"}, ${JSON.stringify(name)}: 1}`) as object;
    expect(problemsOf(whole)).toEqual([expect.stringContaining(`unknown setting "${name}"`)]);
  });

  it('tells everything that is wrong at once', () => {
    expect(
      problemsOf({
        cache: { type: 'redis', port: 0, db: -1 },
        database: { type: 'sqlite', x: 1 },
        slowOperationMs: 'a',
      }),
    ).toEqual([
      expect.stringMatching(/^cache\.port: has to be a whole number from 1 to 65535$/),
      expect.stringMatching(/^cache\.db: /),
      expect.stringMatching(/^database: unknown setting "x"/),
      expect.stringMatching(/^slowOperationMs: /),
    ]);
  });

  it('wants a half to be there, and to be one', () => {
    expect(problemsOf({})).toEqual(['config: has neither "cache" nor "database"']);
    expect(problemsOf({ cache: 'redis' })).toEqual([expect.stringMatching(/^cache: has to be an object/)]);
    expect(problemsOf(undefined)).toEqual([expect.stringMatching(/^config: has to be an object/)]);
    expect(problemsOf({ type: 'redis' })).toEqual(
      expect.arrayContaining([expect.stringContaining('Say what it is for: { cache:')]),
    );
  });

  it.each([
    [{ pool: { acquireTimeoutMillis: 7 } }, { pool: { acquireTimeoutMs: 7 } }],
    [{ pool: { idleTimeoutMillis: 7, max: 3 } }, { pool: { idleTimeoutMs: 7, max: 3 } }],
    [{ user: 'a' }, { username: 'a' }],
    [{ connectionString: 'postgres://h/d' }, { host: 'h', database: 'd' }],
  ])('takes %j of PostgreSQL as %j', (given, expected) => {
    expect(check({ database: { type: 'postgres', ...given } }).database?.backend).toMatchObject(expected);
  });

  it('refuses a setting that is there under two names', () => {
    expect(problemsOf({ database: { type: 'postgres', user: 'a', username: 'b' } })).toEqual([
      'database.user: says the same as "username". Say it once',
    ]);
  });
});

describe('defaults', () => {
  // A variable that was not set made a program use the storage of the machine that it ran on.
  it.each([
    ['postgres', 'url'],
    ['postgres', 'connectionString'],
    ['redis', 'host'],
    ['mongodb', 'uri'],
    ['sqlite', 'path'],
    ['file', 'path'],
  ])('of %s do not stand for "%s" where it is undefined', (type, name) => {
    expect(problemsOf({ database: { type, [name]: undefined } })).toEqual([
      `database.${name}: is there, and undefined. Leave it out for the default, or write "$NAME" for a variable`,
    ]);
    expect(
      problemsOf({ database: { type: 'postgres', fallback: [{ type: 'sqlite', path: undefined }] } }),
    ).toEqual([expect.stringMatching(/^database\.fallback\.0\.path: is there, and undefined/)]);
    expect(problemsOf({ database: { type: 'postgres', user: undefined, port: undefined } })).toEqual([]);
  });

  it('are filled in for each type', () => {
    const { cache, database } = check({ cache: { type: 'redis' }, database: { type: 'postgres' } });
    expect(cache?.backend).toEqual({
      type: 'redis',
      keyPrefix: 'recap:',
      timeoutMs: 10_000,
      retry: { retries: 3, initialDelayMs: 50, maxDelayMs: 2_000 },
      autoPipelining: false,
      circuitBreaker: { failures: 5, resetAfterMs: 5_000 },
      clientName: 'recap',
      connectTimeoutMs: 10_000,
      waitReplicas: 0,
      waitTimeoutMs: 1_000,
      maxValueBytes: 16_777_216,
    });
    expect(database?.backend).toMatchObject({
      keyPrefix: 'recap:',
      applicationName: 'recap',
      pool: { min: 0, max: 10, idleTimeoutMs: 10_000, acquireTimeoutMs: 10_000 },
    });
    expect(check({ database: { type: 'sqlite' } }).database?.backend).toEqual({
      type: 'sqlite',
      keyPrefix: 'recap:',
      path: '.recap/storage.db',
      createFolder: true,
      synchronous: 'full',
      busyTimeoutMs: 5_000,
      maxValueBytes: 1_048_576,
    });
  });

  it('leave room for going without retries and circuit breaker', () => {
    const half = { type: 'redis', retry: false, circuitBreaker: false };
    expect(check({ cache: half }).cache?.backend).toMatchObject({ retry: false, circuitBreaker: false });
    expect(problemsOf({ cache: { type: 'redis', retry: { attempts: 3 } } })).toEqual([
      expect.stringMatching(/^cache\.retry: unknown setting "attempts"/),
    ]);
    expect(problemsOf({ cache: { type: 'redis', retry: { retries: 'many' } } })).toEqual([
      expect.stringMatching(/^cache\.retry\.retries: has to be a whole number from 0 to 20/),
    ]);
    expect(problemsOf({ cache: { type: 'redis', tls: { caa: 'x' } } })).toEqual([
      expect.stringMatching(/^cache\.tls: unknown setting "caa" \(did you mean "ca"\?\)/),
    ]);
  });
});

describe('URLs', () => {
  it('are really used', () => {
    const { cache, database } = check({
      cache: { type: 'redis', url: 'rediss://me:p%40ss@cache.example:6380/2' },
      database: { type: 'postgresql', url: 'postgresql://me:p%2Fss@[::1]:5433/orders?sslmode=require' },
    });
    expect(cache?.backend).toMatchObject({
      ...{ host: 'cache.example', port: 6380, username: 'me', password: 'p@ss', db: 2, tls: true },
    });
    expect(database?.backend).toMatchObject({
      ...{ host: '::1', port: 5433, username: 'me', password: 'p/ss', database: 'orders', ssl: true },
    });
    expect(database?.backend).not.toHaveProperty('url');
  });

  it('leave open what a field then says', () => {
    const given = { type: 'postgres', url: 'postgres://me@h/d', password: 'x', port: 1 };
    expect(check({ database: given }).database?.backend).toMatchObject({
      username: 'me',
      password: 'x',
      port: 1,
    });
  });

  it('are taken as providers give them', () => {
    const of = (url: string, more: object = {}): object =>
      check({ database: { type: url.startsWith('postgres') ? 'postgres' : 'redis', url, ...more } }).database!
        .backend;
    // Neon's own.
    expect(of('postgres://h/d?sslmode=require&channel_binding=require')).toMatchObject({
      ...{ ssl: true, channelBinding: true },
    });
    expect(of('postgres://h/d?channel_binding=disable')).toMatchObject({ channelBinding: false });
    expect(of('postgres://h/d?options=-c%20search_path%3Dapp&application_name=me')).toMatchObject({
      ...{ options: '-c search_path=app', applicationName: 'me' },
    });
    expect(of('postgres://h/d?connect_timeout=15', { pool: { max: 3 } })).toMatchObject({
      pool: { max: 3, min: 0, acquireTimeoutMs: 15_000 },
    });
    expect(of('postgres://h/d?pgbouncer=true')).toMatchObject({ preparedStatements: false });
    expect(of('postgres://h/d?pgbouncer=false')).toMatchObject({ preparedStatements: true });
    expect(of('redis://h/1?family=6')).toMatchObject({ host: 'h', db: 1, family: 6 });
    expect(of('unix:///run/redis.sock?db=2')).toMatchObject({ host: '/run/redis.sock', db: 2 });
  });

  it('are not said again in fields', () => {
    for (const [parameter, field] of [
      ['application_name=a', { applicationName: 'recap' }],
      ['connect_timeout=5', { pool: { acquireTimeoutMs: 5_000 } }],
      ['pgbouncer=true', { preparedStatements: true }],
    ] as const)
      expect(
        problemsOf({ database: { type: 'postgres', url: `postgres://h/d?${parameter}`, ...field } }),
      ).toEqual([expect.stringMatching(/^database\.\S+: is said by "url" too\. Say it once/)]);
    expect(problemsOf({ cache: { type: 'redis', url: 'redis://h:1/0', host: 'other', db: 0 } })).toEqual([
      'cache.host: is said by "url" too. Say it once',
      'cache.db: is said by "url" too. Say it once',
    ]);
  });

  it('take certificates beside them', () => {
    const tls = { ca: 'PEM' };
    expect(check({ cache: { type: 'redis', url: 'rediss://h', tls } }).cache?.backend).toMatchObject({
      tls: { ca: 'PEM', rejectUnauthorized: true },
    });
    expect(problemsOf({ cache: { type: 'redis', url: 'rediss://h', tls: false } })).toEqual([
      expect.stringMatching(/^cache\.tls: is said by "url" too/),
    ]);
  });

  it.each([
    ['postgres', 'mysql://h/d', /^database\.url: has to begin with postgres:\/\/ or postgresql:\/\/$/],
    ['postgres', 'localhost:5432', /has to begin with/],
    ['postgres', 'postgres://h:port/d', /is no URL\. Characters such as @ : \/ \? # % in a name or password/],
    ['postgres', 'postgres://h/d?sslmode=prefer', /sslmode that is not taken\. Valid: disable, require/],
    ['postgres', 'postgres://h/d?pool=3', /parameter "pool" that is not taken\. Valid: sslmode/],
    // Without a certificate that is checked, somebody in between could take it out of what the server offers.
    [
      'postgres',
      'postgres://h/d?channel_binding=require',
      /channel_binding=require without a sslmode that checks/,
    ],
    ['postgres', 'postgres://h/d?channel_binding=require&sslmode=no-verify', /without a sslmode that checks/],
    ['postgres', 'postgres://h/d?channel_binding=on', /channel_binding that is not taken\. Valid: disable/],
    ['postgres', 'postgres://h/d?connect_timeout=soon', /connect_timeout that is no number/],
    ['postgres', 'postgres://h/d?pgbouncer=1', /pgbouncer that is neither/],
    [
      'postgres',
      'postgres://h/d?target_session_attrs=read-write',
      /"target_session_attrs" that is not taken \(which pg/,
    ],
    ['postgres', 'postgres://h/d?connection_limit=1', /\(of Prisma; here "pool": \{ "max": … \}\)/],
    ['redis', 'redis://h/0?family=5', /family that is not taken\. Valid: 0, 4, 6/],
    ['redis', 'unix://run/redis.sock', /unix:\/\/\/run\/redis\.sock/],
    ['redis', 'unix://', /unix:\/\/\/run\/redis\.sock/],
    // The rest of a password that holds a "?".
    ['postgres', 'postgres://u:1?s3cret@h/d', /can be read in two ways: an @/],
    ['postgres', 'postgres://u:p%zz@h/d', /is no URL/],
    ['redis', 'redis://h/cache', /names a database that is no number/],
    ['redis', 'redis://u:p#ss@h', /can be read in two ways: an @/],
    ['redis', 'redis://h/0#1', /has a "#"/],
    ['redis', '$REDIS_URL', /REDIS_URL is not set/],
  ])('for %s refuse %s', (type, url, message) => {
    expect(problemsOf({ database: { type, url } })[0]).toMatch(message);
  });

  it.each([
    ['redis', 'sentinel', { name: 'm', nodes: [{ host: 'a' }] }],
    ['redis', 'cluster', { nodes: [{ host: 'a', port: 7000 }] }],
    ['redis', 'client', {}],
    ['postgres', 'client', {}],
  ])('of %s do not go together with %s', (type, way, value) => {
    const url = `${type}://h`;
    expect(problemsOf({ database: { type, url, [way]: value } })).toEqual([
      `database.url: does not go together with "${way}"`,
    ]);
    expect(problemsOf({ database: { type, [way]: value } })).toEqual([]);
  });
});

describe('the environment', () => {
  const environment = { URL: 'redis://h:7', PORT: '5433', TLS: 'true', PASSWORD: '$PORT${PORT}' };

  it('brings texts, numbers and flags', () => {
    const { cache, database } = check(
      {
        cache: { type: 'redis', url: '${URL}' },
        database: {
          type: 'postgres',
          port: '$PORT',
          ssl: '$TLS',
          password: '$PASSWORD',
          pool: { max: '${MAX:-7}' },
        },
      },
      environment,
    );
    expect(cache?.backend).toMatchObject({ host: 'h', port: 7 });
    expect(database?.backend).toMatchObject({
      port: 5433,
      ssl: true,
      password: '$PORT${PORT}',
      pool: { max: 7 },
    });
  });

  it('brings them in TypeScript too', () => {
    // Checked by the compiler: numbers and flags as texts, and variables as they are.
    const { PORT, TLS } = environment as Record<string, string>;
    const config: StorageConfig = {
      cache: { type: 'redis', port: '${PORT:-6379}', tls: TLS!, db: '1', retry: { retries: '2' } },
      database: {
        ...{ type: 'postgres', port: PORT!, ssl: '${NO_TLS:-false}', pool: { max: '$PORT' } },
        fallback: { to: [{ type: 'sqlite', createFolder: '$TLS' }], stableMs: '5' },
      },
      slowOperationMs: '${SLOW:-200}',
    };
    const { cache, database, slowOperationMs } = check(config, { ...environment, PORT: '500' });
    expect(cache?.backend).toMatchObject({ port: 500, tls: true, db: 1, retry: { retries: 2 } });
    expect(database?.backend).toMatchObject({ port: 5433, ssl: false, pool: { max: 500 } });
    expect(database?.fallback).toMatchObject({ to: [{ createFolder: true }], stableMs: 5 });
    expect(slowOperationMs).toBe(200);
  });

  it('is asked for nothing by a reference without its end, which is told with its place and without the text', () => {
    const database = { type: 'redis', host: 'h', password: 'geheim${HOST', keyPrefix: '${HOST' };
    const problems = problemsOf({ database }, { HOST: 'h' });
    expect(problems).toEqual([
      expect.stringMatching(/^database\.password: has a reference without its end/),
      expect.stringMatching(/^database\.keyPrefix: has a reference without its end/),
    ]);
    expect(problems.join()).not.toContain('geheim');
  });

  it('is named where it lacks a variable', () => {
    expect(problemsOf({ database: { type: 'postgres', password: '$DATABASE_PASSWORD' } })).toEqual([
      expect.stringMatching(/^database\.password: the environment variable DATABASE_PASSWORD is not set/),
    ]);
  });
});

describe('what is handed in', () => {
  it('is handed on as it is', () => {
    class Pool {
      query(): void {}
    }
    const client = new Pool();
    const { database } = check({ database: { type: 'postgres', client } });
    expect(database?.backend).toHaveProperty('client', client);
    const backend = createMemoryBackend();
    const { cache } = check({ cache: { type: 'custom', backend } });
    expect((cache?.backend as { backend: unknown }).backend).toBe(backend);
    expect(problemsOf({ cache: { type: 'custom' } })).toEqual([
      expect.stringMatching(/^cache\.backend: has to be a backend/),
    ]);
  });

  it('may be an object literal, whose texts are its own', () => {
    const backend = { ...aroundBackend(createMemoryBackend(), (_, run) => run()), label: '${NAME} costs $5' };
    const client = { query: () => undefined, connect: () => undefined, label: '$NAME' };
    const { cache, database } = check({
      cache: { type: 'custom', backend, fallback: { to: [{ type: 'custom', backend: { ...backend } }] } },
      database: { type: 'postgres', client, fallback: [{ type: 'custom', backend }] },
    });
    expect((cache?.backend as { backend: unknown }).backend).toBe(backend);
    expect((database?.backend as { client: unknown }).client).toBe(client);
    expect((database?.fallback?.to[0] as { backend: unknown }).backend).toBe(backend);
    expect(cache?.fallback?.to[0]).toHaveProperty('backend.label', '${NAME} costs $5');
    expect(client.label).toBe('$NAME');
  });

  it('is read a few times where it stands in a wrong place and leads to the same again and again', () => {
    let reads = 0;
    let tree: object = {
      get text() {
        reads += 1;
        return '$NAME is read';
      },
    };
    for (let level = 0; level < 16; level += 1) tree = { left: tree, right: tree };
    expect(problemsOf({ database: { type: 'memory', tree } })).toEqual([
      expect.stringMatching(/^database: unknown setting "tree"/),
    ]);
    expect(reads).toBeLessThan(1_000);
  });
});

describe('the fallback', () => {
  const typesOf = (half: object): unknown =>
    check({ database: half }).database?.fallback?.to.map((each) => each.type);

  it.each([
    ['redis', ['memory']],
    ['postgres', ['sqlite', 'memory']],
    ['sqlite', ['memory']],
  ])('is documented for %s: %j', (type, expected) => {
    expect(typesOf({ type, fallback: 'documented' })).toEqual(expected);
  });

  it('takes types, settings and both', () => {
    const half = { type: 'postgres', fallback: [{ type: 'sqlite', path: 'x.db' }, 'in-memory'] };
    expect(check({ database: half }).database?.fallback).toMatchObject({
      to: [{ type: 'sqlite', path: 'x.db' }, { type: 'memory' }],
      reads: 'known',
      probeIntervalMs: 1_000,
      stableMs: 10_000,
    });
    const long = { type: 'redis', fallback: { to: ['memory'], reads: 'known', stableMs: 5 } };
    expect(check({ cache: long }).cache?.fallback).toMatchObject({ reads: 'known', stableMs: 5 });
    expect(check({ cache: { type: 'redis', fallback: ['memory'] } }).cache?.fallback?.reads).toBe('partial');
  });

  it('keeps its file apart from that of the backend', () => {
    const { database } = check({ database: { type: 'postgres', fallback: ['sqlite'] } });
    expect(database?.fallback?.to[0]).toMatchObject({ path: '.recap/database-fallback.db' });
  });

  it('is none unless it is asked for', () => {
    expect(check({ database: { type: 'postgres' } }).database?.fallback).toBeUndefined();
  });

  it.each([
    ['memory', 'documented', /memory has no documented fallback/],
    ['postgres', [], /has to be "documented" or a list of 1 to \d+ backends/],
    [
      'postgres',
      'sqlite',
      /^database\.fallback: has to be "documented", a list of backends such as \["memory"\]/,
    ],
    ['postgres', 7, /^database\.fallback: has to be an object of settings/],
    ['postgres', ['sqlit'], /^database\.fallback\.0\.type: "sqlit" is unknown \(did you mean "sqlite"\?\)/],
    [
      'sqlite',
      ['memory', 'sqlite', { type: 'sqlite', path: '.recap/../.recap/storage.db' }],
      /^database\.fallback\.2: is the same storage as one before it/,
    ],
    ['file', [{ type: 'file', path: '.recap/files' }], /^database\.fallback\.0: is the same storage/],
    ['postgres', ['sqlite', 'memory', 'memory', 'sqlite'], /^database\.fallback\.3: is the same storage/],
    ['postgres', [{ type: 'sqlite', fallback: ['memory'] }], /fallback of its own/],
    [
      'postgres',
      ['memory', 'redis'],
      /^database\.fallback\.1: cannot be redis: .* Take memory, file or sqlite$/,
    ],
    [
      'postgres',
      { to: ['memory'], reads: 'all' },
      /^database\.fallback\.reads: has to be "known" or "partial"/,
    ],
    ['postgres', { too: ['memory'] }, /unknown setting "too" \(did you mean "to"\?\)/],
  ])('of %s cannot be %j', (type, fallback, message) => {
    expect(problemsOf({ database: { type, fallback } })[0]).toMatch(message);
  });
});

describe('messages', () => {
  const SECRET = 'hunter2-hunter2';
  it.each([
    { type: 'postgres', url: `postgres://u:${SECRET}@h:x/d` },
    { type: 'postgres', url: `postgres://u:${SECRET}#1@h/d` },
    { type: 'postgres', url: SECRET },
    { type: 'postgres', url: `postgres://u:${SECRET}@h/d`, password: SECRET },
    { type: 'postgres', url: `postgres://u:${SECRET}@h/d?sslmode=${SECRET}` },
    { type: 'postgres', password: { value: SECRET } },
    { type: 'postgres', pool: SECRET, ssl: SECRET, port: SECRET, client: SECRET },
    { type: 'redis', sentinel: { name: 'm', nodes: SECRET, password: [SECRET] } },
    { type: 'redis', retry: SECRET, cluster: { nodes: [SECRET] }, tls: { key: [SECRET], cert: 5 } },
    { type: 'redis', url: `redis://:${SECRET}@h/${SECRET}` },
    { type: 'redis', password: `\${NOPE}${SECRET}` },
    { type: `postgres://u:${SECRET}@h/d` },
    { type: 'redis', host: `redis://:${SECRET}@h` },
    { type: 'postgres', host: `u:${SECRET}@h` },
    { type: 'sqlite', path: `postgres://u:${SECRET}@h/d` },
    { type: 'postgres', fallback: [`postgres://u:${SECRET}@h/d`] },
  ])('hold no secret of %j', (half) => {
    const problems = problemsOf({ database: half });
    expect(problems).not.toEqual([]);
    expect(problems.join()).not.toContain(SECRET);
  });
});
