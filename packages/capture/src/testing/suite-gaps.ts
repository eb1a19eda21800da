import type { GapRecord } from '../entries/gap';
import { HOSTILE_STRINGS, idAt, type SuiteContext } from './suite-context';
import { testGlobals } from './test-globals';

export function describeGaps({ store, clock }: SuiteContext): void {
  const { describe, it, expect } = testGlobals();

  const gap = (overrides: Partial<GapRecord> = {}): GapRecord => ({
    id: 'gap',
    missing: 'bodies',
    startedAt: 1_000,
    endedAt: 2_000,
    exchanges: 3,
    reasons: { backlog: 3 },
    expiresAt: null,
    ...overrides,
  });
  const idsIn = async (from?: number, before?: number): Promise<string[]> => {
    const range = { ...(from !== undefined && { from }), ...(before !== undefined && { before }) };
    return (await store().findGaps({ range, limit: 100 })).map(({ id }) => id);
  };

  describe('gaps', () => {
    it('come back as they were given, newest first', async () => {
      const gaps = [
        gap({ id: 'a', startedAt: 1, missing: 'headers' }),
        gap({ id: 'b', startedAt: 5, missing: 'exchanges', reasons: { queue_full: 1, lag: 2 } }),
        gap({ id: 'c', startedAt: 5, expiresAt: clock().now() + 1 }),
      ];
      await store().saveGaps(gaps);
      await store().saveGaps([]);
      expect(await store().findGaps({ range: {}, limit: 10 })).toEqual([...gaps].reverse());
    });

    it('become what is given when they are saved again', async () => {
      await store().saveGaps([gap(), gap({ id: 'other' }), gap({ endedAt: 2_500, exchanges: 4 })]);
      await store().saveGaps([gap({ endedAt: 3_000, exchanges: 7, reasons: { backlog: 6, lag: 1 } })]);
      expect(await store().findGaps({ range: { from: 2_600 }, limit: 10 })).toEqual([
        gap({ endedAt: 3_000, exchanges: 7, reasons: { backlog: 6, lag: 1 } }),
      ]);
      expect((await store().sumGaps({})).gaps).toBe(2);
    });

    // What a process leaves of a gap when it is about to exit is stored by another, although it went on and stored more.
    it('do not become less when an earlier state of them comes later', async () => {
      const grown = gap({ endedAt: 3_000, exchanges: 7, reasons: { backlog: 7 } });
      await store().saveGaps([grown]);
      await store().saveGaps([gap()]);
      expect(await store().findGaps({ range: {}, limit: 10 })).toEqual([grown]);
      const other = gap({ id: 'other', exchanges: 9, reasons: { lag: 9 } });
      await store().saveGaps([other, gap({ id: 'other' })]);
      expect(await store().findGaps({ range: {}, limit: 10 })).toEqual([other, grown]);
    });

    it('are found when they reach into the time that is asked for', async () => {
      await store().saveGaps([gap()]);
      expect(await idsIn(2_000, 2_001)).toEqual(['gap']);
      expect(await idsIn(2_001)).toEqual([]);
      expect(await idsIn(0, 1_001)).toEqual(['gap']);
      expect(await idsIn(0, 1_000)).toEqual([]);
      expect(await idsIn(1_500, 1_600)).toEqual(['gap']);
    });

    it('are read page by page without one twice or none at all', async () => {
      const gaps = Array.from({ length: 25 }, (_, at) => gap({ id: idAt(at), startedAt: at % 4 }));
      await store().saveGaps(gaps);
      const found: GapRecord[] = [];
      for (let last: GapRecord | undefined; ;) {
        const page = await store().findGaps({
          range: {},
          limit: 7,
          ...(last && { after: { at: last.startedAt, id: last.id } }),
        });
        found.push(...page);
        last = page.at(-1);
        if (page.length < 7) break;
      }
      expect(found.map(({ id }) => id).sort()).toEqual(gaps.map(({ id }) => id));
      expect(await store().findGaps({ range: {}, limit: 2, offset: 3 })).toEqual(found.slice(3, 5));
    });

    it('are summed by what is missing', async () => {
      expect(await store().sumGaps({})).toEqual({
        gaps: 0,
        isCapped: false,
        exchanges: 0,
        bodies: 0,
        headers: 0,
      });
      await store().saveGaps([
        gap({ id: 'a', exchanges: 2 }),
        gap({ id: 'b', exchanges: 3 }),
        gap({ id: 'c', missing: 'headers', exchanges: 4 }),
        gap({ id: 'd', missing: 'exchanges', exchanges: 5, startedAt: 9_000, endedAt: 9_000 }),
      ]);
      const sums = { gaps: 3, isCapped: false, exchanges: 0, bodies: 5, headers: 4 };
      expect(await store().sumGaps({ before: 9_000 })).toEqual(sums);
      expect(await store().sumGaps({})).toEqual({ ...sums, gaps: 4, exchanges: 5 });
    });

    it('are gone from their expiry on, and stay gone once swept', async () => {
      await store().saveGaps([gap({ id: 'a', expiresAt: clock().now() }), gap({ id: 'b' })]);
      expect(await idsIn()).toEqual(['b']);
      await store().sweep(1_000);
      clock().advance(-10_000);
      expect(await idsIn()).toEqual(['b']);
      expect((await store().sumGaps({})).gaps).toBe(1);
    });

    it('are no entries, and take hostile reasons', async () => {
      const reasons = Object.fromEntries(
        HOSTILE_STRINGS.filter((text) => text !== '__proto__').map((text) => [text, 1]),
      );
      await store().saveGaps([gap({ reasons })]);
      expect((await store().findGaps({ range: {}, limit: 1 }))[0]?.reasons).toEqual(reasons);
      expect(await store().count({}, 10)).toMatchObject({ total: 0 });
      expect((await store().sizes()).entries).toBe(0);
    });
  });
}
