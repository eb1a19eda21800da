import { isAbsolute, resolve } from 'node:path';
import { StorageError } from '@recap/storage';
import type { DataSource, DataSourceOptions } from 'typeorm';

export type SqliteDriverName = 'better-sqlite3' | 'sqlite3';

/** An SQLite file that Recap makes and owns; `:memory:` for a database that dies with the store. */
export interface SqliteDatabaseOption {
  readonly type: 'sqlite';
  readonly path: string;
  /** Default: `better-sqlite3`; under TypeORM 0.3, `sqlite3` when the former does not load. */
  readonly driver?: SqliteDriverName;
}

export interface PostgresDatabaseOption {
  readonly type: 'postgres';
  readonly url: string;
}

/**
 * Where entries are kept. From a `DataSource` or its options only the fields that say how to connect are
 * taken: Recap opens connections of its own and never drops, synchronises or joins a transaction.
 */
export type DatabaseOption =
  | SqliteDatabaseOption
  | PostgresDatabaseOption
  | (DataSourceOptions & { readonly shareSqliteFile?: boolean })
  | DataSource;

export interface SqliteTarget {
  readonly dialect: 'sqlite';
  /** Absolute, or `:memory:`. */
  readonly path: string;
  /** False: the file is the host program's, and keeps its modes and settings. */
  readonly isOwn: boolean;
  readonly driver: SqliteDriverName | undefined;
  /** Fields of the host's options that are needed to open its file. */
  readonly connection: Readonly<Record<string, unknown>>;
}

export interface PostgresTarget {
  readonly dialect: 'postgres';
  readonly schema: string | undefined;
  readonly connection: Readonly<Record<string, unknown>>;
}

export type DatabaseTarget = SqliteTarget | PostgresTarget;

type Fields = Readonly<Record<string, unknown>>;

const SQLITE_TYPES = new Set(['sqlite', 'better-sqlite3']);
const SQLITE_FIELDS = ['key', 'nativeBinding'];
const POSTGRES_FIELDS = ['url', 'host', 'port', 'username', 'password', 'database', 'ssl'];
/** Of `extra`, which goes to the driver as it is: what is needed to reach the server, never limits or hooks. */
const POSTGRES_EXTRA = ['ssl', 'host', 'port', 'user', 'password', 'database'];

/**
 * Checks a database option, connecting to nothing.
 *
 * @throws {StorageError} `CONFIG_INVALID`, `DATABASE_UNSUPPORTED` for a type without migrations of ours,
 *   `DATABASE_NOT_SHAREABLE` for a host's `:memory:` or for its SQLite file without `shareSqliteFile`.
 */
export function resolveDatabase(option: DatabaseOption, shareSqliteFile = false): DatabaseTarget {
  const given = fieldsOf(option);
  if (given.fields['type'] === 'postgres') return postgresTarget(given.fields);
  if (!SQLITE_TYPES.has(String(given.fields['type']))) throw unsupported(given.fields['type']);
  if (!given.isDataSource && given.fields['path'] !== undefined) return ownSqlite(given.fields);
  return hostSqlite(given.fields, shareSqliteFile || given.fields['shareSqliteFile'] === true);
}

/** The database in words, for logs and errors: never a password, a user or a query string. */
export function describeDatabase(option: DatabaseOption): string {
  const { fields } = fieldsOf(option);
  if (fields['type'] === 'postgres') return describePostgres(fields);
  const path = fields['path'] ?? fields['database'];
  return typeof path === 'string' ? `${String(fields['type'])} ${path}` : String(fields['type']);
}

export function describeTarget(target: DatabaseTarget): string {
  return target.dialect === 'sqlite' ? `sqlite ${target.path}` : describePostgres(target.connection);
}

function describePostgres(fields: Fields): string {
  const master = postgresFields(fields);
  const { url } = master;
  if (typeof url === 'string' && URL.canParse(url)) {
    const { host, pathname } = new URL(url);
    return `postgres ${host}${pathname}`;
  }
  return `postgres ${text(master['host'], 'localhost')}:${text(master['port'], '5432')}/${text(master['database'], '')}`;
}

const text = (value: unknown, otherwise: string): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise;

function fieldsOf(option: unknown): { fields: Fields; isDataSource: boolean } {
  if (typeof option !== 'object' || option === null) {
    throw invalid('must be an object such as { type: "sqlite", path: "./.recap/recap.db" }');
  }
  const { options, initialize } = option as { options?: unknown; initialize?: unknown };
  // By shape: the host's TypeORM may be another copy than ours.
  const isDataSource = typeof options === 'object' && options !== null && typeof initialize === 'function';
  const fields = (isDataSource ? options : option) as Fields;
  if (typeof fields['type'] !== 'string') throw invalid('needs a type: "sqlite" or "postgres"');
  return { fields, isDataSource };
}

function ownSqlite(fields: Fields): SqliteTarget {
  const { path, driver } = fields;
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw invalid('of type "sqlite" needs a path, such as "./.recap/recap.db"');
  }
  // `file:` would be read as a URI by one driver and as a file name by the other.
  if (path.startsWith('file:')) throw invalid('of type "sqlite" takes a plain path, not a file: URI');
  if (driver !== undefined && driver !== 'better-sqlite3' && driver !== 'sqlite3') {
    throw invalid('of type "sqlite" has the drivers "better-sqlite3" and "sqlite3"');
  }
  return { dialect: 'sqlite', path: absolute(path), isOwn: true, driver, connection: {} };
}

function hostSqlite(fields: Fields, isShared: boolean): SqliteTarget {
  const { database, type } = fields;
  if (typeof database !== 'string') throw invalid('of SQLite needs a database file');
  if (database === '' || database.includes(':memory:') || database.startsWith('file:')) {
    throw new StorageError(
      'DATABASE_NOT_SHAREABLE',
      `The SQLite database "${database}" lives within one connection, which Recap cannot share. Give Recap a file of its own: { type: "sqlite", path: "./.recap/recap.db" }.`,
    );
  }
  if (!isShared) {
    throw new StorageError(
      'DATABASE_NOT_SHAREABLE',
      `Recap would write into the program's own SQLite file "${database}", and SQLite has one writer at a time. Give Recap a file of its own ({ type: "sqlite", path: "./.recap/recap.db" }), or set shareSqliteFile: true.`,
    );
  }
  return {
    dialect: 'sqlite',
    path: absolute(database),
    isOwn: false,
    driver: type === 'sqlite' ? 'sqlite3' : 'better-sqlite3',
    connection: pick(fields, SQLITE_FIELDS),
  };
}

const absolute = (path: string): string =>
  path === ':memory:' || isAbsolute(path) ? path : resolve(process.cwd(), path);

function postgresTarget(fields: Fields): PostgresTarget {
  const connection = postgresFields(fields);
  const { schema } = fields;
  if (
    connection['url'] === undefined &&
    connection['host'] === undefined &&
    connection['database'] === undefined
  ) {
    throw invalid('of type "postgres" needs a url, such as "postgres://user@host:5432/database"');
  }
  if (connection['url'] !== undefined && !isPostgresUrl(connection['url'])) {
    throw invalid('of type "postgres" needs a url that starts with postgres://');
  }
  if (schema !== undefined && (typeof schema !== 'string' || schema === '')) {
    throw invalid('of type "postgres" has a schema that is not a name');
  }
  return { dialect: 'postgres', schema, connection };
}

const isPostgresUrl = (url: unknown): boolean => typeof url === 'string' && /^postgres(?:ql)?:\/\//.test(url);

function postgresFields(fields: Fields): Fields {
  const { replication, extra } = fields as { replication?: { master?: Fields }; extra?: Fields };
  return {
    ...pick(fields, POSTGRES_FIELDS),
    ...pick(replication?.master ?? {}, POSTGRES_FIELDS),
    ...(extra === undefined ? {} : { extra: pick(extra, POSTGRES_EXTRA) }),
  };
}

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(
    names.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]),
  );
}

function unsupported(type: unknown): StorageError {
  const later = type === 'mysql' || type === 'mariadb' ? ' MySQL and MariaDB come with a later release.' : '';
  return new StorageError(
    'DATABASE_UNSUPPORTED',
    `Recap has no migrations for a database of type "${String(type)}".${later} Use "sqlite" or "postgres".`,
  );
}

function invalid(what: string): StorageError {
  return new StorageError('CONFIG_INVALID', `The option database ${what}.`);
}
