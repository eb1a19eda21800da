import assert from 'node:assert/strict';
import { at, bytes, fillInOrder, IN_ORDER, keysOf, pages, rejects, type SuiteContext } from './suite-context';

export function describeScans({ backend, describe, it }: SuiteContext): void {
  const fill = (): Promise<void> => fillInOrder(backend());

  describe('scans', () => {
    it('go by the bytes of keys, whatever a language or UTF-16 says', async () => {
      await fill();
      assert.deepEqual(await keysOf(backend()), IN_ORDER);
      assert.deepEqual(await keysOf(backend(), { reverse: true }), [...IN_ORDER].reverse());
    });

    it('of a partition that is not there find nothing', async () => {
      assert.deepEqual(await backend().scan('nowhere'), { items: [] });
    });

    it('bring values, versions and expiries, and tell lists apart', async () => {
      const version = await backend().set(at('a'), { x: 1 });
      await backend().set(at('b'), bytes(1));
      await backend().append(at('l'), [1, 2]);
      const { items } = await backend().scan('p');
      assert.deepEqual(items[0], { type: 'value', key: 'a', value: { x: 1 }, version });
      assert.deepEqual((items[1] as { value: unknown }).value, bytes(1));
      assert.deepEqual([items[2]?.type, items[2]?.key, 'value' in items[2]!], ['list', 'l', false]);
    });

    it('stay within bounds, each inclusive or not', async () => {
      await fill();
      const of = (range: object): Promise<string[]> => keysOf(backend(), { range });
      assert.deepEqual(await of({ gte: 'a', lt: 'b' }), ['a', 'a%', 'a*', 'aB', 'a_', 'ab']);
      assert.deepEqual(await of({ gt: 'a', lte: 'b' }), ['a%', 'a*', 'aB', 'a_', 'ab', 'b']);
      assert.deepEqual(await of({ gt: 'z' }), ['é', '\uFFFF', '\u{1F600}']);
      assert.deepEqual(await of({ lte: 'A' }), ['A']);
      assert.deepEqual(await of({ gt: 'b', lt: 'a' }), []);
      assert.deepEqual(await of({ gte: 'b', lte: 'b' }), ['b']);
      assert.deepEqual(await of({ gt: 'b', lt: 'b' }), []);
      assert.deepEqual(await of({ gte: '', gt: 'a', prefix: 'a', lt: 'ab' }), ['a%', 'a*', 'aB', 'a_']);
      assert.deepEqual(await keysOf(backend(), { range: { gte: 'a', lt: 'b' }, reverse: true, limit: 2 }), [
        'ab',
        'a_',
        'aB',
        'a*',
        'a%',
        'a',
      ]);
    });

    for (const prefix of ['a', 'a%', 'a_', 'a*', 'é', '\uFFFF', '\u{1F600}', 'A', ''])
      it(`take a prefix as literal text: "${prefix}"`, async () => {
        await fill();
        const expected = IN_ORDER.filter((key) => key.startsWith(prefix));
        assert.deepEqual(await keysOf(backend(), { range: { prefix } }), expected);
        assert.deepEqual(await keysOf(backend(), { range: { prefix }, reverse: true }), expected.reverse());
      });

    for (const prefix of ['[a', 'a\\', "a'", 'a?', 'a"', 'a\0', '{a}', '/..'])
      it(`take a prefix as literal text: ${JSON.stringify(prefix)}`, async () => {
        await backend().set(at(`${prefix}1`), 1);
        await backend().set(at(`${prefix}2`), 1);
        for (const decoy of ['a', 'ab', 'aa1', 'A1', 'b']) await backend().set(at(decoy), 1);
        assert.deepEqual(await keysOf(backend(), { range: { prefix } }), [`${prefix}1`, `${prefix}2`]);
      });

    for (const limit of [1, 2, 5, 1_000])
      it(`read page by page without a gap or a repetition: ${limit} at once`, async () => {
        await fill();
        for (const reverse of [false, true]) {
          const sizes: number[] = [];
          const found = await pages(async (after) => {
            const page = await backend().scan('p', {
              limit,
              reverse,
              ...(after === undefined ? {} : { after }),
            });
            sizes.push(page.items.length);
            return page;
          });
          assert.deepEqual(
            found.map(({ key }) => key),
            reverse ? [...IN_ORDER].reverse() : IN_ORDER,
          );
          assert.ok(sizes.every((size) => size <= limit));
        }
      });

    it('read on after the item that a page ended with is gone', async () => {
      await fill();
      const first = await backend().scan('p', { limit: 4 });
      await backend().delete(at(first.items.at(-1)!.key));
      await backend().set(at('A0'), 'before');
      const rest = await pages((after) => backend().scan('p', { limit: 4, after: after ?? first.next! }));
      assert.deepEqual(
        rest.map(({ key }) => key),
        IN_ORDER.slice(4),
      );
    });

    it('say there is more only when there is', async () => {
      for (const key of ['a', 'b', 'c']) await backend().set(at(key), 1);
      const page = await backend().scan('p', { limit: 3 });
      assert.deepEqual([page.items.length, page.next], [3, undefined]);
      assert.equal('next' in page, false);
    });

    it('find everything of 2,500 items, 100 unless told otherwise', async () => {
      const names = Array.from({ length: 2_500 }, (_, index) => `k${String(index).padStart(5, '0')}`);
      for (let from = 0; from < names.length; from += 500)
        await backend().batch(
          names.slice(from, from + 500).map((key) => ({ type: 'set', partition: 'p', key, value: 1 })),
        );
      assert.ok((await backend().scan('p')).items.length <= 100);
      assert.deepEqual(await keysOf(backend()), names);
      assert.deepEqual(await keysOf(backend(), { limit: 1_000, reverse: true }), names.reverse());
    });

    for (const limit of [0, -1, 1_001, 1.5, NaN, '7' as never])
      it(`refuse a limit of ${JSON.stringify(limit)}`, async () => {
        await rejects(backend().scan('p', { limit }), 'ARGUMENT_INVALID');
        await rejects(backend().keys('p', { limit }), 'ARGUMENT_INVALID');
        await rejects(backend().partitions('', { limit }), 'ARGUMENT_INVALID');
        await rejects(backend().sweep(limit), 'ARGUMENT_INVALID');
      });

    it('refuse bounds that are no text', async () => {
      await rejects(backend().scan('p', { range: { gt: 7 as never } }), 'ARGUMENT_INVALID');
      await rejects(backend().scan('p', { range: { prefix: '\uD800' } }), 'ARGUMENT_INVALID');
      await rejects(backend().scan('p', { after: 'x'.repeat(1_025) }), 'ARGUMENT_INVALID');
      await rejects(backend().keys('p', { range: { gt: 7 as never } }), 'ARGUMENT_INVALID');
    });
  });

  describe('partitions', () => {
    it('are listed in the order of their bytes, by literal prefix, page by page', async () => {
      for (const name of IN_ORDER) await backend().set(at('k', name), 1);
      for (const name of ['a', 'b']) await backend().set(at('k2', name), 1);
      const all = (prefix: string, limit: number): Promise<string[]> =>
        pages((after) => backend().partitions(prefix, { limit, ...(after === undefined ? {} : { after }) }));
      assert.deepEqual(await all('', 100), IN_ORDER);
      assert.deepEqual(await all('', 2), IN_ORDER);
      assert.deepEqual(await all('a', 1), ['a', 'a%', 'a*', 'aB', 'a_', 'ab']);
      assert.deepEqual(await all('a_', 10), ['a_']);
      assert.deepEqual(await all('none', 10), []);
    });

    it('are all listed, of 250', async () => {
      const names = Array.from({ length: 250 }, (_, index) => `p${String(index).padStart(3, '0')}`);
      await backend().batch(names.map((name) => ({ type: 'set', ...at('k', name), value: 1 })));
      const found = await pages((after) => backend().partitions('', after === undefined ? {} : { after }));
      assert.deepEqual(found, names);
    });

    it('are gone with their last item', async () => {
      await backend().set(at('a', 'one'), 1);
      await backend().append(at('a', 'two'), [1]);
      await backend().delete(at('a', 'one'));
      assert.deepEqual((await backend().partitions()).items, ['two']);
      await backend().delete(at('a', 'two'));
      assert.deepEqual(await backend().partitions(), { items: [] });
    });
  });
}
