import { LoopLag } from '../../src/recorder/loop-lag';

/** A loop whose turns take as long as a test says, under fake timers. */
function openLag(maxLagMs = 500) {
  const changes: number[] = [];
  const lag: LoopLag = new LoopLag(
    maxLagMs,
    () => changes.push(lag.level),
    () => Date.now(),
  );
  /** One probe, of a turn that takes `turnMs`. */
  const probe = (turnMs: number, exchanges = 500 + turnMs): void => {
    for (let at = 0; at < exchanges; at += 1) lag.noteExchange();
    jest.advanceTimersByTime(500);
    // The loop is held up: time goes by, and no timer gets its turn.
    jest.setSystemTime(Date.now() + turnMs);
    jest.advanceTimersByTime(1);
  };
  return { lag, changes, probe };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('LoopLag', () => {
  it('is calm while the loop is busy, but gets round', () => {
    const { lag, changes, probe } = openLag();
    for (let at = 0; at < 200; at += 1) probe(30 + (at % 7) * 20);
    expect(lag.level).toBe(0);
    expect(changes).toEqual([]);
  });

  it('is calm when the loop is held up once, or now and then, for however long', () => {
    const { lag, probe } = openLag();
    for (const turnMs of [5, 2_000, 5, 5, 60_000, 5, 5, 5, 3_000, 3_000, 5, 5, 5]) {
      probe(turnMs);
      expect(lag.level).toBe(0);
    }
  });

  it('takes a step when most turns are late, and the further the later they are', () => {
    const { lag, changes, probe } = openLag();
    for (let at = 0; at < 2; at += 1) probe(600);
    expect(lag.level).toBe(0);
    probe(600);
    expect(lag.level).toBe(1);
    for (let at = 0; at < 3; at += 1) probe(1_000);
    expect(lag.level).toBe(2);
    for (let at = 0; at < 3; at += 1) probe(2_500);
    expect(lag.level).toBe(3);
    expect(changes).toEqual([1, 2, 3]);
  });

  it('is calm in a program that has few exchanges: it is not they that hold it up', () => {
    const { lag, probe } = openLag();
    for (let at = 0; at < 20; at += 1) probe(3_000, 300);
    expect(lag.level).toBe(0);
    for (let at = 0; at < 3; at += 1) probe(3_000, 400);
    expect(lag.level).toBe(3);
    for (let at = 0; at < 10; at += 1) probe(3_000, 300);
    expect(lag.level).toBe(0);
  });

  it('goes back step by step once turns are short again', () => {
    const { lag, changes, probe } = openLag();
    for (let at = 0; at < 5; at += 1) probe(2_500);
    changes.length = 0;
    for (let at = 0; at < 40; at += 1) probe(400);
    // Late by less than half of the second bound, but not of the first.
    expect(lag.level).toBe(1);
    for (let at = 0; at < 10; at += 1) probe(10);
    expect(lag.level).toBe(0);
    expect(changes).toEqual([2, 1, 0]);
  });

  it('looks no more when no exchanges come, and again when they do', () => {
    const { lag, probe } = openLag();
    expect(jest.getTimerCount()).toBe(0);
    probe(5);
    jest.advanceTimersByTime(60_000);
    expect(jest.getTimerCount()).toBe(0);
    lag.noteExchange();
    expect(jest.getTimerCount()).toBe(1);
    lag.stop();
    lag.noteExchange();
    expect(jest.getTimerCount()).toBe(0);
  });
});
