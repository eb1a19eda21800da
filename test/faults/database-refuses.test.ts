import { onServer, postgresDatabase, sqliteDatabase, Sqlite, type TestDatabase } from './rig/databases';
import { examine } from './rig/examine';
import { report } from './rig/figures';
import { newFolders } from './rig/folders';
import { startHost } from './rig/start-host';
import { startLoad } from './rig/start-load';
import { until } from './rig/until';

jest.setTimeout(120_000);

const postgres = process.env['RECAP_TEST_POSTGRES_URL'];
const newFolder = newFolders();

/** A database that refuses to be written to for a while, for a reason that `fault` gives it and `end` takes away. */
async function refusing(
  title: string,
  database: TestDatabase,
  fault: () => Promise<void> | void,
  end: () => Promise<void> | void,
  code: string,
  options: object = {},
): Promise<void> {
  const host = await startHost({
    database: database.target,
    options: { maxQueuedExchanges: 100, spool: database.spool, minFreeDiskBytes: 0, ...options },
    log: database.log,
  });
  await host.tell('ready');
  const load = startLoad();
  load.start({ port: host.port, prefix: 'a', perSecond: 300 });
  await until(
    'some are stored',
    () => host.tell('stats'),
    ({ stored }) => stored > 100,
  );
  await fault();
  const told = await until(
    `it fails with ${code}, and the spool takes what the queue has no room for`,
    () => host.tell('stats'),
    ({ failures, spooled }) => spooled > 100 && failures.some((failure) => failure.includes(code)),
  );
  await end();
  await until(
    'more is stored',
    () => host.tell('stats'),
    ({ stored }) => stored > told.stored,
  );
  const ledger = await load.stop();
  const all = await until(
    'all is stored',
    () => host.tell('flush'),
    ({ error }) => error === undefined,
  );
  await host.end();
  const { breaches, lost, stored } = await examine(database, ledger);
  report(title, { answered: ledger.answered.length, stored, lost: lost.length });
  expect(breaches).toEqual([]);
  expect(lost).toEqual([]);
  expect(all).toMatchObject({ captured: stored, stored, queued: 0, spooled: 0, shed: {} });
}

/** A database with a rule of its owner's that one exchange breaks. */
async function refusingOne(title: string, database: TestDatabase): Promise<void> {
  const host = await startHost({
    database: database.target,
    options: { durability: 'spooled', spool: database.spool, minFreeDiskBytes: 0 },
    log: database.log,
  });
  await host.tell('ready');
  const load = startLoad();
  await load.startUntil(100, { port: host.port, prefix: 'a', perSecond: 300 });
  await host.post('/orders/poison', {});
  const told = await until(
    'it is counted',
    () => host.tell('stats'),
    ({ shed }) => shed['poison'] !== undefined,
  );
  await until(
    'what comes after it is stored',
    () => host.tell('stats'),
    ({ stored }) => stored > told.stored + 50,
  );
  const ledger = await load.stop();
  const all = await host.tell('flush');
  await host.end();
  const { breaches, lost, stored } = await examine(database, ledger);
  report(title, {
    answered: ledger.answered.length,
    stored,
    lost: lost.length,
    poison: all.shed['poison'] ?? 0,
  });
  expect(breaches).toEqual([]);
  expect(lost).toEqual([]);
  expect(all).toMatchObject({ captured: stored + 1, stored, queued: 0, spooled: 0, shed: { poison: 1 } });
}

describe('an SQLite database', () => {
  it('with a trigger that refuses one exchange gets all others', async () => {
    const database = sqliteDatabase(newFolder());
    const host = await startHost({ database: database.target });
    await host.tell('ready');
    await host.end();
    const connection = new Sqlite(database.path);
    connection.exec(`CREATE TRIGGER no_poison BEFORE INSERT ON recap_entries WHEN NEW.path = '/orders/poison'
      BEGIN SELECT RAISE(ABORT, 'no'); END`);
    connection.close();
    await refusingOne('SQLite: a trigger refuses one', database);
  });

  it('that another process keeps locked longer than is waited for it gets all that was recorded meanwhile', async () => {
    const database = sqliteDatabase(newFolder());
    const other = { connection: undefined as InstanceType<typeof Sqlite> | undefined };
    await refusing(
      'SQLite: another keeps the write lock',
      database,
      () => {
        other.connection = new Sqlite(database.path);
        other.connection.exec('BEGIN IMMEDIATE');
      },
      () => other.connection?.close(),
      'SQLITE_BUSY',
    );
  });

  it('whose table is away for a while gets all that was recorded meanwhile', async () => {
    const database = sqliteDatabase(newFolder());
    const rename = (from: string, to: string) => () => {
      const connection = new Sqlite(database.path, { timeout: 5_000 });
      connection.exec(`ALTER TABLE ${from} RENAME TO ${to}`);
      connection.close();
    };
    await refusing(
      'SQLite: the table is away',
      database,
      rename('recap_entries', 'away'),
      rename('away', 'recap_entries'),
      'SQLITE_ERROR',
    );
  });
});

describe('a PostgreSQL database', () => {
  if (postgres === undefined) {
    it('is not tried, since RECAP_TEST_POSTGRES_URL names no server', () => {
      console.warn('SKIPPED: a PostgreSQL that refuses.');
      expect(process.env['CI']).not.toBe('1');
    });
    return;
  }

  it('with a constraint that refuses one exchange gets all others', async () => {
    const database = await postgresDatabase(postgres, newFolder());
    try {
      const host = await startHost({ database: database.target, options: { spool: database.spool } });
      await host.tell('ready');
      await host.end();
      await onServer(database.url.href, (client) =>
        client.query("ALTER TABLE recap_entries ADD CHECK (path <> '/orders/poison')"),
      );
      await refusingOne('PostgreSQL: a constraint refuses one', database);
    } finally {
      await database.remove();
    }
  });

  it('that lets nobody in at the start answers each request, and is recorded into once it does', async () => {
    const database = await postgresDatabase(postgres, newFolder());
    const role = `guest_${process.pid}`;
    const url = Object.assign(new URL(database.url), { username: role }).href;
    try {
      await onServer(database.url.href, async (client) => {
        await client.query(`CREATE ROLE ${role} NOLOGIN`);
        await client.query(`GRANT ALL ON SCHEMA public TO ${role}`);
      });
      const host = await startHost({
        database: { type: 'postgres', url },
        options: { spool: database.spool },
      });
      // 28000: invalid authorization specification.
      expect((await host.tell('ready')).error).toContain('28000');
      for (let index = 0; index < 20; index += 1) {
        expect(await host.post(`/orders/${index}`)).toMatchObject({ password: `CANARY-${index}-password` });
      }
      expect(await host.tell('stats')).toMatchObject({ captured: 20, queued: 20 });
      await onServer(database.url.href, (client) => client.query(`ALTER ROLE ${role} LOGIN`));
      await until(
        'all is stored',
        () => host.tell('stats'),
        ({ stored }) => stored === 20,
        60_000,
      );
      await host.end();
    } finally {
      await onServer(database.url.href, (client) => client.query(`DROP OWNED BY ${role}`));
      await database.remove();
      await onServer(postgres, (client) => client.query(`DROP ROLE ${role}`));
    }
  });

  it('that becomes read-only for a while gets all that was recorded meanwhile', async () => {
    const database = await postgresDatabase(postgres, newFolder());
    const name = database.url.pathname.slice(1);
    // A setting holds for connections that are opened after it.
    const set = (what: string) => () =>
      onServer(postgres, async (client) => {
        await client.query(`ALTER DATABASE ${name} ${what}`);
        await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
          name,
        ]);
      });
    try {
      await refusing(
        'PostgreSQL: read-only',
        database,
        set('SET default_transaction_read_only = on'),
        set('RESET default_transaction_read_only'),
        '25006',
      );
    } finally {
      await database.remove();
    }
  });

  it('whose table is away for a while gets all that was recorded meanwhile', async () => {
    const database = await postgresDatabase(postgres, newFolder());
    const rename = (from: string, to: string) => () =>
      onServer(database.url.href, async (client) => {
        await client.query(`ALTER TABLE ${from} RENAME TO ${to}`);
      });
    try {
      await refusing(
        'PostgreSQL: the table is away',
        database,
        rename('recap_entries', 'away'),
        rename('away', 'recap_entries'),
        '42P01',
      );
    } finally {
      await database.remove();
    }
  });
});
