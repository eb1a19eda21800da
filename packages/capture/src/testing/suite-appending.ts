import type { NewEntry } from '../entries/entry-store';
import { newEntry } from './new-entry';
import { HOSTILE_STRINGS, idAt, idsFound, type SuiteContext } from './suite-context';
import { testGlobals } from './test-globals';

export function describeAppending({ store }: SuiteContext): void {
  const { describe, it, expect } = testGlobals();

  describe('append', () => {
    it('keeps every field of an entry', async () => {
      const { session, ...fields } = newEntry({
        parentId: 'parent',
        type: 'response',
        query: 'a=1&b=%20',
        status: 503,
        outcome: 'failed',
        errorName: 'TypeError',
        errorMessage: 'x is not a function',
        createdAt: 1_767_225_600_123,
        durationMs: 412.7,
        clientAddress: '2001:db8::1',
        traceId: '0af7651916cd43dd8448eb211c80319c',
        metadata: { model: 'gpt-4', nested: { list: [1, 2.5, null, true, 'é'] } },
        redacted: ['request.headers.cookie'],
        warnings: [{ code: 'LARGE_PAYLOAD', message: 'large', severity: 'MEDIUM', details: { bytes: 3 } }],
        expiresAt: 4_000_000_000_000,
        requestHeaders: [
          ['a', '1'],
          ['a', '2'],
        ],
        requestContentType: 'text/plain',
        requestOriginalBytes: 5_000_000_000,
        requestUnpackedBytes: 3_000_000_000,
        requestCodec: 'deflate',
        requestState: 'truncated',
        requestDetails: { reason: 'open_budget', sha256: 'ab', contentEncoding: 'gzip', source: 'wire' },
        requestBody: Buffer.from([0, 1, 2, 253, 254, 255]),
        responseBody: Buffer.alloc(0),
        closedBy: 'cap',
        offeredBytes: 6_000_000_000,
        sentBytes: 5_999_999_999,
        firstByteMs: 0.125,
        chunks: 70_000,
        longestGapMs: 86_400_000.5,
      });
      const [placement] = await store().append([{ ...fields, session }]);
      expect(await store().get(fields.id, {})).toEqual({ ...fields, sessionId: placement?.sessionId });
      expect(await store().find({ filter: {}, limit: 9, includeBodies: true })).toEqual([
        { ...fields, sessionId: placement?.sessionId },
      ]);
    });

    it('keeps absent values absent and bodies of every byte', async () => {
      const everyByte = Buffer.from(Array.from({ length: 70_000 }, (_, at) => at % 256));
      const { session, ...fields } = newEntry({
        method: null,
        endpoint: null,
        path: null,
        status: null,
        responseContentType: null,
        responseBody: everyByte,
        closedBy: null,
        offeredBytes: null,
        sentBytes: null,
        firstByteMs: null,
        chunks: null,
        longestGapMs: null,
      });
      const [placement] = await store().append([{ ...fields, session }]);
      expect(await store().get(fields.id, {})).toEqual({ ...fields, sessionId: placement?.sessionId });
    });

    it('leaves an entry as it is when it is appended again', async () => {
      const first = newEntry({ id: 'same', status: 200 });
      const placed = await store().append([first]);
      const again = await store().append([newEntry({ id: 'same', status: 500 }), newEntry({ id: 'other' })]);
      expect(again[0]).toEqual(placed[0]);
      expect(again).toHaveLength(2);
      expect((await store().get('same', {}))?.status).toBe(200);
      expect(await store().count({}, 10)).toMatchObject({ total: 2 });
      expect((await store().findSessions({ filter: {}, limit: 9 }))[0]?.totalEntries).toBe(2);
    });

    it('takes the first of two entries with one id in one call', async () => {
      const placed = await store().append([
        newEntry({ id: 'twice', status: 201 }),
        newEntry({ id: 'twice', status: 202 }),
      ]);
      expect(placed).toHaveLength(2);
      expect(placed[0]).toEqual(placed[1]);
      expect((await store().get('twice', {}))?.status).toBe(201);
    });

    it('lets a correction take the place of what it corrects, whichever comes first and however often', async () => {
      const wrong = (id: string) => newEntry({ id, status: 200, responseBody: Buffer.from('wrong') });
      const right = (id: string) => ({
        ...newEntry({
          id,
          status: 503,
          outcome: 'failed',
          errorName: 'Late',
          responseBody: Buffer.from('right'),
        }),
        isCorrection: true as const,
      });
      const [placed] = await store().append([wrong('before'), newEntry({ id: 'other' })]);
      expect(await store().append([right('before')])).toEqual([placed]);
      await store().append([right('after')]);
      await store().append([wrong('after')]);
      await store().append([wrong('within'), right('within')]);
      await store().append([right('behind'), wrong('behind')]);
      await store().append([right('before'), right('within')]);
      for (const id of ['before', 'after', 'within', 'behind']) {
        expect(await store().get(id, {})).toEqual({
          ...withoutClaim(right(id)),
          sessionId: placed?.sessionId,
        });
      }
      expect((await store().get('other', {}))?.status).toBe(200);
      expect((await store().findSessions({ filter: {}, limit: 9 }))[0]).toMatchObject({
        totalEntries: 5,
        errorEntries: 4,
      });
    });

    it('takes nothing, and more than fit into one statement', async () => {
      expect(await store().append([])).toEqual([]);
      const many = Array.from({ length: 463 }, (_, at) => newEntry({ id: idAt(at) }));
      const placed = await store().append(many);
      expect(placed.map(({ entryId }) => entryId)).toEqual(many.map(({ id }) => id));
      expect(new Set(placed.map(({ sessionId }) => sessionId)).size).toBe(1);
      expect(await store().count({}, 1_000)).toMatchObject({ total: 463, isCapped: false });
    });

    it('is not changed by what the caller does to values afterwards', async () => {
      const entry = newEntry({ id: 'mine', metadata: { tags: ['a'] }, responseBody: Buffer.from('body') });
      await store().append([entry]);
      (entry.metadata['tags'] as string[]).push('b');
      entry.responseBody?.fill(0);
      Object.assign(entry, { status: 500 });
      const found = await store().get('mine', {});
      expect(found).toMatchObject({
        status: 200,
        metadata: { tags: ['a'] },
        responseBody: Buffer.from('body'),
      });
      (found?.metadata['tags'] as string[]).push('c');
      found?.responseBody?.fill(1);
      expect(await store().get('mine', {})).toMatchObject({
        metadata: { tags: ['a'] },
        responseBody: Buffer.from('body'),
      });
    });

    it('places entries of one key that arrive in two calls at once in one session', async () => {
      const batches = Array.from({ length: 6 }, (_, at) => [newEntry({ id: idAt(at) })]);
      const placed = await Promise.all(batches.map((batch) => store().append(batch)));
      expect(new Set(placed.flat().map(({ sessionId }) => sessionId)).size).toBe(1);
      expect(await store().countSessions({}, 10)).toMatchObject({ total: 1 });
    });

    it('is seen whole or not at all', async () => {
      const state = { isWriting: true };
      const writing = store()
        .append(Array.from({ length: 1_500 }, (_, at) => newEntry({ id: idAt(at) })))
        .finally(() => (state.isWriting = false));
      const seen = new Set<number>();
      while (state.isWriting) {
        seen.add((await store().count({}, 10_000)).total);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await writing;
      seen.delete(0);
      seen.delete(1_500);
      expect([...seen]).toEqual([]);
    });

    it('keeps hostile text as it is, in every field', async () => {
      const session = { key: 'k', group: undefined, timeoutMs: 1 };
      const entries = HOSTILE_STRINGS.map((text, at) =>
        newEntry({
          id: idAt(at),
          method: text,
          endpoint: text,
          endpointKey: 'e',
          path: text,
          query: text,
          errorName: text,
          errorMessage: text,
          clientAddress: text,
          metadata: Object.fromEntries([[text, text]]),
          redacted: [text],
          requestHeaders: [[text, text]],
          requestContentType: text,
          requestDetails: { reason: text },
          session: { ...session, key: text, group: text },
        }),
      );
      await store().append(entries);
      for (const { session: _, ...entry } of entries) {
        expect(await store().get(entry.id, {})).toMatchObject(entry);
      }
      const groups = (await store().findSessions({ filter: {}, limit: 100 })).map(({ group }) => group);
      expect(new Set(groups)).toEqual(new Set(HOSTILE_STRINGS));
    });

    it('replaces what no database can hold: NUL and lone surrogates', async () => {
      await store().append([
        newEntry({
          id: 'nul',
          owner: 'a\0b',
          path: 'p\uD800q',
          metadata: { 'k\0': 'v\0', list: ['\uDC00'] },
        }),
        newEntry({ id: 'plain', metadata: { k: 'v' } }),
      ]);
      expect(await store().get('nul', {})).toMatchObject({
        owner: 'a\uFFFDb',
        path: 'p\uFFFDq',
        metadata: { 'k\uFFFD': 'v\uFFFD', list: ['\uFFFD'] },
      });
      expect(await idsFound(store(), { owner: 'a\0b' })).toEqual(['nul']);
      expect(
        await idsFound(store(), { metadata: [{ path: ['k\0'], operator: 'eq', value: 'v\0' }] }),
      ).toEqual(['nul']);
    });

    it('stays readable when metadata is nested beyond all reason', async () => {
      let deep: unknown = 'bottom';
      for (let level = 0; level < 1_500; level += 1) deep = level % 2 === 0 ? [deep] : { down: deep };
      await store().append([newEntry({ id: 'deep', metadata: { mark: 1, deep } }), newEntry({ id: 'flat' })]);
      const marked = { metadata: [{ path: ['mark'], operator: 'eq', value: 1 } as const] };
      expect(await idsFound(store(), marked)).toEqual(['deep']);
      expect((await store().get('deep', {}))?.warnings[0]?.code).toBe('METADATA_CUT');
    });
  });
}

function withoutClaim({ session: _, isCorrection: __, ...record }: NewEntry): Omit<NewEntry, 'session'> {
  return record;
}
