import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig } from '../../src/manager/check-config';
import { loadStorageConfig, type LoadConfigOptions } from '../../src/manager/load-storage-config';
import type { StorageConfig } from '../../src/manager/storage-config';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'recap-config-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function write(text: string | Uint8Array, extension = 'yaml'): string {
  const path = join(folder, `${(files += 1)}.${extension}`);
  writeFileSync(path, text);
  return path;
}

async function failure(
  text: string | Uint8Array,
  extension = 'yaml',
  options: LoadConfigOptions = {},
): Promise<string> {
  const path = write(text, extension);
  const error: unknown = await loadStorageConfig(path, { environment: {}, ...options }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'StorageError', code: 'CONFIG_INVALID' });
  return (error as Error).message.replaceAll(path, 'FILE');
}

const YAML = `
# an application's own settings
model: gpt
storage:
  cache:
    type: redis
    url: redis://\${CACHE_HOST:-localhost}:6379
    keyPrefix: "app:cache:"
  database:
    type: postgresql
    port: $PGPORT
    password: $DATABASE_PASSWORD
`;

const EXPECTED = {
  cache: { type: 'redis', url: 'redis://localhost:6379', keyPrefix: 'app:cache:' },
  database: { type: 'postgresql', port: '5433', password: 'a$b${c}' },
};
const environment = { PGPORT: '5433', DATABASE_PASSWORD: 'a$b${c}' };

describe('loadStorageConfig', () => {
  it('reads the section of a YAML file, and references in it', async () => {
    expect(await loadStorageConfig(write(YAML), { environment })).toEqual(EXPECTED);
    expect(await loadStorageConfig(write(YAML, 'yml'), { environment, section: 'storage' })).toEqual(
      EXPECTED,
    );
  });

  it.each([undefined, '\t'])('reads JSON indented by %j, with a byte order mark too', async (space) => {
    const text = JSON.stringify({ database: { type: 'sqlite', path: 'a.db' } }, null, space);
    expect(await loadStorageConfig(write(`\ufeff${text}`, 'json'))).toEqual({
      database: { type: 'sqlite', path: 'a.db' },
    });
  });

  // Read again, a part of the password was told as the name of a variable that is not set.
  it.each<[string, (config: StorageConfig) => unknown]>([
    ['handed on', (config) => config],
    ['with a setting more', (config) => ({ ...config, slowOperationMs: 5 })],
    ['with a setting more of a backend', ({ database }) => ({ database: { ...database, timeoutMs: 500 } })],
    ['cloned', (config) => structuredClone(config)],
    ['that went through JSON', (config) => JSON.parse(JSON.stringify(config)) as unknown],
  ])('brings values that are not read for references again in a configuration %s', async (_how, copy) => {
    for (const password of ['$HUNTER', 'a$b${c}', '${HUNTER:-2}', '$${HUNTER}', '${']) {
      const path = write('database: {type: postgres, password: $PASSWORD, username: a$$$$b}');
      const config = await loadStorageConfig(path, { environment: { PASSWORD: password } });
      const { database } = checkConfig(copy(config), { HUNTER: 'other', c: 'other' }, 'test');
      expect(database?.backend).toMatchObject({ password, username: 'a$$b' });
    }
  });

  it.each([
    'storage:\n  database: { type: postgres, url postgres://u:hunter2@h/db }',
    'storage:\n  database:\n    type: postgres\n    password:hunter2: x',
    'storage:\n  database: { type: postgres, ssl: {{ hunter2 }} }',
    'storage:\n  database: { postgres://u:hunter2@h/db }',
    'storage:hunter2: {}',
    'storage hunter2: {}',
    'storage: { database: { type: postgres, password: @hunter2 } }',
    'storage: { database: { type: postgres, password: "hunter2 } }',
    'storage: { hunter2 a: 1, hunter2 a: 2 }',
  ])('shows no secret that has become a name: %j', async (text) => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation();
    const message = await failure(text);
    const told = JSON.stringify([message, ...warn.mock.calls]);
    warn.mockRestore();
    expect(message).toMatch(/\b\d+:\d+:/);
    expect(told).not.toContain('hunter2');
  });

  it('says where each setting stands that is wrong', async () => {
    expect(
      await failure(
        'storage:\n  cache:\n    type: redis\n    port: none\n  database:\n    type: postgress\n',
      ),
    ).toBe(
      'FILE: the configuration cannot work.\n' +
        '  4:11: storage.cache.port: has to be a whole number from 1 to 65535\n' +
        '  6:11: storage.database.type: "postgress" is unknown (did you mean "postgres"?). ' +
        'Valid types: memory, file, sqlite, postgres, redis, mongodb, dynamodb, custom',
    );
    expect(await failure('{"cache": {\n  "type": "redis",\n  "password": "$NONE"}}', 'json')).toMatch(
      /^ {2}3:15: cache\.password: the environment variable NONE is not set/m,
    );
  });

  it.each([
    ['storage: [a', /^FILE:1:\d+: the indentation is wrong here, or a bracket/],
    ['a: 1\na: 2', /^FILE:2:1: this key is there twice\.$/],
    ['a:\n\tb: 1', /^FILE:2:\d+: a tab is no indentation in YAML\.$/],
    ['cache: {type: memory}\n---\ncache: {type: memory}', /^FILE:2:1: a second document begins here/],
    ['password: *secret', /^FILE:1:11: an alias/],
    ['password: @secret', /^FILE:1:11: a text that begins with @/],
    ['password: !secret x', /^FILE:1:11: a tag/],
    ['a: b: secret', /^FILE:1:\d+: the indentation is wrong/],
    ['a: !!js/function "secret"', /^FILE:1:4: a tag/],
    ['"a": "secret', /^FILE:1:\d+: a bracket, a quote/],
    ['a: { b: ${secret} }', /^FILE:1:9: a text that holds "\$\{" is quoted within \{ \} and \[ \] in YAML/],
    ['a: {\n  b: redis://${secret:-h}:6379,\n  c: 1 }', /^FILE:2:14: a text that holds "\$\{" is quoted/],
    ['a: [x, ${secret}]', /^FILE:1:8: a text that holds "\$\{" is quoted/],
    ['a: {\n  <<: secret }', /^FILE:2:3: a merge key \(<<\) takes a map/],
    ['a: &a [secret]\nb:\n  <<: *a', /^FILE:3:3: a merge key \(<<\) takes a map/],
  ])('says where %j stops being YAML, and shows nothing of it', async (text, message) => {
    const told = await failure(text);
    expect(told).toMatch(message);
    expect(told).not.toContain('secret');
  });

  it.each([
    ['{"a": secret}', 'FILE:1:7: this is not JSON.'],
    ['{"a": 1,\n}', 'FILE:2:1: this is not JSON.'],
    ['{"cache": {}} // secret', 'FILE:1:15: this is not JSON.'],
    ['', 'FILE:1:1: this is not JSON.'],
    ['{"a": 1, "a": 2}', 'FILE:1:10: this key is there twice.'],
  ])('says where %j stops being JSON', async (text, message) => {
    expect(await failure(text, 'json')).toBe(message);
  });

  it.each([
    ['', /^ {2}1:1: config: has to be an object/m],
    ['- a', /^ {2}1:1: config: has to be an object/m],
    ['storage: text', /^ {2}1:10: storage: has to be an object/m],
    ['type: redis', /is the configuration of one backend/],
    [
      'storge: {cache: {type: memory}}',
      /^ {2}1:1: config: has no key "storage" \(is "storge" meant to be it\?\), and neither "cache" nor "database"\. The option "section" names another key$/m,
    ],
    ['{prod: {cache: {type: memory}}}', /^ {2}1:1: config: has no key "storage", and neither/m],
    ['RedisAddress: h', /RedisAddress: here "host" and "port"/],
  ])('refuses %j', async (text, message) => {
    expect(await failure(text)).toMatch(message);
  });

  it('refuses a file that is not there, not YAML or JSON by name, not UTF-8, or without the section', async () => {
    await expect(loadStorageConfig(join(folder, 'none.yaml'))).rejects.toThrow(
      /none\.yaml cannot be read \(ENOENT\)/,
    );
    await expect(loadStorageConfig(folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await failure('', 'toml')).toBe(
      'The configuration file FILE has to be a .yaml, .yml or .json file.',
    );
    expect(await failure(Uint8Array.of(0x61, 0x3a, 0xff))).toBe('The configuration file FILE is not UTF-8.');
    expect(await failure('a: 1', 'yaml', { section: 'store' })).toMatch(/has no key "store"/);
    for (const section of ['constructor', '__proto__', 'toString'])
      expect(await failure('a: 1', 'yaml', { section })).toBe(
        `The configuration file FILE has no key "${section}".`,
      );
  });

  it.each([
    [
      { sectoin: 'prod' },
      /options: unknown setting "sectoin" \(did you mean "section"\?\)\. Valid: environment, section/,
    ],
    [{ section: 7 }, /section: has to be a text/],
    [{ environment: 'prod' }, /environment: has to be an object, such as process\.env/],
    ['prod', /options: has to be an object of settings/],
  ])('refuses the options %j', async (options, message) => {
    const path = write('prod: {cache: {type: memory}}');
    await expect(loadStorageConfig(path, options as never)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('stops at 256 KiB, at deep nesting and at aliases of aliases', async () => {
    expect(await failure(`# ${'x'.repeat(256 * 1024)}`)).toMatch(/larger than 262144 bytes/);
    expect(await failure('['.repeat(100_000))).toMatch(/nested too deep|bracket/);
    expect(await failure(`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 'json')).toMatch(
      /too deep|cannot work/,
    );
    const laughs = Array.from(
      { length: 12 },
      (_, n) =>
        `l${n}: &l${n} [${Array(10)
          .fill(n === 0 ? 'x' : `*l${n - 1}`)
          .join()}]`,
    );
    expect(await failure(laughs.join('\n'))).toMatch(/aliases \(\*name\) stand for too much/);
  });

  it('takes the aliases that a person writes', async () => {
    const text = 'cache: {type: redis, retry: &r {retries: 1}}\ndatabase: {type: postgres, retry: *r}';
    expect(await loadStorageConfig(write(text))).toMatchObject({ database: { retry: { retries: 1 } } });
  });

  it('takes the merge keys that a person writes, and what stands beside them goes before', async () => {
    const text = `
server: &server {type: redis, host: h, db: 1}
times: &times {timeoutMs: 500, db: 9}
storage:
  cache:
    <<: [*server, *times]
    db: 2
  database: {<<: *server}
`;
    expect(await loadStorageConfig(write(text))).toEqual({
      cache: { type: 'redis', host: 'h', db: 2, timeoutMs: 500 },
      database: { type: 'redis', host: 'h', db: 1 },
    });
    expect(await failure('storage: {cache: {type: redis, "<<": {db: 1}}}')).toMatch(
      /a setting whose name is no word/,
    );
  });

  it('stops at merge keys of merge keys', async () => {
    const levels = Array.from(
      { length: 12 },
      (_, n) =>
        `l${n}: &l${n} {<<: [${Array(10)
          .fill(n === 0 ? '{a: 1}' : `*l${n - 1}`)
          .join()}]}`,
    );
    expect(await failure(levels.join('\n'))).toMatch(/aliases \(\*name\) stand for too much/);
  });
});
