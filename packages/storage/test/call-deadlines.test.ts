import { CallDeadlines } from '../src/call-deadlines';

const never = (): Promise<never> => new Promise(() => undefined);

describe('CallDeadlines', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const open = () => new CallDeadlines(100, () => new Error('late'));

  /** What has become of each call. */
  function watch(calls: readonly Promise<unknown>[]): string[] {
    const states = calls.map(() => 'waits');
    calls.forEach((call, at) => {
      call.then(
        () => (states[at] = 'answered'),
        () => (states[at] = 'late'),
      );
    });
    return states;
  }

  it('gives up each call after its time, though others began before it and after it', async () => {
    const deadlines = open();
    const calls = [deadlines.inTime(never())];
    await jest.advanceTimersByTimeAsync(60);
    calls.push(deadlines.inTime(never()));
    const states = watch(calls);
    await jest.advanceTimersByTimeAsync(45);
    expect(states).toEqual(['late', 'waits']);
    await jest.advanceTimersByTimeAsync(45);
    expect(states).toEqual(['late', 'waits']);
    await jest.advanceTimersByTimeAsync(15);
    expect(states).toEqual(['late', 'late']);
  });

  it('gives an answer and a failure on, and forgets the call', async () => {
    const deadlines = open();
    await expect(deadlines.inTime(Promise.resolve('here'))).resolves.toBe('here');
    await expect(deadlines.inTime(Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await jest.advanceTimersByTimeAsync(500);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('times a call that comes when none was under way for long', async () => {
    const deadlines = open();
    await deadlines.inTime(Promise.resolve());
    await jest.advanceTimersByTimeAsync(90);
    const states = watch([deadlines.inTime(never())]);
    await jest.advanceTimersByTimeAsync(90);
    expect(states).toEqual(['waits']);
    await jest.advanceTimersByTimeAsync(20);
    expect(states).toEqual(['late']);
  });
});
