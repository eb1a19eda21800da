import fc from 'fast-check';
import { NoisyOwners } from '../../src/recorder/noisy-owners';

function noted(counts: Readonly<Record<string, number>>, now = 0): NoisyOwners {
  const owners = new NoisyOwners();
  const left = new Map(Object.entries(counts));
  // One after another, as they would come.
  while (left.size > 0) {
    for (const [owner, count] of left) {
      owners.note(owner, now);
      if (count === 1) left.delete(owner);
      else left.set(owner, count - 1);
    }
  }
  return owners;
}

describe('NoisyOwners', () => {
  it('finds the one that takes far more than the others', () => {
    const owners = noted({ noisy: 950, ann: 30, bob: 20 });
    expect(['noisy', 'ann', 'bob', 'nobody'].map((owner) => owners.isNoisy(owner))).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it('blames nobody who is alone, nor those who take about the same', () => {
    expect(noted({ ann: 5_000 }).isNoisy('ann')).toBe(false);
    const equal = noted(
      Object.fromEntries(Array.from({ length: 12 }, (_each, at) => [`owner ${at}`, 100 + at])),
    );
    expect(Array.from({ length: 12 }, (_each, at) => equal.isNoisy(`owner ${at}`))).not.toContain(true);
  });

  it('waits until something can be told', () => {
    expect(noted({ ann: 19, bob: 1 }).isNoisy('ann')).toBe(false);
    expect(noted({ ann: 20, bob: 1 }).isNoisy('ann')).toBe(true);
  });

  it('forgets what was long ago', () => {
    const owners = noted({ ann: 100, bob: 5 });
    owners.note('bob', 5_000);
    expect(owners.isNoisy('ann')).toBe(true);
    owners.note('bob', 10_000);
    expect(owners.isNoisy('ann')).toBe(false);
  });

  it('finds whoever has a quarter of all among any number of others', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 400, max: 4_000 }),
        (strangers, total) => {
          const owners = new NoisyOwners();
          for (let at = 0; at < total; at += 1) {
            owners.note(at % 4 === 0 ? 'noisy' : `stranger ${(at * 7_919) % (10 + strangers)}`, 0);
          }
          expect(owners.isNoisy('noisy')).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });
});
