import type { Backend } from '../../../src/backend';
import { createFileBackend } from '../../../src/backends/file/file-backend';
import type { FileSystem } from '../../../src/backends/file/file-system';
import { SimulatedFiles } from './simulated-files';

const K = { partition: 'p', key: 'k' };

/** The same disk as another process has it. */
function elsewhere(files: SimulatedFiles): FileSystem {
  return {
    open: (path, flags) => files.open(path, flags),
    list: (path) => files.list(path),
    kindOf: (path) => files.kindOf(path),
    realPath: (path) => files.realPath(path),
    makeFolder: (path) => files.makeFolder(path),
    rename: (from, to) => files.rename(from, to),
    link: (from, to) => files.link(from, to),
    remove: (path) => files.remove(path),
    removeFolder: (path) => files.removeFolder(path),
    writtenAt: (path) => files.writtenAt(path),
    touch: (path) => files.touch(path),
  };
}

async function open(files: FileSystem, onError: (error: unknown) => void = () => undefined) {
  const backend = createFileBackend({
    ...{ path: '/data', fileSystem: files, shardCount: 1, sweepIntervalMs: 0, onError },
  });
  await backend.open();
  return backend;
}

/** As one that finds no beat for long takes it over. */
function loseLock(files: SimulatedFiles): void {
  for (const path of files.files().keys()) if (path.startsWith('/data/lock/')) files.unlinkNow(path);
}

describe('a program whose folder was taken over while it stood still', () => {
  it('overwrites nothing of its successor when it closes, and tells of it', async () => {
    const files = new SimulatedFiles();
    const errors: unknown[] = [];
    const stalled = await open(files, (error) => errors.push(error));
    await stalled.set(K, 'old');
    loseLock(files);
    const successor = await open(elsewhere(files));
    await successor.set(K, 'new');
    await stalled.close();
    expect(errors).toMatchObject([{ code: 'UNAVAILABLE' }]);
    expect((await successor.get(K))?.value).toBe('new');
    await successor.close();
    const next = await open(elsewhere(files));
    expect((await next.get(K))?.value).toBe('new');
    await next.close();
  });

  it('answers no write that its successor has not read', async () => {
    const files = new SimulatedFiles();
    const still: { stand?: () => Promise<void> } = {};
    const stalled = await open({
      ...elsewhere(files),
      open: async (path, flags) => {
        const file = await files.open(path, flags);
        if (!path.includes('/journal/')) return file;
        const write: typeof file.write = async (...call) => {
          await still.stand?.();
          return await file.write(...call);
        };
        return { ...file, write };
      },
    });
    await stalled.set(K, 'old');
    let successor: Backend | undefined;
    still.stand = async () => {
      loseLock(files);
      successor = await open(elsewhere(files));
    };
    await expect(stalled.set(K, 'lost')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect((await successor!.get(K))?.value).toBe('old');
    await successor!.set(K, 'new');
    await stalled.close();
    await successor!.close();
    const next = await open(elsewhere(files));
    expect((await next.get(K))?.value).toBe('new');
    await next.close();
  });

  it('writes nothing more', async () => {
    const files = new SimulatedFiles();
    const stalled = await open(files);
    loseLock(files);
    await expect(stalled.set(K, 'old')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await stalled.close();
    expect([...files.files().keys()].filter((path) => path.startsWith('/data/values'))).toEqual([]);
  });
});
