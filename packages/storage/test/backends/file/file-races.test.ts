import { setImmediate as immediate } from 'node:timers/promises';
import { createFileBackend } from '../../../src/backends/file/file-backend';
import type { FileDamage } from '../../../src/backends/file/file-damage';
import { SimulatedFiles } from './simulated-files';

const K = { partition: 'p', key: 'k' };

/** A disk that lets something happen when a call is made. */
class WatchedFiles extends SimulatedFiles {
  onKindOf: ((path: string) => void) | undefined;
  /** Whether the journal takes what is written to it. */
  refusesJournal = false;
  onJournalWrite: (() => Promise<void>) | undefined;

  override async kindOf(path: string) {
    this.onKindOf?.(path);
    return await super.kindOf(path);
  }

  override async open(path: string, flags: number) {
    const file = await super.open(path, flags);
    if (!path.includes('/journal/')) return file;
    const write: typeof file.write = async (...call) => {
      await this.onJournalWrite?.();
      if (this.refusesJournal) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      return await file.write(...call);
    };
    return { ...file, write };
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function make(files: SimulatedFiles, damages: FileDamage[] = []) {
  return createFileBackend({
    ...{ path: '/data', fileSystem: files, shardCount: 1, sweepIntervalMs: 0 },
    onDamage: (damage) => damages.push(damage),
  });
}

describe('a write that the journal refuses', () => {
  it('does not come to its file, at whatever moment of bringing others there it is made', async () => {
    for (let at = 1; at < 12; at += 1) {
      const files = new WatchedFiles();
      const damages: FileDamage[] = [];
      const backend = make(files, damages);
      await backend.open();
      await backend.set(K, 'kept');
      let looks = 0;
      let refused: Promise<unknown> | undefined;
      files.onKindOf = (path) => {
        if (!path.includes('/lock/') || ++looks !== at) return;
        files.refusesJournal = true;
        refused = backend.set(K, 'refused').catch((error: unknown) => error);
      };
      const has = (part: string): boolean => [...files.files().keys()].some((path) => path.includes(part));
      await until(() => has('/values/000/p@k.json') && (refused !== undefined || !has('/journal/')));
      files.onKindOf = undefined;
      if (refused === undefined) break;
      expect(await refused).toMatchObject({ code: 'CAPACITY_EXCEEDED' });
      expect((await backend.get(K))?.value).toBe('kept');
      const killed = files.afterCut({ keepsNames: true, keepsContent: true });
      for (const path of killed.files().keys()) if (path.includes('/lock/')) killed.unlinkNow(path);
      const next = make(killed, damages);
      await next.open();
      expect([at, (await next.get(K))?.value]).toEqual([at, 'kept']);
      await next.close();
      files.refusesJournal = false;
      await backend.close();
      expect([at, damages]).toEqual([at, []]);
    }
  });

  it('is not counted, and makes no name of a partition', async () => {
    const files = new WatchedFiles();
    const backend = make(files);
    await backend.open();
    await backend.set(K, 'kept');
    files.refusesJournal = true;
    const refused = backend.set({ ...K, partition: 'other' }, 1).catch((error: unknown) => error);
    const [stats, partitions] = await Promise.all([backend.stats(), backend.partitions()]);
    expect([stats.items, partitions.items]).toEqual([1, ['p']]);
    expect(await refused).toMatchObject({ code: 'CAPACITY_EXCEEDED' });
    files.refusesJournal = false;
    await backend.close();
  });

  it('is not counted, and makes no name, also where it is made while another is waited for', async () => {
    const files = new WatchedFiles();
    const backend = make(files);
    await backend.open();
    await backend.set(K, 'kept');
    let refused: Promise<unknown> | undefined;
    files.onJournalWrite = async () => {
      files.refusesJournal = refused !== undefined;
      refused ??= backend.set({ ...K, partition: 'other' }, 1).catch((error: unknown) => error);
      await immediate();
    };
    const kept = backend.set(K, 'kept too');
    const [stats, partitions] = await Promise.all([backend.stats(), backend.partitions()]);
    expect([stats.items, partitions.items]).toEqual([1, ['p']]);
    await kept;
    expect(await refused).toMatchObject({ code: 'CAPACITY_EXCEEDED' });
    files.onJournalWrite = undefined;
    files.refusesJournal = false;
    await backend.close();
  });

  it('is seen by no read', async () => {
    for (let hops = 0; hops < 20; hops += 1) {
      const files = new WatchedFiles();
      const backend = make(files);
      await backend.open();
      await backend.set(K, 'kept');
      files.refusesJournal = true;
      const reads = [backend.get(K), backend.scan('p'), backend.keys('p')];
      for (let hop = 0; hop < hops; hop += 1) await Promise.resolve();
      const refused = backend.set(K, 'refused').catch((error: unknown) => error);
      const deleted = backend.delete(K).catch((error: unknown) => error);
      const [item, page, keys] = await Promise.all(reads);
      await Promise.all([refused, deleted]);
      expect([hops, item]).toMatchObject([hops, { value: 'kept' }]);
      expect([hops, page]).toMatchObject([hops, { items: [{ value: 'kept' }] }]);
      expect([hops, keys]).toMatchObject([hops, { items: ['k'] }]);
      files.refusesJournal = false;
      await backend.close();
    }
  });
});
