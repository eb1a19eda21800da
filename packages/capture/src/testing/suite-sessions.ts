import { newEntry } from './new-entry';
import { DAY, idAt, idsOf, MINUTE, type SuiteContext } from './suite-context';
import { testGlobals } from './test-globals';

export function describeSessions({ store, clock }: SuiteContext): void {
  const { describe, it, expect } = testGlobals();
  const entry = (id: string, minute: number, overrides: Parameters<typeof newEntry>[0] = {}) =>
    newEntry({ id, createdAt: clock().now() + minute * MINUTE, durationMs: 0, ...overrides });

  describe('sessions', () => {
    it('are cut where the gap is longer than the timeout', async () => {
      const placed = await store().append([entry('a', 0), entry('b', 30), entry('c', 61)]);
      expect(placed[0]?.sessionId).toBe(placed[1]?.sessionId);
      expect(placed[2]?.sessionId).not.toBe(placed[0]?.sessionId);
      const later = await store().append([entry('d', 91)]);
      expect(later[0]?.sessionId).toBe(placed[2]?.sessionId);
    });

    it('are found again by an entry that arrives in another call, whatever the order', async () => {
      const [second] = await store().append([entry('b', 20)]);
      const [first] = await store().append([entry('a', 0)]);
      expect(first?.sessionId).toBe(second?.sessionId);
      const [session] = await store().findSessions({ filter: {}, limit: 9 });
      expect(session).toMatchObject({
        createdAt: clock().now(),
        lastActivityAt: clock().now() + 20 * MINUTE,
        timeoutMs: 30 * MINUTE,
        totalEntries: 2,
      });
    });

    it('become one when an entry bridges them, with all their entries', async () => {
      await store().append([
        ...Array.from({ length: 450 }, (_, at) => entry(idAt(at), 0)),
        entry('late', 50),
      ]);
      expect(await store().countSessions({}, 9)).toMatchObject({ total: 2 });
      const [bridge] = await store().append([entry('bridge', 25)]);
      const sessions = await store().findSessions({ filter: {}, limit: 9 });
      expect(sessions.map(({ id, totalEntries }) => ({ id, totalEntries }))).toEqual([
        { id: bridge?.sessionId, totalEntries: 452 },
      ]);
      expect(await store().append([entry('late', 50)])).toEqual([
        { entryId: 'late', sessionId: bridge?.sessionId },
      ]);
      expect(await store().recentSessions(0, 9)).toHaveLength(1);
    });

    it('say so in the entry when a client asks for one it cannot continue', async () => {
      await store().append([
        entry('a', 0, { session: { key: 'k', group: undefined, timeoutMs: MINUTE, requestedId: 'unknown' } }),
      ]);
      expect((await store().get('a', {}))?.warnings.map(({ code }) => code)).toEqual(['SESSION_NOT_FOUND']);
    });

    it('are continued by id by their own key, not by another', async () => {
      const asking = { group: undefined, timeoutMs: MINUTE, requestedId: 'told' };
      await store().append([
        entry('a', 0, { session: { key: 'k', group: undefined, timeoutMs: MINUTE, proposedId: 'told' } }),
      ]);
      const [own] = await store().append([entry('b', 1, { session: { ...asking, key: 'k' } })]);
      const [foreign] = await store().append([entry('c', 1, { session: { ...asking, key: 'other' } })]);
      expect(own?.sessionId).toBe('told');
      expect(foreign?.sessionId).not.toBe('told');
    });

    it('never take an id that another key has', async () => {
      const claim = { group: undefined, timeoutMs: MINUTE, proposedId: 'taken' };
      await store().append([entry('a', 0, { session: { ...claim, key: 'k' } })]);
      const [other] = await store().append([
        entry('b', 0, { owner: 'bob', session: { ...claim, key: 'o' } }),
      ]);
      expect(other?.sessionId).not.toBe('taken');
      expect(await store().findSessions({ filter: { owner: 'ann' }, limit: 9 })).toHaveLength(1);
    });

    it('carry figures of all their entries that have not expired, whatever the filter', async () => {
      const expiresAt = clock().now() + DAY;
      await store().append([
        entry('a', 0, { endpoint: '/z', status: 500 }),
        entry('b', 1, { endpoint: '/é', outcome: 'aborted', status: null }),
        entry('c', 2, { endpoint: '/B', status: 499 }),
        entry('d', 3, { endpoint: null }),
        entry('e', 4, { endpoint: '/gone', status: 500, expiresAt }),
      ]);
      const filter = { statuses: [{ from: 499, to: 499 }] };
      expect((await store().findSessions({ filter, limit: 9 }))[0]).toMatchObject({
        owner: 'ann',
        group: null,
        endpoints: ['/B', '/gone', '/z', '/é'],
        totalEntries: 5,
        errorEntries: 3,
      });
      clock().advance(DAY);
      expect((await store().findSessions({ filter, limit: 9 }))[0]).toMatchObject({
        endpoints: ['/B', '/z', '/é'],
        totalEntries: 4,
        errorEntries: 2,
      });
    });

    it('list at most 100 endpoints', async () => {
      await store().append(
        Array.from({ length: 130 }, (_, at) => entry(idAt(at), 0, { endpoint: `/${idAt(at)}` })),
      );
      const [session] = await store().findSessions({ filter: {}, limit: 1 });
      expect(session?.endpoints).toEqual(Array.from({ length: 100 }, (_, at) => `/${idAt(at)}`));
    });

    it('are found behind many entries that do not match', async () => {
      await store().append([
        entry('needle', 0, { method: 'PUT' }),
        ...Array.from({ length: 160 }, (_, at) => entry(idAt(at), 1)),
      ]);
      expect(await store().findSessions({ filter: { methods: ['PUT'] }, limit: 9 })).toHaveLength(1);
      expect(await store().findSessions({ filter: { methods: ['PATCH'] }, limit: 9 })).toEqual([]);
      expect(await store().countSessions({ methods: ['PUT'] }, 9)).toMatchObject({ total: 1 });
    });

    it('are paged by latest activity, then by id, by cursor and by offset', async () => {
      const claims = ['c', 'a', 'b', 'd', 'e'];
      await store().append(
        claims.map((name, at) =>
          entry(name, at < 3 ? 0 : at, {
            owner: at === 4 ? 'bob' : 'ann',
            session: { key: name, group: name, timeoutMs: MINUTE, proposedId: `session-${name}` },
          }),
        ),
      );
      const order = ['e', 'd', 'c', 'b', 'a'].map((name) => `session-${name}`);
      expect(idsOf(await store().findSessions({ filter: {}, limit: 9 }))).toEqual(order);
      const [, second] = await store().findSessions({ filter: {}, limit: 2 });
      const after = { at: second?.lastActivityAt ?? 0, id: second?.id ?? '' };
      expect(idsOf(await store().findSessions({ filter: {}, after, limit: 2 }))).toEqual(order.slice(2, 4));
      expect(idsOf(await store().findSessions({ filter: { owner: 'ann' }, offset: 2, limit: 9 }))).toEqual(
        order.slice(3),
      );
      expect(await store().countSessions({}, 4)).toMatchObject({ total: 4, isCapped: true });
      expect(await store().recentSessions(clock().now() + MINUTE, 9)).toEqual([
        {
          id: 'session-e',
          key: 'e',
          createdAt: clock().now() + 4 * MINUTE,
          lastActivityAt: clock().now() + 4 * MINUTE,
          timeoutMs: MINUTE,
        },
        {
          id: 'session-d',
          key: 'd',
          createdAt: clock().now() + 3 * MINUTE,
          lastActivityAt: clock().now() + 3 * MINUTE,
          timeoutMs: MINUTE,
        },
      ]);
      expect(idsOf(await store().recentSessions(0, 2))).toEqual(order.slice(0, 2));
    });
  });
}
