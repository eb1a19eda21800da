import { FakeClock } from '@recap/storage/testing';
import type { GapRecord } from '../../src/entries/gap';
import { GapKeeper } from '../../src/recorder/gap-keeper';

function openKeeper() {
  const clock = new FakeClock(0);
  const stored = new Map<string, GapRecord>();
  const failures: string[] = [];
  let lost = 0;
  let made = 0;
  let saves = 0;
  const rig = {
    canSave: true,
    isAway: false,
    clock,
    stored,
    failures,
    saves: () => saves,
    lose: (count = 1) => {
      lost += count;
      keeper.noteLoss();
    },
    pass: async (ms: number) => {
      clock.advance(ms);
      await jest.advanceTimersByTimeAsync(ms);
    },
    total: () => [...stored.values()].reduce((sum, { exchanges }) => sum + exchanges, 0),
  };
  const keeper = new GapKeeper({
    losses: () => ({ exchanges: lost === 0 ? {} : { queue_full: lost }, bodies: {}, headers: {} }),
    save: (gaps) => {
      saves += 1;
      if (rig.isAway) return Promise.reject(new Error('away'));
      for (const gap of gaps) stored.set(gap.id, gap);
      return Promise.resolve();
    },
    canSave: () => rig.canSave,
    onFailure: (error) => failures.push((error as Error).message),
    clock,
    newId: () => `gap-${(made += 1)}`,
    lifetimeMs: undefined,
  });
  return { ...rig, rig, keeper };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('GapKeeper', () => {
  it('stores a gap within a second, and nothing more once nothing is lost', async () => {
    const { lose, pass, stored, saves, keeper } = openKeeper();
    expect(jest.getTimerCount()).toBe(0);
    lose(3);
    lose(2);
    await pass(1_000);
    expect([...stored.values()]).toMatchObject([{ startedAt: 0, endedAt: 1_000, exchanges: 5 }]);
    await pass(60_000);
    expect(saves()).toBe(1);
    expect(jest.getTimerCount()).toBe(0);
    expect(keeper.hasWork).toBe(false);
  });

  it('waits while the store is known to be away, and goes on when it is back', async () => {
    const { rig, lose, pass, total, saves } = openKeeper();
    rig.canSave = false;
    lose();
    for (let second = 0; second < 100; second += 1) {
      lose();
      await pass(1_000);
    }
    expect(saves()).toBe(0);
    rig.canSave = true;
    await pass(1_000);
    expect(total()).toBe(101);
  });

  it('tries again after a failure, and tells of it', async () => {
    const { rig, lose, pass, total, failures } = openKeeper();
    rig.isAway = true;
    lose(4);
    await pass(1_000);
    expect(failures).toEqual(['away']);
    rig.isAway = false;
    await pass(1_000);
    expect(total()).toBe(4);
  });

  it('stores all at once when it is asked to, and says why it cannot', async () => {
    const { rig, keeper, lose, total } = openKeeper();
    lose(2);
    rig.isAway = true;
    await expect(keeper.flush()).rejects.toThrow('away');
    expect(keeper.hasWork).toBe(true);
    rig.isAway = false;
    lose();
    await keeper.flush();
    expect(total()).toBe(3);
    expect(keeper.hasWork).toBe(false);
  });

  it('keeps no timer once stopped', () => {
    const { keeper, lose } = openKeeper();
    lose();
    keeper.stop();
    lose();
    expect(jest.getTimerCount()).toBe(0);
  });
});
