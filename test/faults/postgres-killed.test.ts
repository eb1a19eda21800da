import { isLong, report } from './rig/figures';
import { postgresDatabase } from './rig/databases';
import { examine } from './rig/examine';
import { newFolders } from './rig/folders';
import { startKillablePostgres, type KillablePostgres } from './rig/killable-postgres';
import { startHost } from './rig/start-host';
import { startLoad } from './rig/start-load';
import { until } from './rig/until';

const KILLS = isLong ? 20 : 3;

jest.setTimeout(KILLS * 60_000);

const newFolder = newFolders();
let server: KillablePostgres | undefined;

beforeAll(async () => {
  server = await startKillablePostgres();
});
afterAll(() => server?.stop());

describe('a PostgreSQL whose processes are all killed under load', () => {
  it.each(['buffered', 'spooled'])(
    'has each exchange once after its restart, and no client notices, with durability "%s"',
    async (durability) => {
      if (server === undefined) return;
      const database = await postgresDatabase(server.url, newFolder());
      const host = await startHost({
        database: database.target,
        options: { durability, spool: database.spool },
        log: database.log,
      });
      await host.tell('ready');
      const load = startLoad();
      load.start({ port: host.port, prefix: durability, perSecond: 500 });
      const resumedMs: number[] = [];
      const awayMs: number[] = [];
      for (let round = 0; round < KILLS; round += 1) {
        const { stored: before } = await host.tell('stats');
        await until(
          'more is stored',
          () => host.tell('stats'),
          ({ stored }) => stored > before + 100,
        );
        const killedAt = performance.now();
        await server.kill();
        // The fault is reached: what is recorded waits.
        const { failures } = await host.tell('stats');
        await until(
          'the recorder notices',
          () => host.tell('stats'),
          // The last outage lasts until it tries less often.
          (now) =>
            now.failures.length > failures.length + (round === KILLS - 1 ? 6 : 0) &&
            now.queued + now.spooled > 50,
        );
        const { stored: away } = await host.tell('stats');
        await server.restart();
        const readyAt = performance.now();
        awayMs.push(readyAt - killedAt);
        await until(
          'something is stored again',
          () => host.tell('stats'),
          ({ stored }) => stored > away,
          60_000,
        );
        resumedMs.push(performance.now() - readyAt);
      }
      const ledger = await load.stop();
      const told = await host.tell('flush');
      await host.end();
      const { breaches, lost, stored } = await examine(
        { ...database, folders: [...database.folders, server.folder] },
        ledger,
      );
      report(`kill -9 of PostgreSQL, ${durability}`, {
        kills: KILLS,
        answered: ledger.answered.length,
        stored,
        lost: lost.length,
        'away ms': Math.round(Math.max(...awayMs)),
        'resumed after ms': Math.round(Math.max(...resumedMs)),
      });
      expect(breaches).toEqual([]);
      expect(lost).toEqual([]);
      expect(told).toMatchObject({
        captured: ledger.answered.length,
        stored,
        queued: 0,
        spooled: 0,
        shed: {},
      });
      expect(Math.max(...resumedMs)).toBeLessThan(10_000);
      await database.remove();
    },
  );
});
