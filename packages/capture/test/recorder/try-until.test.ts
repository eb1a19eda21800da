import { tryUntil } from '../../src/recorder/try-until';

describe('tryUntil', () => {
  it('gives the thread back between rounds of work that goes well and leaves something', async () => {
    let isOver = false;
    setImmediate(() => {
      isOver = true;
    });
    let rounds = 0;
    await tryUntil(
      performance.now() + 2_000,
      () => !isOver,
      () => {
        rounds += 1;
        return Promise.resolve();
      },
    );
    expect(isOver).toBe(true);
    expect(rounds).toBeLessThan(3);
  });

  it('does no more when nothing is left, and none without need', async () => {
    let left = 2;
    const work = (): Promise<void> => {
      left -= 1;
      return Promise.resolve();
    };
    await tryUntil(performance.now() + 2_000, () => left > 0, work);
    await tryUntil(performance.now() + 2_000, () => left > 0, work);
    expect(left).toBe(0);
  });
});
