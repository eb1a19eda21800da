import { createFileBackend } from '../../../src/backends/file/file-backend';
import type { FileDamage } from '../../../src/backends/file/file-damage';
import { Ledger } from './ledger';
import { SimulatedFiles } from './simulated-files';

jest.setTimeout(120_000);

const PATH = '/data';

/** Opens, does some of everything, noting what was answered, and closes. It goes on after a failure, as programs do. */
async function session(
  files: SimulatedFiles,
  ledger: Ledger,
  name: string,
  damages: FileDamage[],
): Promise<void> {
  const backend = openable(files, damages);
  try {
    await backend.open();
  } catch (error) {
    ledger.refused(error);
    return;
  }
  for (let round = 0; round < 2; round += 1) {
    const text = `${name} ${round}`;
    await Promise.all(
      ['a', 'b', 'long'.repeat(200)].map((key) => ledger.set(backend, key, `${text} ${key}`)),
    );
    await ledger.append(backend, 'list', text);
    await ledger.delete(backend, 'b');
    if (round === 1) await ledger.delete(backend, 'list 2');
    await ledger.append(backend, 'list 2', text);
    await ledger.check(backend);
  }
  await backend.close().catch((error: unknown) => ledger.refused(error));
}

function openable(files: SimulatedFiles, damages: FileDamage[]) {
  return createFileBackend({
    ...{ path: PATH, fileSystem: files, shardCount: 1, backupCount: 2, sweepIntervalMs: 0 },
    onDamage: (damage) => damages.push(damage),
  });
}

/** What has to hold at the next start, whatever went before. */
async function expectSound(files: SimulatedFiles, ledger: Ledger, damages: FileDamage[]): Promise<void> {
  const backend = openable(files, damages);
  await backend.open();
  await ledger.check(backend, true);
  const temporary = [...files.files().keys()].filter((path) => path.endsWith('.tmp'));
  await backend.close();
  expect({ temporary, damages }).toEqual({ temporary: [], damages: [] });
}

const SESSIONS = ['first', 'second', 'third'];

async function sessions(files: SimulatedFiles, ledger: Ledger, damages: FileDamage[]): Promise<void> {
  for (const name of SESSIONS) await session(files, ledger, name, damages);
}

describe('a file backend on a disk that fails', () => {
  it.each(['EIO', 'ENOSPC', 'EACCES', 'EMFILE', 'EROFS'])(
    'loses nothing that was answered, whichever call fails with %s',
    async (code) => {
      const whole = new SimulatedFiles();
      await sessions(whole, new Ledger(), []);
      expect(whole.calls).toBeGreaterThanOrEqual(300);
      for (const count of [1, Infinity])
        for (let from = 1; from <= whole.calls; from += count === 1 ? 1 : 7) {
          const files = new SimulatedFiles();
          const ledger = new Ledger();
          const damages: FileDamage[] = [];
          files.failing = { from, count, code };
          try {
            await sessions(files, ledger, damages);
            expect(files.failed).toBeGreaterThan(0);
            files.failing = undefined;
            await expectSound(files, ledger, damages);
          } catch (error) {
            throw new Error(`call ${from} (${whole.trace[from - 1]}), ${count} fail`, { cause: error });
          }
        }
    },
  );

  it('loses nothing that was answered when the power goes, whichever call was the last', async () => {
    const whole = new SimulatedFiles();
    await sessions(whole, new Ledger(), []);
    for (let from = 1; from <= whole.calls; from += 1)
      for (const cut of CUTS) {
        const files = new SimulatedFiles();
        const ledger = new Ledger();
        files.failing = { from, count: Infinity, code: 'EIO' };
        await sessions(files, ledger, []);
        const left = files.afterCut(cut);
        for (const path of left.files().keys()) if (path.includes('/lock/')) left.unlinkNow(path);
        try {
          await expectSound(left, ledger, []);
        } catch (error) {
          throw new Error(`call ${from} (${whole.trace[from - 1]}), ${JSON.stringify(cut)}`, {
            cause: error,
          });
        }
      }
  });
});

it.each(['EINVAL', 'ENOTSUP', 'EIO'])(
  'a file system that syncs no folders, but says %s, is used unless that is a failure',
  async (code) => {
    const files = new SimulatedFiles();
    const open = files.open.bind(files);
    files.open = async (path, flags) => {
      const file = await open(path, flags);
      return { ...file, sync: () => Promise.reject(Object.assign(new Error(code), { code })) };
    };
    const backend = openable(files, []);
    if (code === 'EIO') {
      await expect(backend.open()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      return;
    }
    await backend.open();
    await backend.set({ partition: 'p', key: 'k' }, 1);
    await backend.close();
    const next = openable(files, []);
    await next.open();
    expect((await next.get({ partition: 'p', key: 'k' }))?.value).toBe(1);
    await next.close();
  },
);

const CUTS = [
  { keepsNames: false, keepsContent: false },
  { keepsNames: true, keepsContent: false },
  { keepsNames: false, keepsContent: true },
  { keepsNames: true, keepsContent: true },
];
