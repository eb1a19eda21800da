import { FakeClock } from '@recap/storage/testing';
import { DataSource } from 'typeorm';
import { newEntry } from '../../src/testing';
import { createTypeOrmEntryStore, StorageEntry, StorageSession } from '../../src/typeorm';
import { MIGRATIONS } from '../../src/typeorm/migrations/run-migrations';
import { createDatabase, describeOnPostgres, dropDatabase, onDatabase } from './postgres-server';

const SESSION_MAX_AGE = { sessionMaxAgeMs: 24 * 3_600_000 };

describe('a PostgreSQL server that is not there', () => {
  it('is reported without the password, and may be tried again', async () => {
    const url = 'postgres://someone:hunter2@127.0.0.1:1/nothing';
    const store = createTypeOrmEntryStore({ database: { type: 'postgres', url }, ...SESSION_MAX_AGE });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const error: unknown = await store.open().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'UNAVAILABLE' });
      expect(String(error)).toContain('127.0.0.1:1/nothing');
      expect(String(error)).not.toContain('hunter2');
      expect(String((error as Error).cause)).not.toContain('hunter2');
    }
    await store.close();
  });
});

describeOnPostgres('PostgreSQL shared by several programs', () => {
  let url = '';
  const open = async (more: object = {}) => {
    const store = createTypeOrmEntryStore({
      database: { type: 'postgres', url },
      ...SESSION_MAX_AGE,
      ...more,
    });
    await store.open();
    return store;
  };

  beforeEach(async () => {
    url = await createDatabase();
  });

  afterEach(() => dropDatabase(url));

  it('is set up by exactly one of several that start at once', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => open()));
    const runs = await onDatabase(
      url,
      'SELECT name, count(*)::int AS runs FROM recap_migrations GROUP BY name',
    );
    expect(runs).toHaveLength(MIGRATIONS.length);
    expect(runs.filter((each) => each['runs'] !== 1)).toEqual([]);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('is refused when it does not sync and has to', async () => {
    const settings = await onDatabase(url, 'SHOW synchronous_commit');
    // The server of these tests is made to lose nothing but time.
    expect(settings).toEqual([{ synchronous_commit: 'off' }]);
    await expect(open({ mustSync: true })).rejects.toMatchObject({
      code: 'DURABILITY_MISMATCH',
      message: expect.stringContaining('synchronous_commit is off') as string,
    });
    await onDatabase(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET synchronous_commit = on`);
    await expect(open({ mustSync: true })).rejects.toMatchObject({
      message: expect.stringContaining('fsync is off') as string,
    });
  });

  it('holds one session when one user’s first requests reach four programs at the same moment', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => open()));
    const placed = await Promise.all(
      stores.flatMap((store) => Array.from({ length: 5 }, () => store.append([newEntry()]))),
    );
    expect(new Set(placed.flat().map(({ sessionId }) => sessionId)).size).toBe(1);
    expect(await onDatabase(url, 'SELECT count(*)::int AS sessions FROM recap_sessions')).toEqual([
      { sessions: 1 },
    ]);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('takes batches of many users from several programs without a deadlock', async () => {
    const stores = await Promise.all([open(), open(), open()]);
    const batch = (shift: number) =>
      Array.from({ length: 90 }, (_, at) => newEntry({ owner: `user-${(at * 7 + shift) % 90}` }));
    await Promise.all(
      stores.flatMap((store, shift) => [0, 1, 2].map((n) => store.append(batch(shift * 31 + n)))),
    );
    expect(await stores[0].countSessions({}, 1_000)).toMatchObject({ total: 90 });
    expect(await stores[0].count({}, 1_000)).toMatchObject({ total: 810 });
    await Promise.all(stores.map((store) => store.close()));
  });

  it('is swept by one program at a time, each entry once', async () => {
    const clock = new FakeClock();
    const stores = await Promise.all([open({ clock }), open({ clock })]);
    const expiresAt = clock.now();
    await stores[0].append(Array.from({ length: 1_500 }, () => newEntry({ expiresAt })));
    let deleted = 0;
    for (let isLeft = true; isLeft;) {
      const swept = await Promise.all(stores.map((store) => store.sweep(50)));
      deleted += swept.reduce((sum, { deletedEntries }) => sum + deletedEntries, 0);
      isLeft = swept.some(({ hasMore, deletedEntries }) => hasMore || deletedEntries > 0);
    }
    expect(deleted).toBe(1_500);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('keeps the program’s tables although its options would drop the schema', async () => {
    await onDatabase(url, 'CREATE TABLE host_orders (id integer); INSERT INTO host_orders VALUES (7)');
    const host = new DataSource({ type: 'postgres', url, dropSchema: true, synchronize: true, entities: [] });
    const store = await open({ database: host });
    await store.append([newEntry()]);
    await store.close();
    expect(await onDatabase(url, 'SELECT id FROM host_orders')).toEqual([{ id: 7 }]);
    expect(host.isInitialized).toBe(false);
  });

  it('keeps its tables in the schema that the program names', async () => {
    await onDatabase(url, 'CREATE SCHEMA "Audit log"');
    const store = await open({ database: { type: 'postgres', url, schema: 'Audit log' } });
    await store.append([newEntry()]);
    await store.close();
    const tables = `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'Audit log' ORDER BY 1`;
    expect(await onDatabase(url, tables)).toEqual(
      ['recap_entries', 'recap_gaps', 'recap_migrations', 'recap_sessions'].map((name) => ({ name })),
    );
  });

  it('shows entries and sessions through the entities in a DataSource of the program', async () => {
    const store = await open();
    const entry = newEntry({ metadata: { model: 'gpt-4' }, responseBody: Buffer.from([0, 255]) });
    const [placed] = await store.append([entry]);
    const stored = await store.get(entry.id, {});
    await store.close();
    const entities = [StorageEntry, StorageSession];
    const host = await new DataSource({ type: 'postgres', url, entities, synchronize: true }).initialize();
    const found = await host.getRepository(StorageEntry).findOneByOrFail({ owner: 'ann' });
    expect(found.responseBody).toBe(undefined);
    const whole = await host
      .getRepository(StorageEntry)
      .createQueryBuilder('entry')
      .addSelect(['entry.requestBody', 'entry.responseBody'])
      .getOneOrFail();
    expect(Object.assign({}, whole)).toEqual(stored);
    expect(
      await host.getRepository(StorageSession).findOneByOrFail({ id: placed?.sessionId ?? '' }),
    ).toMatchObject({
      createdAt: entry.createdAt,
      timeoutMs: 1_800_000,
    });
    await host.destroy();
  });

  it('rolls back an append that fails half way, and goes on', async () => {
    const store = await open();
    const broken = newEntry({ id: 'broken', status: 'none' as unknown as number });
    await expect(store.append([newEntry({ id: 'good' }), broken])).rejects.toMatchObject({
      code: 'REFUSED',
    });
    expect(await store.recentSessions(0, 9)).toEqual([]);
    const idle = `SELECT count(*)::int AS stuck FROM pg_stat_activity
      WHERE datname = current_database() AND state LIKE 'idle in transaction%'`;
    expect(await onDatabase(url, idle)).toEqual([{ stuck: 0 }]);
    await store.append([newEntry({ id: 'good' })]);
    await store.close();
  });

  it('gets over connections that the server ends', async () => {
    const store = await open();
    await store.append([newEntry()]);
    await onDatabase(
      url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'recap' AND datname = current_database()`,
    );
    // A connection that had not yet heard of its end may cost one call each.
    for (let attempt = 0; attempt < 4; attempt += 1)
      await store.ping().catch((error: unknown) => expect(error).toMatchObject({ code: 'UNAVAILABLE' }));
    await store.ping();
    expect(await store.count({}, 9)).toMatchObject({ total: 1 });
    await store.close();
  });

  it('says that a pool is exhausted when readers wait too long', async () => {
    const store = await open();
    const blocker = new DataSource({ type: 'postgres', url });
    await blocker.initialize();
    const runner = blocker.createQueryRunner();
    await runner.startTransaction();
    await runner.query('LOCK TABLE recap_entries IN ACCESS EXCLUSIVE MODE');
    const outcomes = await Promise.all(
      [0, 1, 2, 3].map(() => store.count({}, 1).catch((error: unknown) => (error as { code: string }).code)),
    );
    expect(outcomes.every((outcome) => outcome === 'UNAVAILABLE' || outcome === 'POOL_EXHAUSTED')).toBe(true);
    await runner.rollbackTransaction();
    await runner.release();
    await blocker.destroy();
    expect(await store.count({}, 1)).toMatchObject({ total: 0 });
    await store.close();
  });
});
