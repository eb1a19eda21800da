import type { Backend } from '../../src/backend';
import { WritesInOrder } from '../../src/writes-in-order';
import { createMemoryBackend } from '../../src/backends/memory/memory-backend';
import { MemoryDriver } from '../../src/backends/memory/memory-driver';
import { systemClock } from '../../src/clock';
import { createBackend } from '../../src/create-backend';
import type { Driver } from '../../src/driver';
import { StorageError } from '../../src/errors';
import { aroundBackend } from '../../src/resilience/around-backend';
import { aroundDriver } from '../../src/resilience/around-driver';
import { callPolicy, type CallPolicyOptions } from '../../src/resilience/call-policy';
import { faultyBackend, unavailable, type Faults } from '../faulty-backend';

const SETTINGS: CallPolicyOptions = {
  name: 'test',
  budgetMs: 5_000,
  retry: { retries: 3, initialDelayMs: 100, maxDelayMs: 1_000 },
  circuitBreaker: false,
  random: () => 0.5,
};

const a = { partition: 'p', key: 'a' };

let inner: Backend;
let faults: Faults;

async function open(options: Partial<CallPolicyOptions> = {}): Promise<Backend> {
  inner = createMemoryBackend({ sweepIntervalMs: 0 });
  await inner.open();
  const faulty = faultyBackend(inner);
  faults = faulty.faults;
  return aroundBackend(faulty.backend, callPolicy({ ...SETTINGS, ...options }), {
    runsLater: true,
  });
}

const refused = (code: ConstructorParameters<typeof StorageError>[0]): StorageError =>
  new StorageError(code, 'No.');

/** Moves the time on while something is under way, and gives its outcome. */
async function settle<T>(call: Promise<T>, ms = 60_000): Promise<T | Error> {
  const outcome = call.catch((error: unknown) => error as Error);
  await jest.advanceTimersByTimeAsync(ms);
  return outcome;
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('retries', () => {
  it('hide failures that pass', async () => {
    const backend = await open();
    faults.next.push(unavailable(), unavailable(), refused('POOL_EXHAUSTED'));
    expect(await settle(backend.get(a))).toBeUndefined();
    expect(faults.calls).toEqual(['get', 'get', 'get', 'get']);
  });

  it('come to an end, with the last failure', async () => {
    const backend = await open();
    const failures = [1, 2, 3, 4, 5].map(() => unavailable());
    faults.next.push(...failures);
    expect(await settle(backend.get(a))).toBe(failures[3]);
    expect(faults.calls).toHaveLength(4);
  });

  it('wait twice as long each time, up to a limit, and at random below it', async () => {
    const delays: number[] = [];
    const draws = [0.5, 0, 0.999, 0.25, 0.5, 0.5];
    const backend = await open({
      retry: { retries: 6, initialDelayMs: 100, maxDelayMs: 1_000 },
      random: () => draws[delays.length]!,
      onRetry: (_attempt, delayMs) => delays.push(delayMs),
    });
    faults.next.push(...draws.map(() => unavailable()));
    await settle(backend.get(a));
    expect(delays).toEqual([50, 0, 399.6, 200, 500, 500]);
  });

  it.each(['CONFLICT', 'KEY_INVALID', 'WRONG_TYPE', 'CLOSED', 'CORRUPT', 'CAPACITY_EXCEEDED'] as const)(
    'leave %s alone',
    async (code) => {
      const backend = await open();
      faults.next.push(refused(code));
      expect(await settle(backend.get(a))).toMatchObject({ code });
      expect(faults.calls).toHaveLength(1);
    },
  );

  // What another program has written in between would be undone.
  it.each<[string, (backend: Backend) => Promise<unknown>]>([
    ['set', (backend) => backend.set(a, 1)],
    ['delete', (backend) => backend.delete(a)],
    ['batch', (backend) => backend.batch([{ ...a, type: 'set', value: 1 }])],
    ['transact', (backend) => backend.transact([{ ...a, type: 'delete' }])],
  ])('leave a %s alone that may have been made', async (method, call) => {
    const backend = await open();
    faults.lostAnswers.push(unavailable('ECONNRESET'));
    expect(await settle(call(backend))).toMatchObject({ code: 'UNAVAILABLE' });
    expect(faults.calls).toEqual([method]);
  });

  it.each(['ECONNREFUSED', 'SQLITE_BUSY', '40P01'])('make a write that failed by %s again', async (code) => {
    const backend = await open();
    faults.next.push(unavailable(code), unavailable(code));
    expect(await settle(backend.set(a, 1))).toEqual(expect.any(String));
    expect(faults.calls).toEqual(['set', 'set', 'set']);
  });

  it('leave a write alone that lost its turn: it would come behind what was made after it', async () => {
    const order = new WritesInOrder(100);
    void order.make(['a'], 'x', () => new Promise(() => undefined));
    const lost = settle(
      order.make(['a'], 'y', () => Promise.resolve()),
      95,
    );
    const backend = await open();
    faults.next.push((await lost) as Error);
    expect(await settle(backend.set(a, 1))).toMatchObject({ code: 'POOL_EXHAUSTED' });
    expect(faults.calls).toEqual(['set']);
  });

  it('leave a write alone that its driver may have made again by itself', async () => {
    const backend = await open();
    const refusal = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const cause = Object.assign(new Error('No server.', { cause: refusal }), {
      name: 'MongoServerSelectionError',
    });
    faults.next.push(new StorageError('UNAVAILABLE', 'No.', { cause }));
    expect(await settle(backend.set(a, 1))).toMatchObject({ code: 'UNAVAILABLE' });
    expect(faults.calls).toEqual(['set']);
  });

  it('make a write again that the server of Redis refused', async () => {
    const backend = await open();
    const cause = Object.assign(new Error('LOADING Redis is loading'), { name: 'ReplyError' });
    faults.next.push(new StorageError('UNAVAILABLE', 'No.', { cause }));
    expect(await settle(backend.set(a, 1))).toEqual(expect.any(String));
  });

  it('write what the caller gave, whatever became of it since', async () => {
    const backend = await open();
    const failure = (): Error => unavailable('ECONNREFUSED');
    faults.next.push(failure(), failure());
    const value = { list: [1] };
    // Whose slice() is a view.
    const bytes = Buffer.from([1]);
    const calls = [settle(backend.set(a, value)), settle(backend.set({ ...a, key: 'b' }, bytes))];
    value.list.push(2);
    bytes[0] = 2;
    await Promise.all(calls);
    expect(await inner.get(a)).toMatchObject({ value: { list: [1] } });
    expect(await inner.get({ ...a, key: 'b' })).toMatchObject({ value: Uint8Array.of(1) });
  });

  // An append that is repeated after others' appends cannot be recognised, and would be there twice.
  it('append nothing that may have been appended already', async () => {
    const backend = await open();
    faults.lostAnswers.push(unavailable('ECONNRESET'));
    expect(await settle(backend.append(a, [1]))).toMatchObject({ code: 'UNAVAILABLE' });
    const write = { ...a, type: 'append', values: [2] } as const;
    faults.lostAnswers.push(unavailable('ECONNRESET'));
    expect(await settle(backend.batch([write]))).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await inner.range(a)).toEqual([1, 2]);
  });

  it('append what was certainly not sent', async () => {
    const backend = await open();
    faults.next.push(unavailable('ECONNREFUSED'), refused('POOL_EXHAUSTED'));
    expect(await settle(backend.append(a, [1]))).toBe(1);
    expect(await inner.range(a)).toEqual([1]);
  });

  it('begin no attempt once the time for the operation is over', async () => {
    const backend = await open({ budgetMs: 120 });
    faults.next.push(unavailable(), unavailable(), unavailable());
    expect(await settle(backend.get(a))).toMatchObject({ code: 'UNAVAILABLE' });
    // At 0, at 50 and at 150 ms: the third finds that its time is over only when it fails.
    expect(faults.calls).toHaveLength(3);
  });

  it('are none when they are switched off', async () => {
    const backend = await open({ retry: false });
    faults.next.push(unavailable());
    expect(await settle(backend.get(a))).toMatchObject({ code: 'UNAVAILABLE' });
    expect(faults.calls).toHaveLength(1);
  });

  it('also connect', async () => {
    const backend = await open();
    faults.next.push(unavailable(), unavailable());
    expect(await settle(backend.open())).toBeUndefined();
    expect(faults.calls).toEqual(['open', 'open', 'open']);
  });
});

describe('the time-out of an attempt', () => {
  it('turns silence into UNAVAILABLE', async () => {
    const backend = await open({ attemptTimeoutMs: 300, retry: false });
    faults.isSilent = true;
    const call = settle(backend.get(a), 299);
    expect(await Promise.race([call.then(() => 'answered'), Promise.resolve('nothing yet')])).toBe(
      'nothing yet',
    );
    expect(await settle(backend.get(a), 300)).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('within 300 ms'),
    });
  });
});

describe('the circuit breaker', () => {
  const breaker = { retry: false, circuitBreaker: { failures: 3, resetAfterMs: 5_000 } } as const;

  async function broken(): Promise<Backend> {
    const backend = await open(breaker);
    faults.isDown = true;
    for (let n = 0; n < 3; n += 1) await settle(backend.get(a), 0);
    faults.calls.length = 0;
    return backend;
  }

  it('asks no more after failures in a row, and says why', async () => {
    const backend = await broken();
    expect(await settle(backend.get(a), 0)).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(
        /is not asked for a while, since it failed 3 times in a row\. Last: The server is gone\./,
      ),
    });
    expect(faults.calls).toEqual([]);
  });

  /** A backend whose driver fails in each `get` with the same error. */
  async function failingWith(error: Error) {
    const driver = new MemoryDriver({ maxItems: 9, maxBytes: 9, maxValueBytes: 9, whenFull: 'refuse' });
    const get = jest.spyOn(driver, 'get').mockImplementation(() => {
      throw error;
    });
    const through = (inner: Driver): Driver =>
      aroundDriver(inner, callPolicy({ ...SETTINGS, ...breaker }), systemClock);
    const backend = createBackend(driver, { sweepIntervalMs: 0, through });
    await backend.open();
    return { backend, get };
  }

  it('counts operations that failed of one error as one failure', async () => {
    const broken = new Error('One connection broke.');
    const { backend, get } = await failingWith(broken);
    const fail = () => expect(backend.get(a)).rejects.toMatchObject({ code: 'UNAVAILABLE', cause: broken });
    await Promise.all([fail(), fail(), fail(), fail()]);
    get.mockRestore();
    expect(await backend.get(a)).toBeUndefined();
  });

  it('counts a failure anew when a later operation fails of the same error', async () => {
    const { backend, get } = await failingWith(new Error('Always the same.'));
    for (let n = 0; n < 4; n += 1) await settle(backend.get(a), 1);
    expect(get).toHaveBeenCalledTimes(3);
  });

  it('lets one operation through after a wait that grows, and all once it has succeeded', async () => {
    const backend = await broken();
    for (const waitMs of [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
      faults.calls.length = 0;
      await jest.advanceTimersByTimeAsync(waitMs - 1);
      await settle(backend.get(a), 0);
      expect(faults.calls).toEqual([]);
      await jest.advanceTimersByTimeAsync(1);
      await settle(backend.get(a), 0);
      expect(faults.calls).toEqual(['get']);
      await settle(backend.get(a), 0);
      expect(faults.calls).toEqual(['get']);
    }
    faults.isDown = false;
    await jest.advanceTimersByTimeAsync(5_000);
    expect(await settle(backend.get(a), 0)).toBeUndefined();
    expect(await settle(backend.get(a), 0)).toBeUndefined();
  });

  it('counts neither mistakes of the caller nor a busy pool', async () => {
    const backend = await open(breaker);
    faults.next.push(
      ...['CONFLICT', 'POOL_EXHAUSTED', 'CONFLICT', 'POOL_EXHAUSTED'].map((code) => refused(code as never)),
    );
    for (let n = 0; n < 4; n += 1) await settle(backend.get(a), 0);
    expect(await settle(backend.get(a), 0)).toBeUndefined();
  });

  it('ends the retries of an operation', async () => {
    const backend = await open({
      retry: { retries: 5, initialDelayMs: 10, maxDelayMs: 10 },
      circuitBreaker: { failures: 2, resetAfterMs: 5_000 },
    });
    faults.isDown = true;
    expect(await settle(backend.get(a))).toMatchObject({ message: expect.stringContaining('is not asked') });
    expect(faults.calls).toHaveLength(2);
  });

  it('tells its states', async () => {
    const states: string[] = [];
    const backend = await open({ ...breaker, onCircuit: (state) => states.push(state) });
    faults.next.push(unavailable(), unavailable(), unavailable());
    for (let n = 0; n < 3; n += 1) await settle(backend.get(a), 0);
    await jest.advanceTimersByTimeAsync(5_000);
    await settle(backend.get(a), 0);
    expect(states).toEqual(['open', 'closed']);
  });
});
