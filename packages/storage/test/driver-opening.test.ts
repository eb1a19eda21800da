import { createBackend } from '../src/create-backend';
import type { Driver } from '../src/driver';
import { StorageError } from '../src/errors';
import { MemoryDriver } from '../src/backends/memory/memory-driver';
import { aroundDriver } from '../src/resilience/around-driver';
import { callPolicy } from '../src/resilience/call-policy';
import { FakeClock } from '../src/testing';

const LIMITS = { maxItems: 100, maxBytes: 2 ** 20, maxValueBytes: 2 ** 16, whenFull: 'refuse' } as const;

/** What is open of a driver, each attempt to open it being told how to end. */
class Counted {
  open = 0;
  attempts = 0;
  readonly driver: Driver;

  constructor(attempt: (count: number) => Promise<void>) {
    const memory = new MemoryDriver(LIMITS);
    this.driver = Object.assign(Object.create(memory) as Driver, {
      open: async () => {
        this.open += 1;
        this.attempts += 1;
        await attempt(this.attempts);
      },
      close: () => {
        this.open = 0;
      },
    });
  }
}

const away = (): Promise<never> => Promise.reject(new StorageError('UNAVAILABLE', 'Nobody there.'));

function retried(driver: Driver): Driver {
  const retry = { retries: 5, initialDelayMs: 1, maxDelayMs: 1 };
  return aroundDriver(
    driver,
    callPolicy({ name: 'counted', budgetMs: 10_000, retry, circuitBreaker: false, random: () => 0 }),
    new FakeClock(),
  );
}

describe('opening a driver', () => {
  it('again after a failure first closes what the failure left', async () => {
    const counted = new Counted((count) => (count < 4 ? away() : Promise.resolve()));
    const backend = createBackend(retried(counted.driver), { sweepIntervalMs: 0 });
    await backend.open();
    expect(counted).toMatchObject({ attempts: 4, open: 1 });
    await backend.close();
    expect(counted.open).toBe(0);
  });

  it('in vain leaves nothing open', async () => {
    const counted = new Counted(away);
    const backend = createBackend(retried(counted.driver), { sweepIntervalMs: 0 });
    await expect(backend.open()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(counted).toMatchObject({ attempts: 6, open: 0 });
  });

  it.each([
    ['succeeds', (): void => undefined],
    [
      'fails',
      (): void => {
        throw new Error('Too late.');
      },
    ],
  ])('for longer than its time leaves nothing open when it %s at last', async (_how, end) => {
    let goOn: (() => void) | undefined;
    const counted = new Counted(() => new Promise<void>((resolve) => (goOn = resolve)).then(end));
    const closed = jest.spyOn(counted.driver, 'close');
    const backend = createBackend(counted.driver, { sweepIntervalMs: 0, timeoutMs: 5 });
    await expect(backend.open()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    // As a client that is made while the attempt is already given up.
    counted.open = 1;
    const isClosedAgain = new Promise<void>((resolve) => {
      closed.mockImplementation(() => {
        counted.open = 0;
        resolve();
      });
    });
    goOn!();
    await isClosedAgain;
    expect(counted.open).toBe(0);
  });

  it('again does not begin before the attempt that took too long has ended, which would close it', async () => {
    const ends: (() => void)[] = [];
    const counted = new Counted(
      (count) =>
        new Promise<void>((resolve, reject) =>
          ends.push(count === 1 ? () => reject(new Error('Late.')) : resolve),
        ),
    );
    const backend = createBackend(counted.driver, { sweepIntervalMs: 0, timeoutMs: 250 });
    await expect(backend.open()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const again = backend.open();
    ends[0]!();
    while (ends.length < 2) await new Promise((resolve) => setImmediate(resolve));
    ends[1]!();
    await again;
    expect(counted).toMatchObject({ attempts: 2, open: 1 });
    await backend.close();
  });

  it('is not tried again once the backend is closed', async () => {
    let fail: (() => void) | undefined;
    const counted = new Counted(
      () => new Promise<void>((_, reject) => (fail = () => reject(new StorageError('UNAVAILABLE', 'Away.')))),
    );
    const driver = retried(counted.driver);
    const refused = expect(driver.open()).rejects.toMatchObject({ code: 'CLOSED' });
    while (fail === undefined) await new Promise((resolve) => setImmediate(resolve));
    await driver.close();
    fail();
    await refused;
    expect(counted.attempts).toBe(1);
  });
});
