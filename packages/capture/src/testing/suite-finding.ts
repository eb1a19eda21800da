import { newEntry } from './new-entry';
import { DAY, HOSTILE_STRINGS, idAt, idsFound, idsOf, type SuiteContext } from './suite-context';
import { testGlobals } from './test-globals';

export function describeFinding({ store, clock }: SuiteContext): void {
  const { describe, it, expect } = testGlobals();

  describe('find', () => {
    it('orders by start descending, then by id descending', async () => {
      const at = clock().now();
      const starts = [at, at, at + 1, at - 1, at];
      const entries = starts.map((createdAt, index) => newEntry({ id: idAt(index), createdAt }));
      await store().append(entries);
      expect(await idsFound(store(), {})).toEqual([idAt(2), idAt(4), idAt(1), idAt(0), idAt(3)]);
    });

    it('orders ids by their bytes, not by the rules of a language', async () => {
      const ids = ['a', 'B', 'Z', 'z', '_', '0', 'ä'];
      await store().append(ids.map((id) => newEntry({ id })));
      expect(await idsFound(store(), {})).toEqual(['ä', 'z', 'a', '_', 'Z', 'B', '0']);
    });

    it('pages by cursor without a gap or a repetition while rows come and go', async () => {
      const at = clock().now();
      const entries = Array.from({ length: 40 }, (_, index) =>
        newEntry({ id: idAt(index), createdAt: at + Math.floor(index / 7) }),
      );
      await store().append(entries);
      const seen: string[] = [];
      for (let after: { at: number; id: string } | undefined; ;) {
        const page = await store().find({
          filter: { owner: 'ann' },
          limit: 6,
          includeBodies: false,
          ...(after === undefined ? {} : { after }),
        });
        seen.push(...idsOf(page));
        const last = page.at(-1);
        if (last === undefined) break;
        after = { at: last.createdAt, id: last.id };
        // Newer rows, and the very row that the cursor names, change nothing of what follows.
        await store().append([newEntry({ id: `new-${seen.length}`, createdAt: at + 1_000 })]);
        await store().remove([last.id], { force: true, isDryRun: false });
      }
      expect(seen).toEqual(idsOf(entries).reverse());
    });

    it('passes over an offset', async () => {
      await store().append(Array.from({ length: 30 }, (_, index) => newEntry({ id: idAt(index) })));
      const page = await store().find({ filter: {}, limit: 3, offset: 25, includeBodies: false });
      expect(idsOf(page)).toEqual([idAt(4), idAt(3), idAt(2)]);
      expect(await store().find({ filter: {}, limit: 3, offset: 10_000, includeBodies: false })).toEqual([]);
    });

    it('leaves bodies out unless asked', async () => {
      await store().append([newEntry({ requestBody: Buffer.from('q'), responseBody: Buffer.from('r') })]);
      const [entry] = await store().find({ filter: {}, limit: 1, includeBodies: false });
      expect(entry).toMatchObject({ requestBody: null, responseBody: null, requestStoredBytes: 1 });
    });

    it('finds nothing with a limit of nothing', async () => {
      await store().append([newEntry()]);
      expect(await store().find({ filter: {}, limit: 0, includeBodies: true })).toEqual([]);
    });

    it('hides an entry from its deadline on, in every read', async () => {
      const expiresAt = clock().now() + 5_000;
      await store().append([newEntry({ id: 'short', expiresAt }), newEntry({ id: 'long', owner: 'bob' })]);
      clock().advance(4_999);
      expect(await idsFound(store(), { owner: 'ann' })).toEqual(['short']);
      clock().advance(1);
      expect(await idsFound(store(), {})).toEqual(['long']);
      expect(await store().get('short', {})).toBe(undefined);
      expect(await store().count({ owner: 'ann' }, 10)).toMatchObject({ total: 0 });
      expect(await store().findSessions({ filter: { owner: 'ann' }, limit: 10 })).toEqual([]);
      expect(await store().countSessions({}, 10)).toMatchObject({ total: 1 });
      expect((await store().sizes()).entries).toBe(1);
      clock().advance(1000 * DAY);
      expect(await idsFound(store(), {})).toEqual(['long']);
    });

    it('never shows one owner the entries of another', async () => {
      const owners = [...HOSTILE_STRINGS, 'ann', 'Ann', 'ANN', 'ann ', 'ann%'];
      await store().append(owners.map((owner, at) => newEntry({ id: idAt(at), owner })));
      for (const [at, owner] of owners.entries()) {
        expect(await idsFound(store(), { owner })).toEqual([idAt(at)]);
        expect(await store().count({ owner }, 10)).toMatchObject({ total: 1, isCapped: false });
        expect((await store().get(idAt(at), { owner }))?.id).toBe(idAt(at));
        expect(await store().get(idAt(at), { owner: `${owner}x` })).toBe(undefined);
        expect(await store().findSessions({ filter: { owner }, limit: 9 })).toHaveLength(1);
        expect(await store().countSessions({ owner }, 9)).toMatchObject({ total: 1 });
      }
    });

    it('finds nothing for ids, owners and positions nobody has, whatever they hold', async () => {
      await store().append([newEntry({ id: 'one' })]);
      for (const text of HOSTILE_STRINGS) {
        expect(await store().get(text, {})).toBe(undefined);
        expect(await idsFound(store(), { owner: text, sessionId: text, traceId: text })).toEqual([]);
        expect(await idsFound(store(), { endpointKey: text })).toEqual([]);
        const after = { at: clock().now() - DAY, id: text };
        expect(await store().find({ filter: {}, after, limit: 5, includeBodies: false })).toEqual([]);
      }
    });
  });

  describe('count', () => {
    it('counts up to the limit and says when there is more', async () => {
      await store().append(Array.from({ length: 12 }, (_, at) => newEntry({ id: idAt(at) })));
      expect(await store().count({}, 12)).toMatchObject({ total: 12, isCapped: false });
      expect(await store().count({}, 11)).toMatchObject({ total: 11, isCapped: true });
      expect(await store().count({ methods: ['PUT'] }, 11)).toMatchObject({ total: 0, isCapped: false });
    });
  });
}
