import { onServer, postgresDatabase, sqliteDatabase, type TestDatabase } from './rig/databases';
import { isLong, report } from './rig/figures';
import { newFolders } from './rig/folders';
import { startHost } from './rig/start-host';
import { startLoad } from './rig/start-load';
import { until } from './rig/until';

jest.setTimeout(isLong ? 600_000 : 120_000);

const postgres = process.env['RECAP_TEST_POSTGRES_URL'];
const newFolder = newFolders();
const QUERIES = isLong ? 20_000 : 400;
const CLIENTS = 20;
const OWNERS = 5;

interface Answer {
  readonly success: boolean;
  readonly data: { readonly items: readonly { readonly path: string }[] };
}

/** Clients ask for entries of their own, and half of them leave before they are answered. */
async function askAndLeave(title: string, database: TestDatabase): Promise<void> {
  const host = await startHost({
    database: database.target,
    options: { spool: database.spool, minFreeDiskBytes: 0 },
    log: database.log,
  });
  await host.tell('ready');
  const load = startLoad();
  await load.startUntil(400, { port: host.port, prefix: 'a', perSecond: 500 });
  const foreign: string[] = [];
  let [asked, left, answered, busy] = [0, 0, 0, 0];
  const client = async (): Promise<void> => {
    while (asked < QUERIES) {
      const owner = (asked += 1) % OWNERS;
      const abort = new AbortController();
      if (asked % 2 === 0) setTimeout(() => abort.abort(), Math.random() * 20);
      try {
        const response = await fetch(`http://127.0.0.1:${host.port}/storage/query`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-owner': `owner-${owner}` },
          body: JSON.stringify({ page_size: 20, include_data: false }),
          signal: abort.signal,
        });
        const { success, data } = (await response.json()) as Answer;
        if (!success) {
          busy += 1;
          continue;
        }
        answered += 1;
        // The load's owners take turns.
        foreign.push(...data.items.map(({ path }) => path).filter((path) => ownerOf(path) !== owner));
      } catch (error) {
        if (!abort.signal.aborted) throw error;
        left += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const ledger = await load.stop();
  const told = await host.tell('flush');
  expect(told).toMatchObject({ queued: 0, shed: {}, stored: ledger.answered.length });
  if (database.kind === 'postgres' && postgres !== undefined) {
    const name = (database.target as { url: string }).url.split('/').at(-1);
    const connections = () =>
      onServer(postgres, (admin) => admin.query('SELECT 1 FROM pg_stat_activity WHERE datname = $1', [name]));
    await until('no more connections than the pool has', connections, ({ rows }) => rows.length <= 4);
  }
  await host.end();
  report(title, { asked, answered, left, busy, foreign: foreign.length });
  expect(foreign).toEqual([]);
  expect(ledger).toMatchObject({ wrong: [], failed: [] });
  expect(left).toBeGreaterThan(QUERIES / 20);
  expect(answered).toBeGreaterThan(QUERIES / 20);
}

function ownerOf(path: string): number {
  return Number(path.split('-').at(-1)) % OWNERS;
}

describe('queries that are cancelled at any moment', () => {
  it('show nobody what is another’s, on SQLite', () =>
    askAndLeave('queries cancelled, SQLite', sqliteDatabase(newFolder())));

  (postgres === undefined ? it.skip : it)('show nobody what is another’s, on PostgreSQL', async () => {
    if (postgres === undefined) return;
    const database = await postgresDatabase(postgres, newFolder());
    try {
      await askAndLeave('queries cancelled, PostgreSQL', database);
    } finally {
      await database.remove();
    }
  });
});
