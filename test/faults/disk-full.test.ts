import { join } from 'node:path';
import { sqliteDatabase, Sqlite } from './rig/databases';
import { examine } from './rig/examine';
import { report } from './rig/figures';
import { newFolders } from './rig/folders';
import { smallDisk } from './rig/small-disk';
import { startHost, sumOf } from './rig/start-host';
import { startLoad } from './rig/start-load';
import { until } from './rig/until';

jest.setTimeout(120_000);

const MIB = 1024 * 1024;
const newFolder = newFolders();

const shedIn = ({ shed }: { shed: Readonly<Record<string, number>> }): number =>
  Object.values(shed).reduce((sum, count) => sum + count, 0);

describe('a full disk', () => {
  it('of the spool costs exactly what is counted, and is used again once there is room', async () => {
    const parent = newFolder();
    const disk = smallDisk(parent);
    const database = sqliteDatabase(newFolder());
    const host = await startHost({
      database: database.target,
      options: {
        maxQueuedExchanges: 100,
        spool: { path: join(disk.folder, 'spool'), maxBytes: 12 * MIB, minFreeDiskBytes: 0 },
        minFreeDiskBytes: 0,
      },
      log: database.log,
    });
    await host.tell('ready');
    // The database takes nothing for the time being.
    const other = new Sqlite(database.path);
    other.exec('BEGIN IMMEDIATE');
    const load = startLoad();
    load.start({ port: host.port, prefix: 'spool', perSecond: 400 });
    const spooling = (least: number) =>
      until(
        `${least} are spooled`,
        () => host.tell('stats'),
        ({ spooled }) => spooled >= least,
      );
    await spooling(100);
    disk.fill(host.pid);
    const full = await until(
      'some are shed',
      () => host.tell('stats'),
      (told) => shedIn(told) > 50,
    );
    disk.free(host.pid);
    const freedAt = performance.now();
    // Once each refusal put off the next look at the disk, and a busy program never looked again.
    await spooling(full.spooled + 100);
    const resumedMs = performance.now() - freedAt;
    const ledger = await load.stop();
    other.exec('ROLLBACK');
    other.close();
    const told = await until(
      'all is stored',
      () => host.tell('flush'),
      ({ error }) => error === undefined,
    );
    expect(sumOf(told)).toBe(ledger.answered.length);
    await host.end();
    const { breaches, lost, stored } = await examine(
      { ...database, folders: [...database.folders, parent] },
      ledger,
    );
    report(`spool on a full disk (${disk.kind})`, {
      answered: ledger.answered.length,
      stored,
      shed: shedIn(told),
      'resumed after ms': Math.round(resumedMs),
    });
    expect(breaches).toEqual([]);
    expect(told).toMatchObject({ queued: 0, spooled: 0, spoolCorrupt: 0 });
    expect(lost).toHaveLength(shedIn(told));
    expect(told.failures.some((failure) => failure.startsWith('spool: '))).toBe(true);
  });

  it('of the database undoes the whole batch, which is stored once there is room', async () => {
    const disk = smallDisk(newFolder());
    const database = sqliteDatabase(disk.folder);
    const spool = newFolder();
    const host = await startHost({
      database: database.target,
      options: { maxQueuedExchanges: 100, spool: { path: spool, minFreeDiskBytes: 0 }, minFreeDiskBytes: 0 },
    });
    await host.tell('ready');
    const load = startLoad();
    load.start({ port: host.port, prefix: 'db', perSecond: 400 });
    await until(
      'some are stored',
      () => host.tell('stats'),
      ({ stored }) => stored > 100,
    );
    disk.fill(host.pid, MIB);
    const full = await until(
      'the database is full',
      () => host.tell('stats'),
      ({ failures, spooled }) =>
        spooled > 100 && failures.some((failure) => /SQLITE_(FULL|IOERR)/.test(failure)),
    );
    const reader = new Sqlite(database.path, { readonly: true });
    expect(reader.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    // No part of a batch that was undone. A small one may still fit, and is counted a moment later.
    const found = reader.prepare('SELECT count(*) AS found FROM recap_entries');
    await until(
      'what is counted as stored is there, and no more',
      async () => ({ ...(found.all() as [{ found: number }])[0], stored: (await host.tell('stats')).stored }),
      (now) => now.found === now.stored,
    );
    reader.close();
    disk.free(host.pid);
    const freedAt = performance.now();
    await until(
      'more is stored',
      () => host.tell('stats'),
      ({ stored }) => stored > full.stored,
    );
    const resumedMs = performance.now() - freedAt;
    const ledger = await load.stop();
    const told = await until(
      'all is stored',
      () => host.tell('flush'),
      ({ error }) => error === undefined,
    );
    await host.end();
    const { breaches, lost, stored } = await examine({ ...database, folders: [disk.folder, spool] }, ledger);
    report(`SQLite on a full disk (${disk.kind})`, {
      answered: ledger.answered.length,
      stored,
      lost: lost.length,
      'resumed after ms': Math.round(resumedMs),
    });
    expect(breaches).toEqual([]);
    expect(lost).toEqual([]);
    expect(told).toMatchObject({ captured: stored, stored, queued: 0, spooled: 0, shed: {} });
  });
});
