import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { newEntry } from '../../src/testing';
import { createTypeOrmEntryStore, StorageEntry } from '../../src/typeorm';
import { AddDeliveryColumns1767312000000 } from '../../src/typeorm/migrations/add-delivery-columns';
import { CreateGapTable1767398400000 } from '../../src/typeorm/migrations/create-gap-table';
import { CreateRecapTables1767225600000 } from '../../src/typeorm/migrations/create-recap-tables';
import { createDatabase, describeOnPostgres, dropDatabase } from './postgres-server';

const SESSION_MAX_AGE = { sessionMaxAgeMs: 24 * 3_600_000 };
const OLD_ROW = `INSERT INTO recap_entries (id, type, status, outcome, created_at, duration_ms, owner, session_id,
  metadata, redacted, warnings, request_headers, request_stored_bytes, request_unpacked_bytes, request_codec,
  request_state, request_details, response_headers, response_stored_bytes, response_unpacked_bytes,
  response_codec, response_state, response_details, response_body)
  VALUES ('old', 'both', 200, 'completed', 1767225600000, 5, 'ann', 's', '{"a":1}', '[]', '[]', '[]', 0, 0, 'identity',
  'empty', '{}', '[]', 3, 3, 'identity', 'captured', '{}', BYTES)`;
const OLD_SESSION = `INSERT INTO recap_sessions (id, session_key, owner, created_at, last_activity_at, timeout_ms)
  VALUES ('s', 'k', 'ann', 1767225600000, 1767225600005, 1800000)`;

async function withDataSource<T>(
  options: DataSourceOptions,
  work: (dataSource: DataSource) => Promise<T>,
): Promise<T> {
  const dataSource = await new DataSource({
    ...options,
    migrationsTableName: 'recap_migrations',
  }).initialize();
  try {
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

/** A database as the first version left it, with one entry. */
const makeOld = (options: DataSourceOptions, bytes: string): Promise<void> =>
  withDataSource({ ...options, migrations: [CreateRecapTables1767225600000] }, async (dataSource) => {
    await dataSource.runMigrations();
    await dataSource.query(OLD_SESSION);
    await dataSource.query(OLD_ROW.replace('BYTES', bytes));
  });

async function expectUpgraded(
  database: Parameters<typeof createTypeOrmEntryStore>[0]['database'],
  options: DataSourceOptions,
): Promise<void> {
  const store = createTypeOrmEntryStore({ database, ...SESSION_MAX_AGE });
  await store.open();
  await store.append([newEntry({ id: 'new', owner: 'ann', firstByteMs: 1.5 })]);
  expect((await store.sumGaps({})).gaps).toBe(0);
  const gap = { startedAt: 1, endedAt: 2, exchanges: 3, reasons: { lag: 3 }, expiresAt: null };
  await store.saveGaps([{ ...gap, id: 'gap', missing: 'headers' }]);
  expect((await store.sumGaps({})).headers).toBe(3);
  expect(await store.get('old', {})).toMatchObject({
    outcome: 'completed',
    metadata: { a: 1 },
    responseBody: Buffer.from('old'),
    closedBy: null,
    offeredBytes: null,
    sentBytes: null,
    firstByteMs: null,
    chunks: null,
    longestGapMs: null,
  });
  expect(await store.get('new', {})).toMatchObject({ closedBy: 'end', firstByteMs: 1.5, chunks: 0 });
  await store.close();
  const read = await withDataSource({ ...options, entities: [StorageEntry] }, (dataSource) =>
    dataSource.getRepository(StorageEntry).findOneByOrFail({ id: 'new' }),
  );
  expect(read).toMatchObject({ closedBy: 'end', offeredBytes: 0, sentBytes: 0, firstByteMs: 1.5, chunks: 0 });
}

describe('the schema of an SQLite file', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'recap-migrations-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is brought up to date with what is in it', async () => {
    const path = join(folder, 'old.db');
    const options: DataSourceOptions = { type: 'better-sqlite3', database: path };
    await makeOld(options, "x'6f6c64'");
    await expectUpgraded({ type: 'sqlite', path }, options);
  });

  it('has the bodies last when it is new, so that lists are read without them', async () => {
    const path = join(folder, 'new.db');
    const store = createTypeOrmEntryStore({ database: { type: 'sqlite', path }, ...SESSION_MAX_AGE });
    await store.open();
    await store.close();
    const columns = await withDataSource({ type: 'better-sqlite3', database: path }, (dataSource) =>
      dataSource.query<{ name: string }[]>('PRAGMA table_info(recap_entries)'),
    );
    expect(columns.slice(-3).map(({ name }) => name)).toEqual([
      'longest_gap_ms',
      'request_body',
      'response_body',
    ]);
  });

  it('can be taken back to the first version', async () => {
    const options: DataSourceOptions = { type: 'better-sqlite3', database: join(folder, 'back.db') };
    await makeOld(options, "x'6f6c64'");
    const migrations = [
      CreateRecapTables1767225600000,
      AddDeliveryColumns1767312000000,
      CreateGapTable1767398400000,
    ];
    const columns = await withDataSource({ ...options, migrations }, async (dataSource) => {
      await dataSource.runMigrations();
      await dataSource.undoLastMigration();
      await expect(dataSource.query('SELECT 1 FROM recap_gaps')).rejects.toThrow('no such table');
      await dataSource.undoLastMigration();
      return dataSource.query<{ name: string }[]>('PRAGMA table_info(recap_entries)');
    });
    expect(columns.map(({ name }) => name)).not.toContain('closed_by');
    expect(columns.map(({ name }) => name)).toContain('response_body');
  });
});

describeOnPostgres('the schema on PostgreSQL', () => {
  it('is brought up to date with what is in it', async () => {
    const url = await createDatabase();
    try {
      await makeOld({ type: 'postgres', url }, "'\\x6f6c64'::bytea");
      await expectUpgraded({ type: 'postgres', url }, { type: 'postgres', url });
    } finally {
      await dropDatabase(url);
    }
  });
});
