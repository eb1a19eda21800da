import { setImmediate as nextTurn } from 'node:timers/promises';
import { StorageError } from '@recap/storage';
import type { NewEntry } from '../../src/entries/entry-store';
import type { Exchange } from '../../src/exchange';
import { Spool } from '../../src/spool';
import { newEntry } from '../../src/testing/new-entry';
import { PowerCutFiles } from './power-cut-files';

const PARENT = '/spool';

/** What the database holds, whoever brought it there. */
class Store {
  readonly ids: string[] = [];

  open(): Promise<void> {
    return Promise.resolve();
  }

  /** Nothing is done after the power has gone. */
  isOff: () => boolean = () => false;

  append(entries: readonly NewEntry[]): Promise<{ entryId: string; sessionId: string }[]> {
    if (this.isOff()) return Promise.reject(new StorageError('UNAVAILABLE', 'off'));
    // As the database does, it leaves alone what it has.
    for (const { id } of entries) if (!this.ids.includes(id)) this.ids.push(id);
    return Promise.resolve(entries.map(({ id }) => ({ entryId: id, sessionId: 's' })));
  }
}

function openSpool(files: PowerCutFiles, store: Store) {
  const failures: unknown[] = [];
  const spool = new Spool({
    path: PARENT,
    maxBytes: 1e9,
    minFreeDiskBytes: 0,
    prepare: ({ id }) => ({
      entry: newEntry({ id, requestBody: Buffer.from(`body of ${id}`) }),
      compress: false,
    }),
    pack: ({ entry }) => Promise.resolve(entry),
    store,
    onFailure: (error) => failures.push(error),
    files,
    segmentBytes: 400,
  });
  return { spool, failures };
}

/** So many seconds, and all that is done meanwhile. */
async function pass(seconds: number): Promise<void> {
  for (let left = seconds; left > 0; left -= 1) {
    await jest.advanceTimersByTimeAsync(Math.min(left, 1) * 1_000);
    for (let turn = 0; turn < 12; turn += 1) await nextTurn();
  }
}

interface Work {
  /** Whose `append` succeeded, and which nobody else stored. */
  readonly owed: string[];
  readonly shed: number;
}

/**
 * A program's life: it takes over what one before it left, spools, stores some from memory, leaves others to the spool, and
 * closes. Whatever of it fails, it goes on.
 */
async function live(files: PowerCutFiles, store: Store, names: readonly string[]): Promise<Work> {
  const { spool } = openSpool(files, store);
  spool.start(() => false);
  await pass(16);
  const owed: string[] = [];
  for (const [index, name] of names.entries()) {
    let ticket;
    try {
      ticket = spool.append({ id: name } as unknown as Exchange);
    } catch {
      // It was told that this one is not spooled.
      continue;
    }
    if (index % 3 === 0) {
      store.ids.push(name);
      spool.done([ticket]);
    } else {
      owed.push(name);
      if (index % 3 === 1) spool.defer(ticket);
    }
    // Time for what is done aside, such as syncing.
    if (index % 4 === 3) await pass(0.5);
  }
  await pass(40);
  const { counts } = spool;
  // That a call fails keeps a program's end from nothing.
  await expect(spool.close()).resolves.toBeUndefined();
  return { owed, shed: Object.values(counts.shed).reduce((sum, count) => sum + count, 0) };
}

/** Three programs, one after another; the first is killed, and the disk fails under the second. */
async function lives(failing: PowerCutFiles['failing']) {
  const store = new Store();
  const first = new PowerCutFiles();
  const owed = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'];
  // Two folders are left.
  for (const ids of [owed.slice(0, 4), owed.slice(4)]) {
    const { spool } = openSpool(first, store);
    for (const id of ids) spool.append({ id } as unknown as Exchange);
  }
  await pass(0.5);
  const files = first.afterDeath();
  files.failing = failing;
  const names = Array.from({ length: 14 }, (_each, index) => `b${index}`);
  const second = await live(files, store, names);
  const early = owed.filter((id) => !store.ids.includes(id));
  const calls = files.calls;
  const failed = [...files.failed];
  files.failing = undefined;
  const last = files.afterDeath();
  const third = await live(last, store, []);
  return {
    store,
    owed: [...owed, ...second.owed],
    shed: second.shed + third.shed,
    calls,
    failed,
    early,
    left: last.paths,
  };
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('a spool on a disk that works', () => {
  it('gets all stored, and leaves nothing behind', async () => {
    const { store, owed, shed, left, calls } = await lives(undefined);
    expect(owed.filter((id) => !store.ids.includes(id))).toEqual([]);
    expect(new Set(store.ids).size).toBe(store.ids.length);
    expect({ shed, left }).toEqual({ shed: 0, left: [] });
    expect(calls).toBeGreaterThan(40);
  });
});

describe('a spool whose disk loses its power', () => {
  it('loses nothing that was synced before, at whichever call, of taking over, reading back or removing, it is', async () => {
    const store = new Store();
    const first = new PowerCutFiles();
    const { spool } = openSpool(first, store);
    const owed = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'];
    for (const id of owed) spool.append({ id } as unknown as Exchange);
    await pass(0.5);
    const lost: string[] = [];
    let calls = Infinity;
    for (let cutAtCall = 1; cutAtCall <= calls; cutAtCall += 1) {
      for (const cut of [
        { tornAt: 0, hasLength: false },
        { tornAt: 30, hasLength: true },
      ]) {
        const stored = new Store();
        const files = first.afterDeath(cutAtCall);
        const names = ['b0', 'b1', 'b2', 'b3', 'b4', 'b5'];
        stored.isOff = () => files.calls >= cutAtCall;
        await live(files, stored, names).catch(() => undefined);
        stored.isOff = () => false;
        if (files.calls < cutAtCall) calls = files.calls;
        await live(files.afterCut(cut).afterDeath(), stored, []);
        const missing = owed.filter((id) => !stored.ids.includes(id));
        if (missing.length > 0) lost.push(`call ${cutAtCall}: ${missing.join()}`);
      }
    }
    expect(lost).toEqual([]);
    expect(calls).toBeGreaterThan(30);
  });
});

describe('a spool that is closed', () => {
  // Once it left its folder to the next program while it still read in it, and took what it did not find for damaged.
  it('ends what it reads back and stores at that moment, and leaves nothing of it to the next', async () => {
    const files = new PowerCutFiles();
    const store = new Store();
    let release = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      store.open = () => {
        resolve();
        return new Promise((goOn) => (release = goOn));
      };
    });
    const { spool, failures } = openSpool(files, store);
    spool.defer(spool.append({ id: 'a' } as unknown as Exchange));
    await pass(1);
    await begun;
    const closed = spool.close();
    await nextTurn();
    release();
    await closed;
    expect({ ids: store.ids, left: files.paths, failures, counts: spool.counts }).toMatchObject({
      ids: ['a'],
      left: [],
      failures: [],
      counts: { spooled: 0, replayed: 1, corrupt: 0, shed: {} },
    });
  });
});

describe('a spool on a disk of which one call fails', () => {
  it.each(['EIO', 'ENOSPC', 'EMFILE'])(
    'loses nothing that it took, whichever call fails with %s',
    async (code) => {
      const { calls } = await lives(undefined);
      const reached = new Set<string>();
      const broken: string[] = [];
      for (let from = 1; from <= calls; from += 1) {
        const { store, owed, shed, failed, early, left } = await lives({ from, count: 1, code });
        for (const name of failed) reached.add(name);
        const lost = owed.filter((id) => !store.ids.includes(id));
        if (lost.length > shed)
          broken.push(`call ${from} (${failed.join()}): lost ${lost.join()}, counted ${shed}`);
        if (shed > 0) broken.push(`call ${from} (${failed.join()}): shed ${shed}`);
        // The program goes on, and tries again by itself.
        if (early.length > 0) broken.push(`call ${from} (${failed.join()}): late ${early.join()}`);
        if (left.length > 0) broken.push(`call ${from} (${failed.join()}): left ${left.join()}`);
      }
      expect(broken).toEqual([]);
      expect([...reached].sort()).toEqual([
        'close',
        'create',
        'freeBytes',
        'list',
        'makeFolder',
        'read',
        'readAll',
        'remove',
        'removeFolder',
        'rename',
        'sync',
        'syncFolder',
        'touch',
        'write',
      ]);
    },
    120_000,
  );
});
