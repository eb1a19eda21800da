import { createFileBackend } from '../../../src/backends/file/file-backend';
import { reshardFileStorage } from '../../../src/backends/file/reshard-file-storage';
import { SimulatedFiles } from './simulated-files';

jest.setTimeout(60_000);

const WHOLE = { keepsNames: true, keepsContent: true };
const at = (key: number) => ({ partition: 'p', key: `key ${key}` });
const KEYS = [...Array(20).keys()];

async function open(files: SimulatedFiles, shardCount?: number) {
  const backend = createFileBackend({
    ...{ path: '/data', fileSystem: files, sweepIntervalMs: 0 },
    ...(shardCount !== undefined && { shardCount }),
    onDamage: ({ path }) => {
      throw new Error(`${path} is damaged`);
    },
  });
  await backend.open();
  return backend;
}

async function filled(shardCount: number): Promise<SimulatedFiles> {
  const files = new SimulatedFiles();
  for (const round of [1, 2]) {
    const backend = await open(files, shardCount);
    for (const key of KEYS) await backend.set(at(key), [round, key]);
    await backend.append({ partition: 'p', key: 'list' }, [round]);
    await backend.close();
  }
  return files;
}

async function expectAll(files: SimulatedFiles): Promise<void> {
  const backend = await open(files);
  for (const key of KEYS) expect((await backend.get(at(key)))?.value).toEqual([2, key]);
  expect(await backend.range({ partition: 'p', key: 'list' })).toEqual([1, 2]);
  expect([...files.files().keys()].filter((path) => path.endsWith('.tmp'))).toEqual([]);
  await backend.close();
}

const shards = (files: SimulatedFiles, room: string): Set<string | undefined> =>
  new Set(
    [...files.files().keys()]
      .filter((path) => path.startsWith(`/data/${room}/`))
      .map((path) => path.split('/')[3]),
  );

describe('reshardFileStorage', () => {
  it.each([
    [4, 1],
    [1, 16],
    [3, 5],
  ])('spreads values and backups of %i folders over %i', async (from, to) => {
    const files = await filled(from);
    const told: number[] = [];
    const options = { shardCount: to, fileSystem: files, onMoved: (count: number) => told.push(count) };
    const resharded = await reshardFileStorage('/data', options);
    expect(resharded).toMatchObject({ from, to });
    expect(resharded.movedFiles).toBe(told.at(-1));
    expect(resharded.movedFiles).toBeGreaterThan(0);
    for (const room of ['values', 'backups']) expect(shards(files, room).size).toBeLessThanOrEqual(to);
    expect(shards(files, 'values').size).toBeGreaterThan(Math.min(to, 10) - 1);
    await expectAll(files);
  });

  it('loses nothing wherever it is interrupted, and the next start goes on with it', async () => {
    const sound = await filled(2);
    const whole = sound.afterCut(WHOLE);
    await reshardFileStorage('/data', { shardCount: 3, fileSystem: whole });
    for (let from = 1; from <= whole.calls; from += 1) {
      const files = sound.afterCut(WHOLE);
      files.failing = { from, count: Infinity, code: 'EIO' };
      await expect(reshardFileStorage('/data', { shardCount: 3, fileSystem: files })).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
      const left = files.afterCut({ keepsNames: from % 2 === 0, keepsContent: false });
      for (const path of left.files().keys()) if (path.includes('/lock/')) left.unlinkNow(path);
      await expectAll(left);
    }
  });

  it('is refused while a backend has the folder open, and where none has been', async () => {
    const files = await filled(2);
    const backend = await open(files);
    const again = () => reshardFileStorage('/data', { shardCount: 3, fileSystem: files });
    await expect(again()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await backend.close();
    await again();
    await files.makeFolder('/other');
    await expect(reshardFileStorage('/other', { shardCount: 3, fileSystem: files })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('is what changes the number: another in the options is refused', async () => {
    const files = await filled(2);
    await expect(open(files, 4)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expectAll(files);
  });
});
