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

/** The settings of PostgreSQL that `url` and fields say together. */
export function postgresFields(given: Given): Fields {
  return fromUrl(given, {
    schemes: { 'postgres:': { isEncrypted: false }, 'postgresql:': { isEncrypted: false } },
    read: (url) => {
      const fields: Record<string, unknown> = pick(url, ['host', 'port', 'username', 'password', 'database']);
      for (const [name, value] of url.parameters) {
        const problem = postgresParameter(name, value, fields);
        if (problem !== undefined) return { problem };
      }
      return { fields };
    },
  });
}

/** The settings of Redis that `url` and fields say together. */
export function redisFields(given: Given): Fields {
  return fromUrl(given, {
    schemes: { 'redis:': { isEncrypted: false }, 'rediss:': { isEncrypted: true } },
    read: (url) => {
      const fields: Record<string, unknown> = pick(url, ['host', 'port', 'username', 'password']);
      if (url.isEncrypted) fields['tls'] = true;
      const db = url.parameters.get('db') ?? url.database;
      if (db !== undefined) {
        if (!/^\d{1,6}$/.test(db))
          return { problem: 'names a database that is no number: redis://host:port/0' };
        fields['db'] = Number(db);
      }
      const other = [...url.parameters.keys()].find((name) => name !== 'db');
      return other === undefined ? { fields } : { problem: unknownParameter(other, ['db']) };
    },
  });
}

interface Dialect {
  readonly schemes: Parameters<typeof readUrl>[1];
  read(url: UrlFields): { readonly fields: Record<string, unknown> } | { readonly problem: string };
}

function fromUrl({ url, ...given }: Given, dialect: Dialect): Fields {
  if (url === undefined) return { fields: given, problems: [] };
  const wrong = (message: string): Fields => ({ fields: given, problems: [{ path: ['url'], message }] });
  const parts = readUrl(url, dialect.schemes);
  if ('problem' in parts) return wrong(parts.problem);
  const read = dialect.read(parts);
  if ('problem' in read) return wrong(read.problem);
  const twice = Object.keys(read.fields).filter(
    (name) => given[name] !== undefined && !refines(name, given[name], read.fields[name]),
  );
  return {
    fields: { ...given, ...read.fields, ...refinements(given, read.fields) },
    problems: twice.map((name) => ({ path: [name], message: 'is said by "url" too. Say it once' })),
  };
}

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

const POSTGRES_PARAMETERS = ['sslmode', 'application_name', 'host'];

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
  return `has a parameter${shown} that is not taken. Valid: ${valid.join(', ')}`;
}

function pick(url: UrlFields, names: readonly (keyof UrlFields)[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => url[name] !== undefined).map((name) => [name, url[name]]));
}
