import fc from 'fast-check';
import { RetryBreaker } from '../../src/recorder/retry-breaker';

function openBreaker(random: () => number = () => 0.5) {
  let time = 0;
  const breaker = new RetryBreaker({ now: () => time, random });
  return { breaker, pass: (ms: number) => (time += ms) };
}

describe('RetryBreaker', () => {
  it('lets everything through until something fails', () => {
    const { breaker } = openBreaker();
    expect(breaker).toMatchObject({ isFailing: false, mayTry: true, waitMs: 0, failures: 0 });
  });

  it('waits twice as long after each of the first failures, then for a second or so, however many there are', () => {
    const waits = (random: number): number[] => {
      const { breaker, pass } = openBreaker(() => random);
      return Array.from({ length: 8 }, () => {
        breaker.noteFailure();
        const { waitMs } = breaker;
        pass(waitMs);
        return waitMs;
      });
    };
    expect(waits(0)).toEqual([0, 0, 0, 0, 1_000, 1_000, 1_000, 1_000]);
    expect(waits(1)).toEqual([100, 200, 400, 800, 1_600, 1_600, 1_600, 1_600]);
  });

  it('never waits so long that a store that is back goes unnoticed for 2 s', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (draws) => {
        let drawn = 0;
        const { breaker, pass } = openBreaker(() => draws[(drawn += 1) % draws.length] ?? 0);
        for (let failure = 0; failure < 200; failure += 1) {
          breaker.noteFailure();
          expect(breaker.waitMs).toBeLessThan(1_700);
          expect(breaker.mayTry).toBe(breaker.waitMs === 0);
          pass(breaker.waitMs);
          expect(breaker.mayTry).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('tries a store that is away for an hour at most once a second', () => {
    const { breaker, pass } = openBreaker(Math.random);
    let attempts = 0;
    let waited = 0;
    while (waited < 3_600_000) {
      attempts += 1;
      breaker.noteFailure();
      waited += breaker.waitMs;
      pass(breaker.waitMs);
    }
    expect(attempts).toBeLessThanOrEqual(3_600 + 4);
    expect(attempts).toBeGreaterThan(3_600_000 / 1_700);
  });

  it('draws its waits, so that many processes do not come back at one moment', () => {
    const instances = Array.from({ length: 100 }, () => openBreaker(Math.random));
    for (const { breaker, pass } of instances) {
      for (let failure = 0; failure < 6; failure += 1) {
        breaker.noteFailure();
        if (failure < 5) pass(breaker.waitMs);
      }
    }
    const slots = new Map<number, number>();
    for (const { breaker } of instances) {
      const slot = Math.floor(breaker.waitMs / 10);
      slots.set(slot, (slots.get(slot) ?? 0) + 1);
    }
    expect(Math.max(...slots.values())).toBeLessThanOrEqual(20);
  });

  it('takes attempts that were under way together for one failure', () => {
    const { breaker } = openBreaker();
    const before = breaker.failures;
    for (let lane = 0; lane < 4; lane += 1) breaker.noteFailure(before);
    expect(breaker.failures).toBe(1);
  });

  it('forgets all at the first success', () => {
    const { breaker } = openBreaker();
    for (let failure = 0; failure < 9; failure += 1) breaker.noteFailure();
    breaker.noteSuccess();
    expect(breaker).toMatchObject({ isFailing: false, mayTry: true, waitMs: 0 });
    breaker.noteFailure();
    expect(breaker.waitMs).toBe(50);
  });
});
