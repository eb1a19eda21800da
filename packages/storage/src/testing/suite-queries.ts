import assert from 'node:assert/strict';
import type { JsonFilter } from '../json-filter';
import { matchesFilter } from '../json-filter';
import type { JsonValue } from '../json-value';
import { at, bytes, fillInOrder, IN_ORDER, pages, rejects, type SuiteContext } from './suite-context';

const VALUES: readonly JsonValue[] = [
  { n: 1, s: 'a', user: { id: 'ann', tags: ['x'] } },
  { n: 10, s: 'B', user: { id: 'bob' } },
  { n: '1', s: 'é', ok: true },
  { n: null, ok: false },
  { n: -0.5, s: '\uFFFF', 'a.b': 1, "it's": '%' },
  { n: 2 ** 53, s: '\u{1F600}', user: 'ann' },
  { n: [1], user: { id: { id: 'ann' } } },
  { s: 'a\0b', n: 1 },
  { s: '"\\\'', n: 3 },
  { s: '\uD800', '': 1 },
  [{ n: 1 }],
  1,
  'ann',
  null,
  {},
];

const FILTERS: readonly JsonFilter[] = [
  [],
  [{ path: ['n'], equals: 1 }],
  [{ path: ['n'], equals: '1' }],
  [{ path: ['n'], equals: null }],
  [{ path: ['ok'], equals: true }],
  [{ path: ['user', 'id'], equals: 'ann' }],
  [{ path: ['user', 'id', 'id'], equals: 'ann' }],
  [{ path: ['user'], equals: 'ann' }],
  [{ path: ['user', '0'], equals: 'a' }],
  [{ path: ['0', 'n'], equals: 1 }],
  [{ path: [], equals: 1 }],
  [{ path: [], equals: null }],
  [{ path: [], exists: true }],
  [{ path: ['a.b'], equals: 1 }],
  [{ path: ['a', 'b'], exists: true }],
  [{ path: [''], exists: true }],
  [{ path: ["it's"], equals: '%' }],
  [{ path: ['__proto__'], exists: true }],
  [{ path: ['n'], exists: true }],
  [{ path: ['n'], exists: false }],
  [{ path: ['n'], in: [1, null, 'x'] }],
  [{ path: ['n'], in: [] }],
  [{ path: ['n'], gt: 0 }],
  [{ path: ['n'], gte: 1, lt: 10 }],
  [{ path: ['n'], lte: -0.5 }],
  [{ path: ['n'], gt: '' }],
  [{ path: ['s'], gt: 'B' }],
  [{ path: ['s'], gte: 'a', lte: 'é' }],
  [{ path: ['s'], lt: '\u{1F600}' }],
  [{ path: ['s'], gt: '\uFFFF' }],
  [{ path: ['s'], equals: '"\\\'' }],
  [{ path: ['s'], equals: 'a\0b' }],
  [{ path: ['s'], equals: '\uD800' }],
  [{ path: ['s'], gt: 1, lt: 'x' }],
  [
    { path: ['n'], equals: 1 },
    { path: ['s'], equals: 'a' },
  ],
  [
    { path: ['n'], equals: 1 },
    { path: ['n'], equals: 2 },
  ],
];

export function describeQueries({ backend, describe, it, itCan }: SuiteContext): void {
  const found = async (filter: JsonFilter, limit = 100): Promise<string[]> => {
    const items = await pages((after) =>
      backend().query('p', filter, { limit, ...(after === undefined ? {} : { after }) }),
    );
    return items.map(({ key }) => key);
  };

  describe('queries', () => {
    itCan('query', 'find what matches, by type and by bytes, whatever the filter', async () => {
      for (const [index, value] of VALUES.entries()) await backend().set(at(`k${10 + index}`), value);
      for (const [index, value] of VALUES.entries())
        await backend().set(at(`k${10 + index}`, 'other'), value);
      await backend().set(at('bytes'), bytes(1));
      await backend().append(at('list'), [{ n: 1 }]);
      for (const filter of FILTERS) {
        const expected = VALUES.flatMap((value, index) =>
          matchesFilter(value, filter) ? [`k${10 + index}`] : [],
        );
        assert.deepEqual(await found(filter), expected, JSON.stringify(filter));
        assert.deepEqual(await found(filter, 1), expected, `${JSON.stringify(filter)}, one at once`);
      }
    });

    itCan('query', 'find in the order of the bytes of keys', async () => {
      await fillInOrder(backend());
      for (const limit of [100, 2])
        assert.deepEqual(await found([{ path: [], exists: true }], limit), IN_ORDER);
    });

    itCan('query', 'bring the whole item', async () => {
      const version = await backend().set(at('a'), { x: 1 });
      assert.deepEqual((await backend().query('p', [{ path: ['x'], equals: 1 }])).items, [
        { type: 'value', key: 'a', value: { x: 1 }, version },
      ]);
    });

    itCan('query', 'see what was changed, and not what was', async () => {
      await backend().set(at('a'), { x: 1 });
      await backend().set(at('a'), { x: 2 });
      await backend().set(at('b'), { x: 1 });
      await backend().delete(at('b'));
      await backend().set(at('c'), { x: 1 });
      await backend().set(at('c'), bytes(1));
      assert.deepEqual(await found([{ path: ['x'], equals: 1 }]), []);
      assert.deepEqual(await found([{ path: ['x'], equals: 2 }]), ['a']);
    });

    for (const filter of [
      {},
      [{}],
      [{ path: 'x', equals: 1 }],
      [{ path: ['x'] }],
      [{ path: ['x'], like: '%' }],
      [{ path: ['x'], equals: { a: 1 } }],
      [{ path: ['x'], equals: NaN }],
      [{ path: ['x'], gt: true }],
      [{ path: ['x'], exists: 1 }],
      [{ path: ['x'], equals: 1, gt: 0 }],
      [{ path: ['\uD800'], equals: 1 }],
    ])
      itCan('query', `refuse a filter that is none: ${JSON.stringify(filter)}`, async () => {
        await rejects(backend().query('p', filter as never), 'ARGUMENT_INVALID');
      });

    it('are refused with UNSUPPORTED where the engine has none', async () => {
      if (!backend().capabilities.query) await rejects(backend().query('p', []), 'UNSUPPORTED');
    });
  });
}
