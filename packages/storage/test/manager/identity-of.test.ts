import { identityOfConfig } from '../../src/manager/identity-of';
import { resolveConfig } from '../../src/manager/resolve-config';

function identity(database: object): string | undefined {
  const resolved = resolveConfig({ database });
  if (!('config' in resolved)) throw new Error(JSON.stringify(resolved.problems));
  return identityOfConfig(resolved.config.database!.backend);
}

const postgres = { type: 'postgres', host: 'db.example', database: 'app', username: 'u', password: 'p' };
const redis = { type: 'redis', host: 'r.example' };
const dynamodb = { type: 'dynamodb', region: 'eu-west-1', table: 'kept' };

describe('the identity of a storage', () => {
  it.each([
    [postgres, { type: 'postgres', url: 'postgres://other:secret@DB.example:5432/app' }],
    [redis, { type: 'redis', url: 'redis://u:secret@r.example/0', timeoutMs: 1 }],
    [
      { type: 'redis', cluster: { nodes: [{ host: 'a' }, { host: 'b' }] } },
      { type: 'redis', cluster: { nodes: [{ host: 'b', port: 6_379 }, { host: 'a' }] }, password: 'x' },
    ],
    [
      { type: 'mongodb', host: 'localhost', database: 'app' },
      { type: 'mongodb', url: 'mongodb://u:secret@127.0.0.1/app?w=1' },
    ],
    [
      { type: 'mongodb', url: 'mongodb://u:secret@a,b:27018/app' },
      { type: 'mongodb', url: 'mongodb://b:27018,a:27017', database: 'app' },
    ],
    // What the URL leaves out is ours, and its name may be written in several ways.
    [
      { type: 'mongodb', url: 'mongodb://a' },
      { type: 'mongodb', url: 'mongodb://a/?tlsCAFile=/etc/ca.pem', database: 'recap' },
    ],
    [
      { type: 'mongodb', host: 'a' },
      { type: 'mongodb', url: 'mongodb://a?appName=x@b/c' },
    ],
    [
      { type: 'mongodb', url: 'mongodb://a/app%2D1' },
      { type: 'mongodb', url: 'mongodb://a', database: 'app-1' },
    ],
    [
      { type: 'redis', host: '/run/redis.sock', port: 1 },
      { type: 'redis', url: 'unix:///run/redis.sock?db=0' },
    ],
    [
      { type: 'mongodb', url: 'mongodb://%2Frun%2Fmongodb-27017.sock/app' },
      { type: 'mongodb', url: 'mongodb://u:secret@%2frun%2Fmongodb%2D27017.sock', database: 'app' },
    ],
    [dynamodb, { ...dynamodb, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }],
    [
      { ...dynamodb, endpoint: 'http://localhost:8000' },
      { ...dynamodb, endpoint: 'http://127.0.0.1:8000/' },
    ],
    [
      { type: 'sqlite', path: 'x/../a.db' },
      { type: 'sqlite', path: './a.db', keyPrefix: 'other:' },
    ],
  ])('is the same whoever asks for it, and however: %#', (one, other) => {
    expect(identity(one)).toMatch(/^[0-9a-f]{16}$/);
    expect(identity(other)).toBe(identity(one));
  });

  it.each([
    [postgres, { ...postgres, database: 'other' }],
    [postgres, { ...postgres, host: 'other.example' }],
    [postgres, { ...postgres, port: 5_433 }],
    [postgres, { ...postgres, schema: 'other' }],
    [postgres, { ...postgres, options: '-c search_path=other' }],
    [redis, { ...redis, db: 1 }],
    // A path is written in one way alone.
    [
      { type: 'redis', host: '/run/A.sock' },
      { type: 'redis', host: '/run/a.sock' },
    ],
    [
      { ...postgres, host: '/run/A' },
      { ...postgres, host: '/run/a' },
    ],
    [
      { ...postgres, host: '/run/a' },
      { ...postgres, host: '/run/a', port: 5_433 },
    ],
    [
      { type: 'mongodb', url: 'mongodb://%2Frun%2FA.sock' },
      { type: 'mongodb', url: 'mongodb://%2Frun%2Fa.sock' },
    ],
    [redis, { ...redis, keyPrefix: 'recap:old:' }],
    [dynamodb, { ...dynamodb, table: 'other' }],
    [dynamodb, { ...dynamodb, endpoint: 'http://127.0.0.1:8000' }],
    [
      { type: 'mongodb', url: 'mongodb://a/app' },
      { type: 'mongodb', url: 'mongodb://a/app', collectionPrefix: 'other_' },
    ],
    [
      { type: 'sqlite', path: 'a' },
      { type: 'file', path: 'a' },
    ],
  ])('is another where something else is kept: %#', (one, other) => {
    expect(identity(other)).not.toBe(identity(one));
  });

  it.each([
    [postgres, '69b1d014c23f52f4'],
    [redis, 'c66c3da544eda719'],
    [{ ...redis, host: '::1' }, '9e390888da772a6f'],
    [{ type: 'mongodb', url: 'mongodb://A,b:27018/app' }, '23abed6fa750af96'],
  ])('stays what it is between releases, since stand-ins keep it: %#', (config, known) => {
    expect(identity(config)).toBe(known);
  });

  it('is not known of what only the program has', () => {
    expect(identity({ type: 'memory' })).toBeUndefined();
    expect(identity({ type: 'sqlite', path: ':memory:' })).toBeUndefined();
    expect(identity({ type: 'redis', client: {} })).toBeUndefined();
  });
});
