import { join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { createTypeOrmEntryStore, describeDatabase, type DatabaseOption } from '../../src/typeorm';
import { resolveDatabase } from '../../src/typeorm/database-options';

const create = (database: unknown, more: object = {}) =>
  createTypeOrmEntryStore({ database: database as DatabaseOption, sessionMaxAgeMs: 1_000, ...more });
const code = (code: string): Error => expect.objectContaining({ code }) as Error;

describe('the database option', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'sqlite'],
    ['no type', {}],
    ['no path', { type: 'sqlite' }],
    ['an empty path', { type: 'sqlite', path: '' }],
    ['a URI as path', { type: 'sqlite', path: 'file:x.db?mode=memory' }],
    ['an unknown driver', { type: 'sqlite', path: 'x.db', driver: 'sql.js' }],
    ['no url', { type: 'postgres' }],
    ['a url of something else', { type: 'postgres', url: 'mysql://h/db' }],
  ])('refuses %s at once', (_name, database) => {
    expect(() => create(database)).toThrow(code('CONFIG_INVALID'));
  });

  it('refuses a session age that is no age', () => {
    const database = { type: 'sqlite', path: ':memory:' };
    expect(() => create(database, { sessionMaxAgeMs: 0 })).toThrow(code('CONFIG_INVALID'));
  });

  it.each(['mysql', 'mariadb'])('refuses %s by name, for now', (type) => {
    expect(() => create({ type, host: 'h' })).toThrow(/"(mysql|mariadb)".*later release/);
    expect(() => create({ type, host: 'h' })).toThrow(code('DATABASE_UNSUPPORTED'));
  });

  it('refuses a type that it has no migrations for', () => {
    expect(() => create({ type: 'oracle' })).toThrow(code('DATABASE_UNSUPPORTED'));
  });

  it.each([':memory:', '', 'file::memory:?cache=shared'])(
    'cannot share the SQLite database "%s"',
    (database) => {
      expect(() => create({ type: 'better-sqlite3', database }, { shareSqliteFile: true })).toThrow(
        code('DATABASE_NOT_SHAREABLE'),
      );
    },
  );

  it('shares an SQLite file of the program only with its consent, and says how', () => {
    const database: DataSourceOptions = { type: 'better-sqlite3', database: 'app.db' };
    expect(() => create(database)).toThrow(/app\.db.*shareSqliteFile: true/);
    expect(() => create(new DataSource(database))).toThrow(code('DATABASE_NOT_SHAREABLE'));
    expect(create(database, { shareSqliteFile: true }).kind).toBe('sqlite');
    expect(create({ ...database, shareSqliteFile: true }).kind).toBe('sqlite');
    expect(create(new DataSource(database), { shareSqliteFile: true }).kind).toBe('sqlite');
  });

  it('takes only what says how to connect', () => {
    const harmful = {
      dropSchema: true,
      synchronize: true,
      entities: [class Host {}],
      migrations: [],
      migrationsRun: true,
      subscribers: [],
      cache: true,
      entityPrefix: 'host_',
      logging: true,
      poolSize: 1,
    };
    const connection = { url: 'postgres://u:p@db:5432/app', ssl: true };
    const target = resolveDatabase({
      type: 'postgres',
      ...connection,
      ...harmful,
      schema: 'audit',
      extra: { max: 1, ssl: { ca: 'x' }, statement_timeout: 1 },
    });
    expect(target).toEqual({
      dialect: 'postgres',
      schema: 'audit',
      connection: { ...connection, extra: { ssl: { ca: 'x' } } },
    });
    const sqlite = {
      type: 'better-sqlite3',
      database: '/x/app.db',
      key: 'k',
      ...harmful,
    } as object as DatabaseOption;
    expect(resolveDatabase(sqlite, true)).toEqual({
      dialect: 'sqlite',
      path: '/x/app.db',
      isOwn: false,
      driver: 'better-sqlite3',
      connection: { key: 'k' },
    });
  });

  it('takes the master of a replicated database', () => {
    const target = resolveDatabase({
      type: 'postgres',
      replication: { master: { host: 'main', database: 'app' }, slaves: [{ host: 'copy' }] },
    });
    expect(target).toMatchObject({ connection: { host: 'main', database: 'app' } });
  });

  it('makes a path absolute, so that a later chdir changes nothing', () => {
    expect(resolveDatabase({ type: 'sqlite', path: 'a/b.db' })).toMatchObject({
      path: join(process.cwd(), 'a/b.db'),
    });
  });
});

describe('describeDatabase', () => {
  it('never shows a secret', () => {
    const url = 'postgres://user:secret@db.example:5433/app?sslpassword=secret';
    expect(describeDatabase({ type: 'postgres', url })).toBe('postgres db.example:5433/app');
    const fields = {
      type: 'postgres',
      host: 'h',
      username: 'user',
      password: 'secret',
      database: 'app',
    } as const;
    expect(describeDatabase(fields)).toBe('postgres h:5432/app');
    expect(describeDatabase({ type: 'postgres', url: 'postgres://user:secret@[bad' })).not.toContain(
      'secret',
    );
    expect(describeDatabase({ type: 'sqlite', path: './r.db' })).toBe('sqlite ./r.db');
  });
});
