import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { StorageError } from '@recap/storage';
import type { NewEntry } from '../../src/entries/entry-store';
import type { GapRecord } from '../../src/entries/gap';
import type { Exchange } from '../../src/exchange';
import { Spool, type SpoolOptions } from '../../src/spool/spool';
import { diskFiles } from '../../src/spool/spool-files';
import { newEntry } from '../../src/testing';

let path = '';
const open: Spool[] = [];

beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'recap-spool-')), 'spool');
});
afterEach(async () => {
  jest.useRealTimers();
  for (const spool of open.splice(0)) await spool.close();
  await rm(join(path, '..'), { recursive: true, force: true });
});

function openSpool(options: Partial<SpoolOptions> = {}) {
  const stored: string[] = [];
  const failures: string[] = [];
  let attempts = 0;
  let isAway = false;
  const spool = new Spool({
    path,
    maxBytes: 1_000_000,
    minFreeDiskBytes: 0,
    segmentBytes: 10_000,
    prepare: ({ id }: Exchange) => ({ entry: newEntry({ id }), compress: false }),
    pack: ({ entry }) => Promise.resolve(entry),
    store: {
      open: () => Promise.resolve(),
      append: (entries: readonly NewEntry[]) => {
        attempts += 1;
        if (isAway) return Promise.reject(new StorageError('UNAVAILABLE', 'away'));
        stored.push(...entries.map(({ id }) => id));
        return Promise.resolve(entries.map(({ id }) => ({ entryId: id, sessionId: 's' })));
      },
    },
    onFailure: (error, where) => failures.push(`${where}: ${(error as Error).message}`),
    ...options,
  });
  open.push(spool);
  return {
    spool,
    stored,
    failures,
    attempts: () => attempts,
    goAway: () => (isAway = true),
    comeBack: () => (isAway = false),
  };
}

const exchange = (id: string): Exchange => ({ id }) as Exchange;

const gap = (id: string): GapRecord => ({
  id,
  missing: 'exchanges',
  startedAt: 1,
  endedAt: 2,
  exchanges: 3,
  reasons: { closed: 3 },
  expiresAt: null,
});

/** Lets what was started without a timer come to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await nextTurn();
}

describe('the room of a spool', () => {
  it('is told as the share that is used, up to the last record that it takes', () => {
    const { spool } = openSpool({ maxBytes: 50_000 });
    expect(spool.fill).toBe(0);
    let before = 0;
    for (let at = 0; spool.fill < 1; at += 1) {
      expect(spool.fill).toBeGreaterThanOrEqual(before);
      before = spool.fill;
      try {
        spool.append(exchange(String(at)));
      } catch (error) {
        expect((error as Error).message).toContain('takes no more');
        expect(before).toBeGreaterThan(0.9);
      }
    }
    expect(spool.counts.spooled).toBeGreaterThan(10);
  });

  it('is none while the disk has too little', () => {
    const { spool } = openSpool({ minFreeDiskBytes: Number.MAX_SAFE_INTEGER });
    expect(() => spool.append(exchange('a'))).toThrow('are free on the disk');
    expect(spool.fill).toBe(1);
  });
});

describe('what waits in a spool', () => {
  it('is seldom offered to a store that somebody else asks already whether it is back', async () => {
    const { spool, stored, attempts, goAway, comeBack } = openSpool();
    goAway();
    let isTried = true;
    spool.start(() => isTried);
    await settle();
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    for (const id of ['a', 'b', 'c']) spool.defer(spool.append(exchange(id)));
    await jest.advanceTimersByTimeAsync(4_900);
    expect(attempts()).toBe(0);
    let passedMs = 4_900;
    for (; attempts() < 4; passedMs += 50) {
      await jest.advanceTimersByTimeAsync(50);
      await settle();
    }
    expect(passedMs).toBeGreaterThan(4 * 5_000);
    comeBack();
    isTried = false;
    jest.useRealTimers();
    await spool.drain();
    expect(stored).toEqual(['a', 'b', 'c']);
    expect(attempts()).toBe(5);
  });

  it('is offered at most once a second after a while, when nobody else asks', async () => {
    const { spool, attempts, failures, goAway } = openSpool();
    goAway();
    spool.start(() => false);
    await settle();
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    spool.defer(spool.append(exchange('a')));
    let passedMs = 0;
    for (; attempts() < 20; passedMs += 50) {
      await jest.advanceTimersByTimeAsync(50);
      await settle();
    }
    // Four in the first moments, then each a second or more after the last one.
    expect(passedMs).toBeGreaterThan(14_000);
    expect(failures).toHaveLength(attempts());
  });
});

describe('gaps that are left in a spool', () => {
  it('are stored by the next one, once', async () => {
    openSpool().spool.leaveGaps([gap('a'), gap('b')]);
    openSpool().spool.leaveGaps([gap('c')]);
    const saved: GapRecord[] = [];
    const next = openSpool().spool;
    await expect(next.takeGaps(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
    await next.takeGaps((gaps) => {
      saved.push(...gaps);
      return Promise.resolve();
    });
    expect(saved.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([gap('a'), gap('b'), gap('c')]);
    await next.takeGaps((gaps) => Promise.reject(new Error(`${gaps.length} were left`)));
  });

  // Another process that looked at that moment took them for damaged, and removed them.
  it('are left alone while they are written, unless whoever wrote them is gone', async () => {
    const { spool: writing } = openSpool({
      files: {
        ...diskFiles,
        writeBlocking: (file, bytes, position) => {
          if (position > 0) throw new Error('This is the moment.');
          return diskFiles.writeBlocking(file, bytes.subarray(0, 10), position);
        },
      },
    });
    expect(() => {
      writing.leaveGaps([gap('a')]);
    }).toThrow('the moment');
    const { spool, failures } = openSpool();
    const save = (): Promise<void> => Promise.reject(new Error('There is none.'));
    await spool.takeGaps(save);
    const files = await readdir(path);
    expect([files.length, failures]).toEqual([1, []]);
    const then = new Date(Date.now() - 61_000);
    await utimes(join(path, files[0] ?? ''), then, then);
    await spool.takeGaps(save);
    expect(await readdir(path)).toEqual([]);
    expect(failures).toHaveLength(1);
  });

  it('are told of when they cannot be read: what is damaged goes, what another release left stays', async () => {
    const { spool, failures } = openSpool();
    spool.leaveGaps([gap('a')]);
    const [damaged, newer] = ['gaps-0123456789abcdef.json', 'gaps-0123456789abcdea.json'];
    await writeFile(join(path, damaged), '[{"id":"b","miss');
    await writeFile(join(path, newer), JSON.stringify({ form: 2, gaps: [gap('c')] }));
    const saved: string[] = [];
    await spool.takeGaps((gaps) => {
      saved.push(...gaps.map(({ id }) => id));
      return Promise.resolve();
    });
    expect(saved).toEqual(['a']);
    expect(failures).toHaveLength(2);
    expect(failures.find((failure) => failure.includes('version'))).toContain(newer);
    expect((await readdir(path)).filter((name) => name.startsWith('gaps'))).toEqual([newer]);
  });
});

/** A promise that the test settles. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('It does not come.');
    await nextTurn();
  }
}

/** Closes a spool in the midst of something that does not come back in time. */
async function closeAnyway(spool: Spool): Promise<void> {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
  const closing = spool.close();
  await settle();
  await jest.advanceTimersByTimeAsync(1_000);
  jest.useRealTimers();
  await closing;
}

describe('a spool that is closed in the midst of its work, with another one on the same folder after it', () => {
  const twoRecords = (spool: Spool): void => {
    for (const id of ['a', 'b']) spool.defer(spool.append(exchange(id)));
  };

  it('leaves the files to the other when its store answers later', async () => {
    const { open: answer, opened: answered } = gate();
    let isAsked = false;
    const first = openSpool({
      store: {
        open: () => Promise.resolve(),
        append: async (entries: readonly NewEntry[]) => {
          isAsked = true;
          await answered;
          return entries.map(({ id }) => ({ entryId: id, sessionId: 's' }));
        },
      },
    });
    twoRecords(first.spool);
    // Held by the program yet.
    first.spool.append(exchange('c'));
    await until(() => isAsked);
    await closeAnyway(first.spool);
    const second = openSpool();
    second.spool.start();
    answer();
    await until(() => first.spool.counts.replayed === 2);
    await second.spool.drain();
    await settle();
    expect(second.stored).toEqual(['a', 'b', 'c']);
    expect(first.spool.counts).toMatchObject({ spooled: 1 });
    expect([...first.failures, ...second.failures]).toEqual([]);
    await second.spool.close();
    expect(await readdir(path)).toEqual(['.gitignore']);
  });

  it('reads no more of what is the other’s', async () => {
    const { open: go, opened } = gate();
    let isReading = false;
    const first = openSpool({
      files: {
        ...diskFiles,
        read: async (...args) => {
          isReading = true;
          await opened;
          return diskFiles.read(...args);
        },
      },
    });
    twoRecords(first.spool);
    await until(() => isReading);
    await closeAnyway(first.spool);
    const second = openSpool();
    second.spool.start();
    await second.spool.drain();
    go();
    await settle();
    expect(second.stored).toEqual(['a', 'b']);
    expect([...first.failures, ...second.failures]).toEqual([]);
    expect(first.stored).toEqual([]);
  });

  it('takes gaps that another takes at the same time without a failure', async () => {
    const left = openSpool();
    left.spool.leaveGaps([gap('1')]);
    left.spool.leaveGaps([gap('2')]);
    const saved: string[] = [];
    const save = (gaps: readonly GapRecord[]): Promise<void> => {
      saved.push(...gaps.map(({ id }) => id));
      return Promise.resolve();
    };
    const { open: go, opened } = gate();
    const slow = openSpool({
      files: {
        ...diskFiles,
        readAll: async (file) => {
          await opened;
          return diskFiles.readAll(file);
        },
      },
    });
    const taking = slow.spool.takeGaps(save);
    await settle();
    await openSpool().spool.takeGaps(save);
    left.spool.leaveGaps([gap('3')]);
    go();
    await taking;
    await openSpool().spool.takeGaps(save);
    expect(saved.sort()).toEqual(['1', '2', '3']);
    expect(slow.failures).toEqual([]);
  });

  // A long read under load took more than the minute after which another container takes a folder that nobody touches.
  it('keeps alive what is there while it reads what was left, and reads no more once it is closed', async () => {
    const left = openSpool({ segmentBytes: 500 });
    for (let count = 0; count < 20; count += 1) left.spool.append(exchange(String(count)));
    await left.spool.close();
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance'] });
    const { open: go, opened } = gate();
    const touched: string[] = [];
    let reads = 0;
    const { spool, failures } = openSpool({
      files: {
        ...diskFiles,
        touch: async (folder) => {
          touched.push(folder);
          await diskFiles.touch(folder);
        },
        readAll: async (file) => {
          reads += 1;
          await opened;
          return diskFiles.readAll(file);
        },
      },
    });
    spool.append(exchange('own'));
    spool.start();
    const until = async (isSo: () => boolean): Promise<void> => {
      for (let turn = 0; turn < 20_000 && !isSo(); turn += 1) await nextTurn();
    };
    await until(() => reads === 1);
    const before = touched.length;
    await jest.advanceTimersByTimeAsync(45_000);
    // Its own and the one that it reads, each time.
    await until(() => touched.length >= before + 6);
    const touches = touched.length - before;
    const closing = spool.close();
    go();
    await closing;
    expect([touches, reads]).toEqual([6, 1]);
    expect(failures).toEqual([]);
    jest.useRealTimers();
    const next = openSpool();
    next.spool.start();
    await next.spool.drain();
    expect(new Set(next.stored).size).toBe(21);
  });

  it('keeps alive what is there, and does not miss a folder that was done with meanwhile', async () => {
    const { spool, failures } = openSpool({
      files: {
        ...diskFiles,
        touch: async (folder) => {
          await rm(folder, { recursive: true });
          await diskFiles.touch(folder);
        },
      },
    });
    spool.append(exchange('a'));
    spool.start();
    await spool.drain();
    expect(failures).toEqual([]);
  });
});
