import { HostCost } from '../../src/recorder/host-cost';
import { RecentFigures } from '../../src/recorder/recent-figures';

describe('recent figures', () => {
  it('say nothing before the first', () => {
    expect(new RecentFigures().percentile(95)).toBeUndefined();
  });

  it('say what 95 of 100 do not exceed, in whatever order they came', () => {
    const figures = new RecentFigures();
    for (let figure = 100; figure >= 1; figure -= 1) figures.note(figure);
    expect([50, 95, 100, 1].map((share) => figures.percentile(share))).toEqual([50, 95, 100, 1]);
  });

  it('forget what is long ago', () => {
    const figures = new RecentFigures();
    for (let figure = 0; figure < 1_000; figure += 1) figures.note(10_000);
    for (let figure = 0; figure < 256; figure += 1) figures.note(3);
    expect([50, 95].map((share) => figures.percentile(share))).toEqual([3, 3]);
  });
});

describe('the cost for the program’s thread', () => {
  const busyFor = (ms: number): void => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };

  it('is that of the first and the last step of an exchange, of one in 32', () => {
    const cost = new HostCost();
    for (let count = 0; count < 31; count += 1) {
      const open = cost.begin(() => ({}));
      cost.end(open, () => undefined);
    }
    expect(cost.usualMicros).toBeUndefined();
    const open = cost.begin(() => {
      busyFor(2);
      return {};
    });
    const other = cost.begin(() => ({}));
    cost.end(other, () => {
      busyFor(50);
    });
    expect(cost.usualMicros).toBeUndefined();
    cost.end(open, () => {
      busyFor(3);
    });
    expect(cost.usualMicros).toBeGreaterThanOrEqual(5_000);
    expect(cost.usualMicros).toBeLessThan(50_000);
  });

  it('leaves out what is not recorded, and lets errors through', () => {
    const cost = new HostCost();
    for (let count = 0; count < 64; count += 1) expect(cost.begin(() => undefined)).toBeUndefined();
    expect(cost.usualMicros).toBeUndefined();
    for (let count = 0; count < 31; count += 1) cost.begin(() => ({}));
    expect(() =>
      cost.begin(() => {
        throw new Error('bug');
      }),
    ).toThrow('bug');
  });
});
