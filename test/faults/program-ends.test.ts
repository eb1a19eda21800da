import { sqliteDatabase } from './rig/databases';
import { examine } from './rig/examine';
import { report } from './rig/figures';
import { newFolders } from './rig/folders';
import { startHost } from './rig/start-host';
import { startLoad } from './rig/start-load';

const newFolder = newFolders();

describe.each(['buffered', 'spooled'])(
  'a program that ends under load, with durability "%s",',
  (durability) => {
    it.each([
      ['by SIGTERM', undefined, [null, 'SIGTERM']],
      ['by process.exit() in a handler', '/exit/7', [7, null]],
      ['by an exception that nobody catches', '/throw', [1, null]],
    ] as const)(
      '%s has stored all that was answered before, and ends as it would without',
      async (how, url, end) => {
        const database = sqliteDatabase(newFolder());
        const host = await startHost({
          database: database.target,
          options: { durability, spool: database.spool, closeOnSignals: true, minFreeDiskBytes: 0 },
          log: database.log,
        });
        await host.tell('ready');
        const load = startLoad();
        await load.startUntil(300, { port: host.port, prefix: 'a', stopsAtFailure: true });
        const endedAt = Date.now();
        if (url === undefined) host.signal('SIGTERM');
        // Its answer may be cut off by the end.
        else await host.post(url).catch(() => undefined);
        await expect(host.ended).resolves.toEqual(end);
        const ledger = await load.stop();
        const { breaches, lost, stored } = await examine(
          database,
          { ...ledger, sent: [...ledger.sent, '7', 'throw'] },
          true,
        );
        report(`ends ${how}, ${durability}`, {
          answered: ledger.answered.length,
          stored,
          'lost of those answered before': lost.filter(({ at }) => at < endedAt).length,
        });
        expect(breaches).toEqual([]);
        expect(lost.filter(({ at }) => at < endedAt)).toEqual([]);
      },
    );
  },
);
