import { newEntry } from './new-entry';
import { DAY, HOSTILE_STRINGS, idAt, idsFound, type SuiteContext } from './suite-context';
import { testGlobals } from './test-globals';

export function describeDeleting({ store, clock }: SuiteContext): void {
  const { describe, it, expect } = testGlobals();

  async function appendThree(): Promise<void> {
    await store().append([
      newEntry({ id: 'expired', expiresAt: clock().now() }),
      newEntry({ id: 'living', expiresAt: clock().now() + 1 }),
      newEntry({ id: 'forever' }),
    ]);
  }
  const asked = ['expired', 'living', 'forever', 'unknown'];

  describe('remove', () => {
    it('protects what has not expired', async () => {
      await appendThree();
      const outcomes = await store().remove(asked, { force: false, isDryRun: false });
      expect([...outcomes]).toEqual([
        ['expired', 'deleted'],
        ['living', 'protected'],
        ['forever', 'protected'],
        ['unknown', 'not_found'],
      ]);
      expect(await idsFound(store(), {})).toEqual(['living', 'forever']);
      expect((await store().remove(['expired'], { force: false, isDryRun: false })).get('expired')).toBe(
        'not_found',
      );
    });

    it('deletes everything by force', async () => {
      await appendThree();
      const outcomes = await store().remove(asked, { force: true, isDryRun: false });
      expect([...outcomes.values()]).toEqual(['deleted', 'deleted', 'deleted', 'not_found']);
      expect(await idsFound(store(), {})).toEqual([]);
    });

    it('changes nothing in a dry run', async () => {
      await appendThree();
      const outcomes = await store().remove(asked, { force: true, isDryRun: true });
      expect([...outcomes.values()]).toEqual(['deleted', 'deleted', 'deleted', 'not_found']);
      const real = await store().remove(asked, { force: true, isDryRun: false });
      expect([...real]).toEqual([...outcomes]);
    });

    it('takes many ids, repeated ids, none, and hostile ones', async () => {
      const many = Array.from({ length: 60 }, (_, at) => idAt(at));
      await store().append(many.map((id) => newEntry({ id })));
      expect(await store().remove([], { force: true, isDryRun: false })).toEqual(new Map());
      const outcomes = await store().remove([...many, ...many, ...HOSTILE_STRINGS], {
        force: true,
        isDryRun: false,
      });
      expect([...outcomes.values()].filter((outcome) => outcome === 'deleted')).toHaveLength(60);
      expect(outcomes.get('%')).toBe('not_found');
      expect(outcomes.size).toBe(60 + HOSTILE_STRINGS.length);
    });
  });

  describe('sweep', () => {
    it('deletes what has expired and sessions left empty, and nothing else', async () => {
      const expiresAt = clock().now() + DAY;
      await store().append([
        newEntry({ id: 'a', expiresAt }),
        newEntry({ id: 'b', expiresAt, owner: 'bob' }),
        newEntry({ id: 'c', expiresAt: expiresAt + 1, owner: 'bob' }),
        newEntry({ id: 'd', owner: 'eve' }),
      ]);
      clock().advance(DAY);
      expect(await store().sweep(5_000)).toEqual({ deletedEntries: 2, deletedSessions: 1, hasMore: false });
      expect((await store().remove(['a'], { force: true, isDryRun: true })).get('a')).toBe('not_found');
      expect(await idsFound(store(), {})).toEqual(['d', 'c']);
      expect((await store().recentSessions(0, 9)).map(({ key }) => key).sort()).toEqual([
        'owner:bob',
        'owner:eve',
      ]);
      expect(await store().sweep(5_000)).toEqual({ deletedEntries: 0, deletedSessions: 0, hasMore: false });
    });

    it('deletes many, and what it leaves for later it says', async () => {
      const expiresAt = clock().now();
      await store().append(
        Array.from({ length: 700 }, (_, at) =>
          newEntry({ id: idAt(at), owner: `owner-${at % 90}`, expiresAt }),
        ),
      );
      let deleted = 0;
      let sessions = 0;
      for (let hasMore = true; hasMore;) {
        const swept = await store().sweep(1);
        ({ hasMore } = swept);
        deleted += swept.deletedEntries;
        sessions += swept.deletedSessions;
      }
      expect({ deleted, sessions }).toEqual({ deleted: 700, sessions: 90 });
      expect(await store().recentSessions(0, 9)).toEqual([]);
    });

    it('leaves alone what is appended meanwhile', async () => {
      const expiresAt = clock().now();
      await store().append(Array.from({ length: 300 }, (_, at) => newEntry({ id: idAt(at), expiresAt })));
      const [, placed] = await Promise.all([
        store().sweep(5_000),
        store().append([newEntry({ id: 'new', createdAt: clock().now() })]),
      ]);
      await store().sweep(5_000);
      expect((await store().get('new', {}))?.sessionId).toBe(placed[0]?.sessionId);
      expect(await store().findSessions({ filter: {}, limit: 9 })).toHaveLength(1);
    });
  });

  describe('evictOldest', () => {
    it('deletes the oldest first, expired or not, until the bound holds', async () => {
      // Bytes that no database can compress.
      let seed = 1;
      const nextByte = (): number => (seed = (seed * 48_271) % 2_147_483_647) & 255;
      const body = (): Buffer => Buffer.from(Array.from({ length: 20_000 }, nextByte));
      await store().append(
        Array.from({ length: 100 }, (_, at) =>
          newEntry({ id: idAt(at), createdAt: clock().now() + at, responseBody: body() }),
        ),
      );
      const { databaseBytes } = await store().sizes();
      expect(databaseBytes).toBeGreaterThan(1_000_000);
      expect(await store().evictOldest(1_000_000_000)).toBe(0);
      const evicted = await store().evictOldest(1_000_000);
      expect(evicted).toBeGreaterThan(20);
      const left = await idsFound(store(), {});
      expect(left).toHaveLength(100 - evicted);
      expect(left.at(-1)).toBe(idAt(evicted));
      expect(await store().evictOldest(1_000_000)).toBe(0);
    });

    it('ends when there is nothing left', async () => {
      await store().append([newEntry({ id: 'only' })]);
      expect(await store().evictOldest(0)).toBe(1);
      expect(await store().evictOldest(0)).toBe(0);
      expect(await store().recentSessions(0, 9)).toEqual([]);
    });
  });
}
