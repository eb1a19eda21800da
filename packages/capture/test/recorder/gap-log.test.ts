import fc from 'fast-check';
import type { GapRecord } from '../../src/entries/gap';
import { GapLog, type Losses } from '../../src/recorder/gap-log';

function openLog(lifetimeMs?: number) {
  let made = 0;
  const log = new GapLog(() => `gap-${(made += 1)}`, lifetimeMs);
  const stored = new Map<string, GapRecord>();
  return {
    log,
    stored,
    save: (limit = 1_000) => {
      const { records, markSaved } = log.unsaved(limit);
      for (const record of records) stored.set(record.id, record);
      markSaved();
      return records.length;
    },
  };
}

const losses = (exchanges: Record<string, number> = {}, bodies: Record<string, number> = {}): Losses => ({
  exchanges,
  bodies,
  headers: {},
});

describe('GapLog', () => {
  it('makes one gap of losses that follow each other, with all reasons', () => {
    const { log, save, stored } = openLog(1_000_000);
    log.observe(losses({ queue_full: 3 }), 1_000, 2_000);
    log.observe(losses({ queue_full: 5, lag: 1 }), 2_500, 3_000);
    log.observe(losses({ queue_full: 5, lag: 1 }), 3_500, 4_000);
    save();
    expect([...stored.values()]).toEqual([
      {
        id: 'gap-1',
        missing: 'exchanges',
        startedAt: 1_000,
        endedAt: 3_000,
        exchanges: 6,
        reasons: { queue_full: 5, lag: 1 },
        expiresAt: 1_003_000,
      },
    ]);
  });

  it('makes a gap of its own of what is missing otherwise, of what comes after a pause, and of each minute', () => {
    const { log, save, stored } = openLog();
    log.observe(losses({ lag: 1 }, { lag: 1 }), 0, 1_000);
    log.observe(losses({ lag: 2 }, { lag: 1 }), 6_001, 6_001);
    for (let at = 1; at <= 61; at += 1)
      log.observe(losses({ lag: 2 + at }, { lag: 1 }), 6_001 + at * 1_000, 6_001 + at * 1_000);
    save();
    expect(
      [...stored.values()].map(({ missing, exchanges, startedAt }) => [missing, exchanges, startedAt]),
    ).toEqual([
      ['exchanges', 1, 0],
      ['bodies', 1, 0],
      ['exchanges', 60, 6_001],
      ['exchanges', 2, 66_001],
    ]);
  });

  it('makes a gap of its own of what is missing since the clock was put back', () => {
    const { log, save, stored } = openLog();
    log.observe(losses({ queue_full: 1 }), 3_600_000, 3_601_000);
    log.observe(losses({ queue_full: 3 }), 2_000, 3_000);
    save();
    expect(
      [...stored.values()].map(({ startedAt, endedAt, exchanges }) => [startedAt, endedAt, exchanges]),
    ).toEqual([
      [3_600_000, 3_601_000, 1],
      [2_000, 3_000, 2],
    ]);
  });

  it('asks for a gap to be stored again when it has grown, even while it was being stored', () => {
    const { log, save, stored } = openLog();
    log.observe(losses({ lag: 1 }), 0, 0);
    const early = log.unsaved(10);
    log.observe(losses({ lag: 4 }), 0, 10);
    early.markSaved();
    expect(log.hasUnsaved).toBe(true);
    expect(save()).toBe(1);
    expect(stored.get('gap-1')?.exchanges).toBe(4);
    expect(log.hasUnsaved).toBe(false);
    expect(save()).toBe(0);
  });

  it('stays within bounds while nothing can be stored, and loses no count', () => {
    const { log, save, stored } = openLog();
    for (let at = 1; at <= 5_000; at += 1) log.observe(losses({ lag: at }), at * 10_000, at * 10_000);
    expect(save(100_000)).toBeLessThanOrEqual(1_000);
    expect([...stored.values()].reduce((sum, { exchanges }) => sum + exchanges, 0)).toBe(5_000);
    expect(Math.max(...[...stored.values()].map(({ endedAt }) => endedAt))).toBe(50_000_000);
  });

  it('adds up to exactly what the counters say, whatever is stored in between', () => {
    const step = fc.record({
      lag: fc.nat(3),
      queue_full: fc.nat(3),
      bodies: fc.nat(3),
      ms: fc.nat(20_000),
      saves: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { log, save, stored } = openLog();
        const total = { lag: 0, queue_full: 0, bodies: 0 };
        let now = 0;
        for (const { ms, saves, ...more } of steps) {
          now += ms;
          total.lag += more.lag;
          total.queue_full += more.queue_full;
          total.bodies += more.bodies;
          log.observe(
            losses({ lag: total.lag, queue_full: total.queue_full }, { lag: total.bodies }),
            now,
            now,
          );
          if (saves) save(2);
        }
        while (save(2) > 0);
        const all = [...stored.values()];
        const sumOf = (missing: string, reason: string): number =>
          all
            .filter((gap) => gap.missing === missing)
            .reduce((sum, gap) => sum + (gap.reasons[reason] ?? 0), 0);
        expect(sumOf('exchanges', 'lag')).toBe(total.lag);
        expect(sumOf('exchanges', 'queue_full')).toBe(total.queue_full);
        expect(sumOf('bodies', 'lag')).toBe(total.bodies);
        for (const { exchanges, reasons, startedAt, endedAt } of all) {
          expect(Object.values(reasons).reduce((sum, count) => sum + count, 0)).toBe(exchanges);
          expect(endedAt).toBeGreaterThanOrEqual(startedAt);
        }
      }),
    );
  });
});
