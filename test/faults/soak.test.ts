import { sqliteDatabase, Sqlite } from './rig/databases';
import type { Ledger } from './rig/check-ledger';
import { examine, together } from './rig/examine';
import { isLong, report } from './rig/figures';
import { newFolders } from './rig/folders';
import { startHost } from './rig/start-host';
import { startLoad } from './rig/start-load';
import { until } from './rig/until';

const newFolder = newFolders();
const MIB = 1024 * 1024;
const ROUNDS = isLong ? 60 : 6;
jest.setTimeout(isLong ? 1_200_000 : 180_000);

it(`grows by nothing over ${ROUNDS} rounds of load in which its worker is killed and its file is locked`, async () => {
  const database = sqliteDatabase(newFolder());
  const host = await startHost({
    database: database.target,
    options: { spool: database.spool, minFreeDiskBytes: 0, flushIntervalMs: 50 },
    log: database.log,
  });
  await host.tell('ready');
  const load = startLoad();
  const other = new Sqlite(database.path);
  const ledgers: Ledger[] = [];
  const reach = (answers: number) =>
    until(
      'the load goes on',
      () => load.count(),
      (count) => count >= answers,
    );
  /** Ends with nothing under way, so that rounds compare. */
  const round = async (index: number): Promise<{ rss: number; files: number }> => {
    load.start({ port: host.port, prefix: `r${index}`, perSecond: 600 });
    await reach(100);
    await host.tell('kill');
    await reach(200);
    other.exec('BEGIN IMMEDIATE');
    await reach(300);
    other.exec('ROLLBACK');
    await reach(400);
    ledgers.push(await load.stop());
    await until(
      'all is stored',
      () => host.tell('flush'),
      ({ error }) => error === undefined,
    );
    const { rss = 0, files = 0 } = await host.tell('memory');
    return { rss, files };
  };
  const rounds = [];
  for (let index = 0; index < ROUNDS; index += 1) rounds.push(await round(index));
  other.close();
  const told = await host.tell('flush');
  await host.end();
  const ledger = together(ledgers);
  const { breaches, lost, stored } = await examine(database, ledger);
  const [, second] = rounds;
  const last = rounds.at(-1);
  if (second === undefined || last === undefined) throw new Error('There were too few rounds.');
  report(`${ROUNDS} rounds of faults under load`, {
    answered: ledger.answered.length,
    stored,
    'MiB grown': Math.round((last.rss - second.rss) / MIB),
    'files grown': last.files - second.files,
  });
  expect(breaches).toEqual([]);
  expect(lost).toEqual([]);
  expect(told).toMatchObject({ captured: stored, stored, queued: 0, spooled: 0, shed: {} });
  expect(told.threads).toBe(ROUNDS + 1);
  expect(last.files - second.files).toBeLessThan(10);
  expect(last.rss - second.rss).toBeLessThan(64 * MIB);
});
