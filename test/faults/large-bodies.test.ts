import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sqliteDatabase } from './rig/databases';
import { isLong, report } from './rig/figures';
import { newFolders } from './rig/folders';
import { startHost, type HostSettings } from './rig/start-host';
import { until } from './rig/until';

jest.setTimeout(isLong ? 900_000 : 180_000);

const run = promisify(execFile);
const newFolder = newFolders();
const MIB = 1024 * 1024;
/** Kept at most of one body while its exchange is open. */
const KEPT_BYTES = 256 * 1024 + 16 * 1024;
/** What a worker and a queue take besides. */
const BASE_BYTES = 128 * MIB;

const [LARGE, AT_ONCE] = isLong ? [1_000, 50] : [20, 10];
const SLOW = isLong ? 500 : 50;

function newSettings() {
  const database = sqliteDatabase(newFolder());
  const settings: HostSettings = {
    database: database.target,
    options: { spool: database.spool, minFreeDiskBytes: 0 },
    log: database.log,
  };
  return { database, settings };
}

it(`keeps a bounded part of ${LARGE} bodies of 10 MiB each way, ${AT_ONCE} at one time`, async () => {
  const { database, settings } = newSettings();
  const drive = async (isBare: boolean) => {
    const host = await startHost({ ...settings, isBare });
    await host.tell('ready');
    await host.tell('memory');
    const program = join(__dirname, 'programs/large.mjs');
    const { stdout } = await run(process.execPath, [
      program,
      ...[host.port, LARGE, AT_ONCE, 10 * MIB].map(String),
    ]);
    const { right } = JSON.parse(stdout) as { right: number };
    const { peak = 0, badWrites } = await host.tell('memory');
    const told = await host.tell('flush');
    await host.end();
    return { right, peak, badWrites, told };
  };
  const bare = await drive(true);
  const { right, peak, badWrites, told } = await drive(false);
  report(`${LARGE} bodies of 10 MiB each way`, {
    stored: told.stored,
    'MiB more than bare': Math.round((peak - bare.peak) / MIB),
  });
  expect({ bare: bare.right, right, badWrites }).toEqual({ bare: LARGE, right: LARGE, badWrites: 0 });
  expect(told).toMatchObject({ captured: LARGE, stored: LARGE, shed: {}, failures: [] });
  expect(await database.paths()).toHaveLength(LARGE);
  expect(peak - bare.peak).toBeLessThan(2 * AT_ONCE * KEPT_BYTES + BASE_BYTES);
});

it(`holds no more than bare for ${SLOW} clients that do not read, but for what is kept of their answers`, async () => {
  const { settings } = newSettings();
  const bytes = 8 * MIB;
  const drive = async (isBare: boolean) => {
    const host = await startHost({ ...settings, isBare });
    await host.tell('ready');
    await host.tell('memory');
    const client = fork(join(__dirname, 'programs/slow.mjs'), [host.port, SLOW, bytes].map(String), {
      execArgv: [],
    });
    await until(
      'all wait for their clients',
      () => host.tell('memory'),
      ({ blocked }) => blocked === SLOW,
    );
    // What it takes when all has been given back that can be.
    const { rss = 0 } = await host.tell('memory');
    const answered = once(client, 'message');
    client.send('read');
    const [{ right }] = (await answered) as [{ right: number }];
    const { badWrites } = await host.tell('memory');
    if (!isBare) {
      await until(
        'each is over',
        () => host.tell('stats'),
        ({ captured }) => captured === SLOW,
      );
    }
    const told = await host.tell('flush');
    await host.end();
    return { right, rss, badWrites, told };
  };
  const bare = await drive(true);
  const { right, rss, badWrites, told } = await drive(false);
  report(`${SLOW} clients that do not read`, {
    stored: told.stored,
    'MiB more than bare': Math.round((rss - bare.rss) / MIB),
  });
  expect([right, badWrites]).toEqual([bare.right, bare.badWrites]);
  expect([right, badWrites]).toEqual([SLOW, 0]);
  expect(told).toMatchObject({ captured: SLOW, stored: SLOW, shed: {}, failures: [] });
  expect(rss - bare.rss).toBeLessThan(SLOW * KEPT_BYTES + BASE_BYTES);
});
