import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { StorageError } from '@recap/storage';
import type { NewEntry } from '../../src/entries/entry-store';
import type { GapRecord } from '../../src/entries/gap';
import type { Exchange } from '../../src/exchange';
import { Spool, type SpoolOptions } from '../../src/spool/spool';
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
  it('is not offered to a store that somebody else asks already whether it is back', async () => {
    const { spool, stored, attempts, goAway, comeBack } = openSpool();
    goAway();
    let isTried = true;
    spool.start(() => isTried);
    await settle();
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    for (const id of ['a', 'b', 'c']) spool.defer(spool.append(exchange(id)));
    await jest.advanceTimersByTimeAsync(60_000);
    expect(attempts()).toBe(0);
    comeBack();
    isTried = false;
    await jest.advanceTimersByTimeAsync(250);
    jest.useRealTimers();
    await spool.drain();
    expect(stored).toEqual(['a', 'b', 'c']);
    expect(attempts()).toBe(1);
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

  it('are passed over, and told of, when they are damaged', async () => {
    const { spool, failures } = openSpool();
    spool.leaveGaps([gap('a')]);
    await writeFile(join(path, 'gaps-0123456789abcdef.json'), '[{"id":"b","miss');
    await writeFile(join(path, 'gaps-0123456789abcdea.json'), '[{"id":7}]');
    const saved: string[] = [];
    await spool.takeGaps((gaps) => {
      saved.push(...gaps.map(({ id }) => id));
      return Promise.resolve();
    });
    expect(saved).toEqual(['a']);
    expect(failures).toHaveLength(2);
    expect((await readdir(path)).filter((name) => name.startsWith('gaps'))).toEqual([]);
  });
});
