import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RecorderStats } from '../src/recorder/recorder';
import { createRecorder } from '../src/create-recorder';
import { exchangeWith } from './worker/arbitrary-exchange';
import type { RecorderCore } from '../src/recorder/recorder-core';

const database = { type: 'sqlite', path: ':memory:' } as const;
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {
  return undefined;
}

describe('onStats', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['performance', 'nextTick', 'setImmediate', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is given the figures every ten seconds, or as often as was asked', async () => {
    const usual: RecorderStats[] = [];
    const often: RecorderStats[] = [];
    const recorders = [
      createRecorder({ database, onStats: (stats) => usual.push(stats) }),
      createRecorder({ database, onStats: (stats) => often.push(stats), statsIntervalMs: 1_000 }),
    ];
    jest.advanceTimersByTime(9_999);
    expect([usual.length, often.length]).toEqual([0, 9]);
    jest.advanceTimersByTime(1);
    expect([usual.length, often.length]).toEqual([1, 10]);
    expect(usual[0]).toEqual(recorders[0]?.stats());
    jest.useRealTimers();
    await Promise.all(recorders.map((recorder) => recorder.close()));
  });

  it('is called once more at the end, with final figures, and never after', async () => {
    const told: RecorderStats[] = [];
    const recorder = createRecorder({ database, onStats: (stats) => told.push(stats) }) as RecorderCore;
    recorder.record(exchangeWith({ storageType: 'both', expiresAt: undefined }));
    expect(told).toEqual([]);
    jest.useRealTimers();
    await Promise.all([recorder.close(), recorder.close()]);
    expect(told).toEqual([expect.objectContaining({ captured: 1, stored: 1, queued: 0 })]);
    expect(recorder.stats()).toEqual(told[0]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('bug');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('bug'))],
  ] as [string, () => void][])(
    'may be a function that %s: onError is told, and the program goes on',
    async (_how, onStats) => {
      const failures: unknown[] = [];
      const recorder = createRecorder({
        database,
        onStats,
        logger: silent,
        onError: (error, where) => failures.push([(error as Error).message, where]),
      });
      jest.advanceTimersByTime(10_000);
      await nextTurn();
      expect(failures).toEqual([['bug', 'onStats']]);
      jest.useRealTimers();
      await recorder.close();
      await nextTurn();
      expect(failures).toHaveLength(2);
    },
  );
});

describe('the figures of a recorder', () => {
  it('say how long batches take once one was stored', async () => {
    const recorder = createRecorder({ database }) as RecorderCore;
    expect(recorder.stats()).toMatchObject({ flushP95Ms: null, microsPerExchange: null });
    recorder.record(exchangeWith({ storageType: 'both', expiresAt: undefined }));
    await recorder.flush();
    expect(recorder.stats().flushP95Ms).toBeGreaterThan(0);
    await recorder.close();
  });
});
