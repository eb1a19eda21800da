import type { ConfigProblem } from './config-problem';
import { readUrl, type UrlFields } from './read-url';

interface Given {
  readonly url?: string | undefined;
  readonly [setting: string]: unknown;
}

interface Fields {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly problems: readonly ConfigProblem[];
}

/**
 * The settings of PostgreSQL that `url` and fields say together.
 *
 * @param said of `given`, without defaults
 */
export function postgresFields(given: Given, said: Given = given): Fields {
  const { fields, problems } = fromUrl(given, said, {
    schemes: { 'postgres:': { isEncrypted: false }, 'postgresql:': { isEncrypted: false } },
    read: (url) => {
      const read: Record<string, unknown> = pick(url, ['host', 'port', 'username', 'password', 'database']);
      for (const [name, value] of url.parameters) {
        const problem = postgresParameter(name, value, read);
        if (problem !== undefined) return { problem };
      }
      if (url.parameters.get('channel_binding') === 'require' && read['ssl'] !== true)
        return { problem: REQUIRED_BINDING };
      return { fields: read };
    },
  });
  const { connectTimeoutMs, ...others } = fields;
  if (connectTimeoutMs === undefined) return { fields, problems };
  const isSaid = (said['pool'] as { readonly acquireTimeoutMs?: unknown } | undefined)?.acquireTimeoutMs;
  return {
    fields: { ...others, pool: { ...(others['pool'] as object), acquireTimeoutMs: connectTimeoutMs } },
    problems: isSaid === undefined ? problems : [...problems, saidTwice(['pool', 'acquireTimeoutMs'])],
  };
}

/**
 * The settings of Redis that `url` and fields say together.
 *
 * @param said of `given`, without defaults
 */
export function redisFields(given: Given, said: Given = given): Fields {
  return fromUrl(given, said, {
    schemes: {
      ...{ 'redis:': { isEncrypted: false }, 'rediss:': { isEncrypted: true } },
      'unix:': { isEncrypted: false },
    },
    read: (url) => {
      const isSocket = given.url?.toLowerCase().startsWith('unix:') === true;
      if (isSocket && (url.host !== undefined || url.database === undefined))
        return { problem: 'has to name the socket by its path from the root: unix:///run/redis.sock' };
      const fields: Record<string, unknown> = pick(url, ['host', 'port', 'username', 'password']);
      if (isSocket) fields['host'] = `/${url.database!}`;
      if (url.isEncrypted) fields['tls'] = true;
      const db = url.parameters.get('db') ?? (isSocket ? undefined : url.database);
      if (db !== undefined) {
        if (!/^\d{1,6}$/.test(db))
          return { problem: 'names a database that is no number: redis://host:port/0' };
        fields['db'] = Number(db);
      }
      const family = url.parameters.get('family');
      if (family !== undefined) {
        if (!/^[046]$/.test(family)) return { problem: 'has a family that is not taken. Valid: 0, 4, 6' };
        fields['family'] = Number(family);
      }
      const other = [...url.parameters.keys()].find((name) => !REDIS_PARAMETERS.includes(name));
      return other === undefined ? { fields } : { problem: unknownParameter(other, REDIS_PARAMETERS) };
    },
  });
}

const REDIS_PARAMETERS = ['db', 'family'];

interface Dialect {
  readonly schemes: Parameters<typeof readUrl>[1];
  read(url: UrlFields): { readonly fields: Record<string, unknown> } | { readonly problem: string };
}

function fromUrl({ url, ...given }: Given, said: Given, dialect: Dialect): Fields {
  if (url === undefined) return { fields: given, problems: [] };
  const wrong = (message: string): Fields => ({ fields: given, problems: [{ path: ['url'], message }] });
  const parts = readUrl(url, dialect.schemes);
  if ('problem' in parts) return wrong(parts.problem);
  const read = dialect.read(parts);
  if ('problem' in read) return wrong(read.problem);
  const twice = Object.keys(read.fields).filter(
    (name) => said[name] !== undefined && !refines(name, given[name], read.fields[name]),
  );
  return {
    fields: { ...given, ...read.fields, ...refinements(given, read.fields) },
    problems: twice.map((name) => saidTwice([name])),
  };
}

const saidTwice = (path: readonly PropertyKey[]): ConfigProblem => ({
  path,
  message: 'is said by "url" too. Say it once',
});

/** Certificates beside a URL that asks for encryption say how, not something else. */
function refines(name: string, given: unknown, fromUrl: unknown): boolean {
  return (
    (name === 'tls' || name === 'ssl') && fromUrl === true && (given === true || typeof given === 'object')
  );
}

function refinements(given: Given, read: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(read)
      .filter((name) => given[name] !== undefined && refines(name, given[name], read[name]))
      .map((name) => [name, given[name]]),
  );
}

const POSTGRES_PARAMETERS = [
  'sslmode',
  'channel_binding',
  'connect_timeout',
  'application_name',
  'options',
  'host',
  'pgbouncer',
];

/** What cannot be had by a URL, and is often in one. */
const INSTEAD: Readonly<Record<string, string>> = {
  target_session_attrs: 'which pg does not know: it connects to one host, whatever that is',
  connection_limit: 'of Prisma; here "pool": { "max": … }',
  pool_timeout: 'of Prisma; here "pool": { "acquireTimeoutMs": … }',
  schema: 'of Prisma; here "schema"',
  ssl: 'here sslmode, or "ssl"',
  sslrootcert: 'here "ssl": { "ca": … }, with the certificate itself',
  sslcert: 'here "ssl": { "cert": … }, with the certificate itself',
  sslkey: 'here "ssl": { "key": … }, with the key itself',
};

/** `pg` takes it where it is offered; that nobody stands in between, the certificate has to say then. */
const REQUIRED_BINDING =
  'has channel_binding=require without a sslmode that checks the certificate: require, verify-ca or verify-full';

function postgresParameter(name: string, value: string, fields: Record<string, unknown>): string | undefined {
  switch (name) {
    case 'sslmode': {
      const ssl = SSL_MODES.get(value);
      if (ssl === undefined) {
        return `has a sslmode that is not taken. Valid: ${[...SSL_MODES.keys()].join(', ')} ("prefer" and "allow" would encrypt or not, as the network likes)`;
      }
      fields['ssl'] = ssl;
      return undefined;
    }
    case 'application_name':
      fields['applicationName'] = value;
      return undefined;
    case 'channel_binding':
      if (!['disable', 'prefer', 'require'].includes(value))
        return 'has a channel_binding that is not taken. Valid: disable, prefer, require';
      fields['channelBinding'] = value !== 'disable';
      return undefined;
    case 'connect_timeout':
      if (!/^[1-9]\d{0,2}$/.test(value)) return 'has a connect_timeout that is no number of 1 to 999 seconds';
      fields['connectTimeoutMs'] = Math.min(Number(value) * 1_000, 600_000);
      return undefined;
    case 'options':
      fields['options'] = value;
      return undefined;
    case 'pgbouncer':
      // Of Prisma, in the URLs of poolers: they keep no prepared statements.
      if (value !== 'true' && value !== 'false') return 'has a pgbouncer that is neither true nor false';
      if (value === 'true') fields['preparedStatements'] = false;
      return undefined;
    case 'host':
      // The folder of a Unix socket does not fit before the path.
      fields['host'] = value;
      return undefined;
    default:
      return unknownParameter(name, POSTGRES_PARAMETERS);
  }
}

/** `require` checks the certificate too: whoever encrypts for anybody might as well not. */
const SSL_MODES: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['disable', false],
  ['require', true],
  ['verify-ca', true],
  ['verify-full', true],
  ['no-verify', { rejectUnauthorized: false }],
]);

function unknownParameter(name: string, valid: readonly string[]): string {
  // Where a password holds a "?", the rest of the URL looks like one.
  const shown = /^\w{1,40}$/.test(name) ? ` "${name}"` : '';
  const instead = Object.hasOwn(INSTEAD, name) ? ` (${INSTEAD[name]!})` : '';
  return `has a parameter${shown} that is not taken${instead}. Valid: ${valid.join(', ')}`;
}

function pick(url: UrlFields, names: readonly (keyof UrlFields)[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => url[name] !== undefined).map((name) => [name, url[name]]));
}
