import assert from 'node:assert/strict';
import type { ScanOptions } from '../backend';
import { at, bytes, fillInOrder, HOSTILE_KEYS, IN_ORDER, pages, type SuiteContext } from './suite-context';

const LARGE_BYTES = 600_000;

export function describeKeyLists({ backend, clock, describe, it }: SuiteContext): void {
  const fill = (): Promise<void> => fillInOrder(backend());
  const listed = (options: ScanOptions = {}): Promise<string[]> =>
    pages((after) => backend().keys('p', { ...options, ...(after === undefined ? {} : { after }) }));

  describe('keys without values', () => {
    it('are those of values and lists alike', async () => {
      await backend().set(at('a'), { x: 1 });
      await backend().set(at('b'), bytes(1));
      await backend().append(at('l'), [1, 2]);
      assert.deepEqual(await backend().keys('p'), { items: ['a', 'b', 'l'] });
      assert.deepEqual(await backend().keys('p', { reverse: true, limit: 3 }), { items: ['l', 'b', 'a'] });
    });

    it('of a partition that is not there are none', async () => {
      assert.deepEqual(await backend().keys('nowhere'), { items: [] });
    });

    for (const limit of [1, 2, 5, 1_000])
      it(`come page by page without a gap or a repetition: ${limit} at once`, async () => {
        await fill();
        for (const reverse of [false, true]) {
          const sizes: number[] = [];
          const found = await pages(async (after) => {
            const page = await backend().keys('p', {
              limit,
              reverse,
              ...(after === undefined ? {} : { after }),
            });
            sizes.push(page.items.length);
            return page;
          });
          assert.deepEqual(found, reverse ? [...IN_ORDER].reverse() : IN_ORDER);
          assert.ok(sizes.every((size) => size <= limit));
        }
      });

    it('go on after the key that a page ended with is gone', async () => {
      await fill();
      const first = await backend().keys('p', { limit: 4 });
      await backend().delete(at(first.items.at(-1)!));
      await backend().set(at('A0'), 'before');
      const rest = await pages((after) => backend().keys('p', { limit: 4, after: after ?? first.next! }));
      assert.deepEqual(rest, IN_ORDER.slice(4));
    });

    it('leave out what has expired, within a page and at its end', async () => {
      const names = Array.from({ length: 12 }, (_, index) => `k${String(index).padStart(2, '0')}`);
      for (const [index, key] of names.entries())
        await backend().set(at(key), index, index % 3 === 0 ? {} : { expiresAt: clock().now() + 5 });
      clock().advance(5);
      const kept = names.filter((_, index) => index % 3 === 0);
      for (const limit of [1, 2, 4, 5])
        assert.deepEqual(
          await pages((after) => backend().keys('p', { limit, ...(after === undefined ? {} : { after }) })),
          kept,
        );
    });

    it('leave out expired values and lists in both directions, and within bounds', async () => {
      const names = Array.from({ length: 12 }, (_, index) => `k${String(index).padStart(2, '0')}`);
      const kept = names.filter((_, index) => index % 4 === 2 || index % 4 === 3);
      for (const [index, key] of names.entries()) {
        const life = index % 4 === 2 ? {} : { expiresAt: clock().now() + 5 + Number(kept.includes(key)) };
        if (index % 2 === 0) await backend().set(at(key), index, life);
        else await backend().append(at(key), [index], life);
      }
      clock().advance(5);
      for (const limit of [1, 3, 100]) {
        assert.deepEqual(await listed({ limit, reverse: true }), [...kept].reverse());
        const range = { gt: kept[0]!, lte: kept[4]! };
        assert.deepEqual(await listed({ limit, range }), kept.slice(1, 5));
        assert.deepEqual(await listed({ limit, range, reverse: true }), kept.slice(1, 5).reverse());
      }
      await backend().set(at(names[0]!), 'again');
      assert.deepEqual(await listed(), [names[0], ...kept]);
    });

    it('are those of large values and long lists, until these are deleted', async () => {
      const size = Math.min(LARGE_BYTES, backend().capabilities.maxValueBytes);
      const large = new Uint8Array(size).fill(7);
      const elements = Array.from({ length: 300 }, (_, index) => `element ${index}`.padEnd(40));
      for (const key of ['a', 'b', 'c', 'd']) await backend().set(at(key), large);
      for (const key of ['l', 'm', 'n', 'o'])
        for (let round = 0; round < 2; round += 1) await backend().append(at(key), elements);
      assert.deepEqual(await listed({ limit: 3 }), ['a', 'b', 'c', 'd', 'l', 'm', 'n', 'o']);
      for (const key of ['a', 'c', 'l', 'n']) assert.equal(await backend().delete(at(key)), true);
      await backend().set(at('m'), 'a value');
      await backend().append(at('n'), elements);
      assert.deepEqual(await listed({ limit: 2 }), ['b', 'd', 'm', 'n', 'o']);
      assert.deepEqual(await listed({ limit: 2, reverse: true }), ['o', 'n', 'm', 'd', 'b']);
    });

    it('of every kind come in the order of their bytes, both ways', async () => {
      await backend().batch(HOSTILE_KEYS.map((key) => ({ type: 'set', ...at(key), value: 1 })));
      const byBytes = [...HOSTILE_KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(await listed({ limit: 3 }), byBytes);
      assert.deepEqual(await listed({ limit: 3, reverse: true }), [...byBytes].reverse());
    });

    for (const reverse of [false, true])
      it(`are told once each while others come and go, ${reverse ? 'backwards' : 'forwards'}`, async () => {
        const names = Array.from({ length: 40 }, (_, index) => `k${index + 10}`);
        await backend().batch(names.map((key) => ({ type: 'set', ...at(key), value: 1 })));
        const inTurn = reverse ? [...names].reverse() : names;
        const behind = reverse ? 'k9' : 'k0';
        const told: string[] = [];
        const gone = new Set<string>();
        await pages(async (after) => {
          const next = inTurn.find((key) => !told.includes(key) && !gone.has(key));
          if (after !== undefined) {
            await backend().delete(at(after));
            await backend().set(at(behind), 'new');
            if (next !== undefined && (await backend().delete(at(next)))) gone.add(next);
          }
          const page = await backend().keys('p', {
            limit: 4,
            reverse,
            ...(after === undefined ? {} : { after }),
          });
          told.push(...page.items);
          return page;
        });
        assert.ok(gone.size > 0);
        assert.deepEqual(
          told,
          inTurn.filter((key) => !gone.has(key)),
        );
      });
  });
}
