import fc from 'fast-check';
import { StepLevel } from '../../src/recorder/step-level';

const OPTIONS = { rise: [0.75, 0.9, 1], fallTo: 0.8, minStayMs: 500 };

/** The rules, told step by step. */
class Model {
  level = 0;
  since = -Infinity;

  update(value: number, now: number): number {
    const asked = OPTIONS.rise.filter((bound) => value >= bound).length;
    const bound = OPTIONS.rise[this.level - 1];
    if (asked > this.level) {
      this.level = asked;
      this.since = now;
    } else if (bound !== undefined && value < bound * 0.8 && now - this.since >= 500) {
      this.level -= 1;
      this.since = now;
    }
    return this.level;
  }
}

describe('StepLevel', () => {
  it('goes up at once, as far as the value asks', () => {
    const steps = new StepLevel(OPTIONS);
    expect([0.7, 0.75, 0.89, 0.95, 1].map((value) => steps.update(value, 0))).toEqual([0, 1, 1, 2, 3]);
    expect(new StepLevel(OPTIONS).update(5, 0)).toBe(3);
  });

  it('goes down one step at a time, each after a while, and only well below its bound', () => {
    const steps = new StepLevel(OPTIONS);
    steps.update(1, 0);
    expect(steps.update(0, 499)).toBe(3);
    expect(steps.update(0.8, 500)).toBe(3);
    expect(steps.update(0.79, 600)).toBe(2);
    expect(steps.update(0, 1_099)).toBe(2);
    expect(steps.update(0, 1_100)).toBe(1);
    expect(steps.update(0, 1_600)).toBe(0);
    expect(steps.level).toBe(0);
  });

  it('does not flap at a value that swings around a bound', () => {
    const steps = new StepLevel(OPTIONS);
    let changes = 0;
    for (let now = 0, before = 0; now < 60_000; now += 100) {
      const level = steps.update(now % 200 === 0 ? 0.77 : 0.7, now);
      if (level !== before) changes += 1;
      before = level;
    }
    expect(changes).toBe(1);
  });

  it('never takes a step whose bound is infinite', () => {
    const steps = new StepLevel({ ...OPTIONS, rise: [Infinity, Infinity, 1] });
    expect(steps.update(0.99, 0)).toBe(0);
  });

  it('follows its rules through any values', () => {
    const moment = fc.record({ value: fc.double({ min: 0, max: 1.2, noNaN: true }), ms: fc.nat(700) });
    fc.assert(
      fc.property(fc.array(moment, { maxLength: 200 }), (moments) => {
        const steps = new StepLevel(OPTIONS);
        const model = new Model();
        let now = 0;
        let changedAt = -Infinity;
        for (const { value, ms } of moments) {
          now += ms;
          const before = steps.level;
          expect(steps.update(value, now)).toBe(model.update(value, now));
          if (steps.level < before) {
            expect(steps.level).toBe(before - 1);
            expect(now - changedAt).toBeGreaterThanOrEqual(500);
          }
          if (steps.level !== before) changedAt = now;
        }
      }),
    );
  });
});
