import type { EntryFilter, MetadataCondition } from '../entries/entry-filter';
import type { NewEntry } from '../entries/entry-store';
import { matchesFilter } from './matches-filter';
import { newEntry } from './new-entry';
import { HOSTILE_STRINGS, idAt, idsFound, type SuiteContext } from './suite-context';
import { testGlobals } from './test-globals';

const START = Date.UTC(2026, 0, 1);

const VARIED: readonly Partial<NewEntry>[] = [
  { type: 'request', method: 'POST', status: 201, traceId: 'a'.repeat(32) },
  { type: 'response', method: 'get', status: 404, durationMs: 0 },
  { type: 'both', method: null, status: null, outcome: 'aborted', durationMs: 99.5 },
  { endpoint: null, path: '/nowhere', status: 404, createdAt: START + 1 },
  { endpoint: '/users/:id', path: '/users/1%', status: 500, outcome: 'failed', createdAt: START + 2 },
  { endpoint: 'Service.call', path: null, owner: 'bob', createdAt: START + 3, durationMs: 100 },
  { path: '/orders', status: 599, traceId: 'A'.repeat(32) },
  { path: '/orders/', status: 499, outcome: 'timed_out' },
  { path: '/Orders/7', status: 100 },
];

const FILTERS: readonly EntryFilter[] = [
  {},
  { storageType: 'request' },
  { storageType: 'response' },
  { storageType: 'both' },
  { endpointKey: '/orders/:id' },
  { endpointKey: '/unknown' },
  { endpointKey: '' },
  { path: { equals: '/orders/7' } },
  { path: { prefix: '/orders/' } },
  { path: { prefix: '/users/1%' } },
  { path: { prefix: '/users/%' } },
  { path: { prefix: '_' } },
  { path: { prefix: '' } },
  { isUnmatched: true },
  { isUnmatched: false },
  { methods: ['GET'] },
  { methods: ['GET', 'POST', 'POST'] },
  { methods: [] },
  { statuses: [{ from: 400, to: 499 }] },
  {
    statuses: [
      { from: 500, to: 599 },
      { from: 201, to: 201 },
    ],
  },
  { statuses: [{ from: 600, to: 100 }] },
  { statuses: [{ from: -1e300, to: 1e300 }] },
  { statuses: [] },
  { outcomes: ['completed'] },
  { outcomes: ['aborted', 'failed'] },
  { outcomes: ['timed_out'] },
  { outcomes: [] },
  { createdFrom: START + 1 },
  { createdBefore: START + 1 },
  { createdFrom: START + 1, createdBefore: START + 3 },
  { createdFrom: START + 0.5, createdBefore: START + 2.5 },
  { createdFrom: START + 3, createdBefore: START + 1 },
  { createdFrom: -1e300, createdBefore: 1e300 },
  { minDurationMs: 12.5 },
  { maxDurationMs: 12.5 },
  { minDurationMs: 12.6, maxDurationMs: 99.5 },
  { traceId: 'a'.repeat(32) },
  { sessionId: 'no-such-session' },
  { owner: 'bob' },
  { owner: 'bob', endpointKey: '/service.call' },
  { owner: 'ann', endpointKey: '/orders/:id', statuses: [{ from: 200, to: 299 }], methods: ['GET'] },
];

const VALUES: readonly unknown[] = [
  1,
  1.5,
  0,
  -0,
  -7,
  1e21,
  9007199254740993,
  5e-324,
  0.1,
  '1',
  '',
  'true',
  'null',
  'abc',
  'ABC',
  'B',
  'ab%c',
  'ä',
  '[1]',
  '{}',
  true,
  false,
  null,
  [],
  [1, '1', true, null],
  [[1], ['abc']],
  ['abc'],
  {},
  { inner: 1 },
  { inner: { inner: 'abc' } },
  { '0': 'zero', inner: null },
  { 'a.b': 1, 'a"b': 'quoted', 'a\\b': 2, '': 'empty', $: 3, é: 4 },
];

const SCALARS = [
  1,
  1.5,
  0,
  -7,
  1e21,
  9007199254740992,
  0.1,
  '1',
  '',
  'true',
  'null',
  'abc',
  'b',
  'Z',
  'ä',
  '[1]',
  true,
  false,
  null,
];

const PATHS = [
  ['v'],
  ['v', 'inner'],
  ['v', 'inner', 'inner'],
  ['v', '0'],
  ['v', 'length'],
  ['v', 'a.b'],
  ['v', 'a"b'],
  ['v', 'a\\b'],
  ['v', ''],
  ['v', '$'],
  ['v', 'é'],
  ['v', 'a'],
  ['missing'],
  ['__proto__'],
  ['v', '__proto__'],
  ['constructor', 'name'],
  [],
];

export function describeFilters({ store }: SuiteContext): void {
  const { describe, it, expect } = testGlobals();

  async function holdsFor(filters: readonly EntryFilter[]): Promise<void> {
    const all = await store().find({ filter: {}, limit: 10_000, includeBodies: false });
    for (const filter of filters) {
      const wanted = all.filter((entry) => matchesFilter(entry, filter)).map(({ id }) => id);
      // The filter travels with what was found, so that a failure names it.
      expect({ filter, found: await idsFound(store(), filter) }).toEqual({ filter, found: wanted });
      expect({ filter, ...(await store().count(filter, 10_000)) }).toMatchObject({
        filter,
        total: wanted.length,
        isCapped: false,
      });
      const sessions = new Set(all.filter(({ id }) => wanted.includes(id)).map(({ sessionId }) => sessionId));
      const found = await store().findSessions({ filter, limit: 10_000 });
      expect({ filter, sessions: new Set(found.map(({ id }) => id)) }).toEqual({ filter, sessions });
      expect(await store().countSessions(filter, 10_000)).toMatchObject({ total: sessions.size });
    }
  }

  describe('a filter', () => {
    it('finds exactly the entries that meet it', async () => {
      await store().append(VARIED.map((overrides, at) => newEntry({ id: idAt(at), ...overrides })));
      await holdsFor(FILTERS);
    });

    it('finds the entries of a session and of no other', async () => {
      const placed = await store().append(
        ['ann', 'bob', 'ann'].map((owner, at) => newEntry({ id: idAt(at), owner })),
      );
      await holdsFor(placed.map(({ sessionId }) => ({ sessionId })));
    });

    it('takes hostile text in every field as text', async () => {
      await store().append(
        HOSTILE_STRINGS.map((text, at) =>
          newEntry({
            id: idAt(at),
            endpoint: text,
            endpointKey: text,
            path: text,
            method: text,
            traceId: text,
          }),
        ),
      );
      for (const text of HOSTILE_STRINGS) {
        await holdsFor([
          { endpointKey: text },
          { traceId: text },
          { path: { equals: text } },
          { path: { prefix: text } },
          { methods: [text] },
        ]);
      }
    });
  });

  describe('a metadata condition', () => {
    it('tells types apart, traverses objects only, and compares text by bytes', async () => {
      await store().append([
        ...VALUES.map((v, at) => newEntry({ id: idAt(at), metadata: { v } })),
        newEntry({ id: 'none', metadata: {} }),
        newEntry({
          id: 'proto',
          metadata: JSON.parse('{"__proto__": {"x": 1}, "v": 1}') as Record<string, unknown>,
        }),
      ]);
      const conditions: MetadataCondition[] = PATHS.flatMap((path) => [
        { path, operator: 'exists', value: true },
        { path, operator: 'exists', value: false },
        { path, operator: 'in', value: [] },
        { path, operator: 'in', value: SCALARS },
        { path, operator: 'in', value: ['abc', 1, null] },
      ]);
      for (const value of SCALARS) {
        for (const path of [['v'], ['v', 'inner']]) {
          for (const operator of ['eq', 'ne', 'contains'] as const)
            conditions.push({ path, operator, value });
          if (typeof value !== 'string' && typeof value !== 'number') continue;
          for (const operator of ['gt', 'gte', 'lt', 'lte'] as const)
            conditions.push({ path, operator, value });
        }
      }
      conditions.push({ path: ['v'], operator: 'lt', value: Infinity });
      conditions.push({ path: ['v'], operator: 'gt', value: Number.NaN });
      for (const condition of conditions) {
        const filter = { metadata: [condition] };
        const all = await store().find({ filter: {}, limit: 100, includeBodies: false });
        const wanted = all.filter((entry) => matchesFilter(entry, filter)).map(({ id }) => id);
        expect({ condition, found: await idsFound(store(), filter) }).toEqual({ condition, found: wanted });
      }
    });

    it('takes hostile keys and values as text', async () => {
      await store().append(
        HOSTILE_STRINGS.map((text, at) =>
          newEntry({ id: idAt(at), metadata: { [`k${text}`]: text, list: [text], o: { [`k${text}`]: 1 } } }),
        ),
      );
      for (const text of HOSTILE_STRINGS) {
        await holdsFor([
          { metadata: [{ path: [`k${text}`], operator: 'eq', value: text }] },
          { metadata: [{ path: ['o', `k${text}`], operator: 'exists', value: true }] },
          { metadata: [{ path: ['list'], operator: 'contains', value: text }] },
          { metadata: [{ path: [`k${text}`], operator: 'contains', value: text.slice(0, 1) }] },
        ]);
      }
    });

    it('must hold together with all the others', async () => {
      await store().append(
        [
          { a: 1, b: 2 },
          { a: 1, b: 3 },
          { a: 2, b: 2 },
        ].map((metadata, at) => newEntry({ id: idAt(at), metadata })),
      );
      const filter: EntryFilter = {
        metadata: [
          { path: ['a'], operator: 'eq', value: 1 },
          { path: ['b'], operator: 'gte', value: 3 },
        ],
      };
      expect(await idsFound(store(), filter)).toEqual([idAt(1)]);
      expect(await idsFound(store(), { ...filter, owner: 'bob' })).toEqual([]);
    });
  });
}
