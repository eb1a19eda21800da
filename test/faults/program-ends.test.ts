import { sqliteDatabase, Sqlite } from './rig/databases';
import { examine } from './rig/examine';
import { report } from './rig/figures';
import { newFolders } from './rig/folders';
import { knowsDurability } from './rig/knows-durability';
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

// What takes the rest into the spool came with `strict`.
const spoolsTheRest = knowsDurability('strict', newFolder());

(spoolsTheRest ? describe : describe.skip)('a program that ends while nothing can be stored', () => {
  it.each([
    ['by SIGTERM', undefined, [null, 'SIGTERM']],
    ['by process.exit() in a handler', '/exit/7', [7, null]],
  ] as const)('%s leaves what is queued to the next one', async (how, url, end) => {
    const database = sqliteDatabase(newFolder());
    const settings = {
      database: database.target,
      options: { spool: database.spool, closeOnSignals: true, minFreeDiskBytes: 0 },
      log: database.log,
    };
    const host = await startHost(settings);
    await host.tell('ready');
    const other = new Sqlite(database.path);
    other.exec('BEGIN IMMEDIATE');
    const load = startLoad();
    await load.startUntil(200, { port: host.port, prefix: 'a', stopsAtFailure: true });
    const endedAt = Date.now();
    if (url === undefined) host.signal('SIGTERM');
    else await host.post(url).catch(() => undefined);
    await expect(host.ended).resolves.toEqual(end);
    const ledger = await load.stop();
    other.exec('ROLLBACK');
    other.close();
    const next = await startHost(settings);
    await next.tell('ready');
    const told = await next.tell('flush');
    await next.end();
    const { breaches, lost, stored } = await examine(
      database,
      { ...ledger, sent: [...ledger.sent, '7'] },
      true,
    );
    const early = lost.filter(({ at }) => at < endedAt);
    report(`ends ${how} while nothing can be stored`, {
      answered: ledger.answered.length,
      stored,
      'lost of those answered before': early.length,
    });
    expect(breaches).toEqual([]);
    expect(early).toEqual([]);
    expect(told.replayed).toBe(stored);
  });
});
