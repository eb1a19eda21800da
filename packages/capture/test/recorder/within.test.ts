import { within } from '../../src/recorder/within';

describe('within', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  // A timer of Node with more than 2^31 - 1 ms fires at once.
  it.each([Infinity, 1e12])('waits for what comes late, for up to %p ms', async (ms) => {
    let isOver = false;
    let finish: (value: string) => void = () => undefined;
    const work = new Promise<string>((resolve) => {
      finish = resolve;
    });
    const waiting = within(ms, work).finally(() => {
      isOver = true;
    });
    await jest.advanceTimersByTimeAsync(3_600_000);
    expect(isOver).toBe(false);
    finish('done');
    await expect(waiting).resolves.toBe('done');
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([0, -1])('gives up when %p ms are over', async (ms) => {
    const waiting = within(ms, new Promise<void>(() => undefined));
    await jest.advanceTimersByTimeAsync(1);
    await expect(waiting).resolves.toBeUndefined();
  });
});
