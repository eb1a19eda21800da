import { lostBeyondBuffered } from './rig/check-ledger';
import { postgresDatabase, sqliteDatabase, type TestDatabase } from './rig/databases';
import { examine, together } from './rig/examine';
import { KILLS, report } from './rig/figures';
import { newFolders } from './rig/folders';
import { startHost } from './rig/start-host';
import { startLoad } from './rig/start-load';

jest.setTimeout(KILLS * 30_000);

const postgres = process.env['RECAP_TEST_POSTGRES_URL'];
const newFolder = newFolders();

const databases: [string, () => Promise<TestDatabase>][] = [
  ['SQLite', async () => sqliteDatabase(newFolder())],
  ...(postgres === undefined
    ? []
    : [
        ['PostgreSQL', () => postgresDatabase(postgres, newFolder())] as [
          string,
          () => Promise<TestDatabase>,
        ],
      ]),
];

if (postgres === undefined) {
  it('is not tried on PostgreSQL, since RECAP_TEST_POSTGRES_URL names no server', () => {
    console.warn('SKIPPED: killed hosts on PostgreSQL.');
    expect(process.env['CI']).not.toBe('1');
  });
}

/** Kills a host under load again and again; each takes up what the one before left. */
async function killUnderLoad(database: TestDatabase, durability: string) {
  const load = startLoad();
  const ledgers = [];
  const lostBeyond: number[] = [];
  let slowestStart = 0;
  const settings = {
    database: database.target,
    options: { durability, spool: database.spool, minFreeDiskBytes: 0 },
    log: database.log,
  };
  for (let round = 1; round <= KILLS; round += 1) {
    const host = await startHost(settings);
    slowestStart = Math.max(slowestStart, await host.readyMs());
    // Another moment each time: before the first batch, within one, between two, after many.
    await load.startUntil(30 + ((331 * round) % 1_500), {
      port: host.port,
      prefix: `r${round}`,
      stopsAtFailure: true,
    });
    const killedAt = Date.now();
    await host.kill();
    const ledger = await load.stop();
    ledgers.push(ledger);
    lostBeyond.push(lostBeyondBuffered((await examine(database, ledger, true)).lost, killedAt));
  }
  const last = await startHost(settings);
  await last.tell('ready');
  const told = await last.tell('flush');
  const end = await last.end();
  return { told, end, ledger: together(ledgers), slowestStart, lostBeyond };
}

describe.each(databases)('a host that is killed under load, on %s', (name, newDatabase) => {
  it.each(['buffered', 'spooled'])(
    'loses with durability "%s" no more than that promises',
    async (durability) => {
      const database = await newDatabase();
      try {
        const { told, end, ledger, slowestStart, lostBeyond } = await killUnderLoad(database, durability);
        const { breaches, lost, stored } = await examine(database, ledger, true);
        report(`kill -9 of the host, ${durability}, ${name}`, {
          kills: KILLS,
          answered: ledger.answered.length,
          stored,
          lost: lost.length,
          'start-up ms': Math.round(slowestStart),
        });
        expect(breaches).toEqual([]);
        if (durability === 'buffered') expect(lostBeyond).toEqual(lostBeyond.map(() => 0));
        else {
          expect(lost).toEqual([]);
          // The faults were reached: something was only in the journal.
          expect(told.replayed).toBeGreaterThan(0);
        }
        expect(told).toMatchObject({ queued: 0, spooled: 0, shed: {}, failures: [], worker: true });
        expect(end).toMatchObject({ spooled: 0, failures: [] });
        // Written in a batch of 2 s on a machine with nothing else to do.
        expect(slowestStart).toBeLessThan(20_000);
      } finally {
        await database.remove();
      }
    },
  );
});
