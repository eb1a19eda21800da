import { StorageError } from '../../src/errors';
import { Breaker } from '../../src/resilience/breaker';

const broken = (): StorageError => new StorageError('UNAVAILABLE', 'It is gone.');

let breaker: Breaker;
let states: string[];
beforeEach(() => {
  jest.useFakeTimers();
  states = [];
  const onCircuit = (state: string): void => void states.push(state);
  breaker = new Breaker({ name: 'test', failures: 3, resetAfterMs: 5_000, onCircuit });
});
afterEach(() => void jest.useRealTimers());

const succeed = (): Promise<string> => breaker.run(async () => 'done');

async function fail(times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const error = broken();
    await expect(breaker.run(() => Promise.reject(error))).rejects.toBe(error);
  }
}

/** An operation that has begun, and ends when it is told to. */
function begin(): { readonly call: Promise<string>; end(error?: Error): void } {
  let end!: (error?: Error) => void;
  const call = breaker.run(
    () =>
      new Promise<string>((resolve, reject) => {
        end = (error) => (error === undefined ? resolve('late') : reject(error));
      }),
  );
  return { call, end };
}

const isOpen = (): boolean => states.at(-1) === 'open';

describe('a circuit', () => {
  it.each([0, 1, 5])('opens after three failures in a row, and %i successes before', async (successes) => {
    for (let n = 0; n < successes; n += 1) expect(await succeed()).toBe('done');
    await fail(2);
    expect(isOpen()).toBe(false);
    await fail(1);
    expect(isOpen()).toBe(true);
    await expect(succeed()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('forgets failures at each success, also at one of a call that had begun before them', async () => {
    for (let n = 0; n < 5; n += 1) {
      await fail(2);
      expect(await succeed()).toBe('done');
      const early = begin();
      await fail(2);
      early.end();
      expect(await early.call).toBe('late');
    }
    expect(states).toEqual([]);
    await fail(3);
    expect(isOpen()).toBe(true);
  });

  it('counts failures of calls that are under way together', async () => {
    const calls = [begin(), begin(), begin()];
    for (const { end } of calls) end(broken());
    const ends = await Promise.allSettled(calls.map(({ call }) => call));
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(isOpen()).toBe(true);
  });

  it.each(['while nothing had failed', 'after something had failed'])(
    'stays open whatever becomes of calls that began %s',
    async (when) => {
      const before = when === 'while nothing had failed' ? 0 : 1;
      await fail(before);
      const [good, bad] = [begin(), begin()];
      await fail(3 - before);
      const error = broken();
      bad.end(error);
      await expect(bad.call).rejects.toBe(error);
      good.end();
      expect(await good.call).toBe('late');
      await expect(succeed()).rejects.toMatchObject({ message: expect.stringContaining('is not asked') });
      jest.setSystemTime(Date.now() + 5_000);
      expect(await succeed()).toBe('done');
      expect(states).toEqual(['open', 'closed']);
    },
  );

  it('opens again when the one that is let through fails', async () => {
    await fail(3);
    jest.setSystemTime(Date.now() + 5_000);
    await fail(1);
    await expect(succeed()).rejects.toMatchObject({ message: expect.stringContaining('is not asked') });
    jest.setSystemTime(Date.now() + 5_000);
    expect(await succeed()).toBe('done');
    await fail(2);
    expect(await succeed()).toBe('done');
    await fail(3);
    expect(isOpen()).toBe(true);
  });
});
