import { BREAKS, breakBuild } from './rig/broken-builds';
import { sqliteDatabase } from './rig/databases';
import { examine } from './rig/examine';
import { report } from './rig/figures';
import { newFolders } from './rig/folders';
import { startHost } from './rig/start-host';
import { startLoad } from './rig/start-load';

const newFolder = newFolders();

/** What is found of a recorder that is killed in the midst of its work and started again. */
async function findingsOf(consumer: string | undefined, flushIntervalMs = 50): Promise<string[]> {
  const database = sqliteDatabase(newFolder());
  const settings = {
    database: database.target,
    options: { durability: 'spooled', spool: database.spool, minFreeDiskBytes: 0, flushIntervalMs },
    log: database.log,
    ...(consumer !== undefined && { consumer }),
  };
  const load = startLoad();
  const first = await startHost(settings);
  await first.tell('ready');
  await load.startUntil(200, { port: first.port, prefix: 'a', stopsAtFailure: true });
  await first.kill();
  const second = await startHost(settings);
  await second.tell('ready');
  await second.tell('flush');
  await second.end();
  const { breaches, lost } = await examine(database, await load.stop(), true);
  return lost.length === 0 ? breaches : [...breaches, `lost: ${lost.length}`];
}

describe('the examination after a fault', () => {
  it('finds nothing in the recorder as it is', async () => {
    await expect(findingsOf(undefined)).resolves.toEqual([]);
  });

  it.each([
    ['forgets a batch', /^lost/],
    ['forgets one exchange of a batch, and says so to nobody', /^lost/],
    ['stores an exchange twice', /^stored twice/],
    ['takes the answer of one exchange for that of another', /^stored with other bodies/],
    ['redacts nothing', /^file with a secret/],
    ['leaves alone what a killed process spooled', /^lost/],
  ] as const)('finds a recorder that %s', async (how, finding) => {
    // The last one is seen only where nothing was stored before the kill.
    const flushIntervalMs = how === 'leaves alone what a killed process spooled' ? 60_000 : 50;
    const findings = await findingsOf(breakBuild(BREAKS[how], newFolder()), flushIntervalMs);
    report(`broken recorder: ${how}`, { found: findings.length });
    expect(findings).toContainEqual(expect.stringMatching(finding));
  });
});
