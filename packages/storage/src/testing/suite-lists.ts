import assert from 'node:assert/strict';
import { at, bytes, rejects, valueOf, type SuiteContext } from './suite-context';

export function describeLists({ backend, describe, it }: SuiteContext): void {
  describe('lists', () => {
    it('grow at the end, in order, and know their length', async () => {
      assert.equal(await backend().append(at('l'), ['a']), 1);
      assert.equal(await backend().append(at('l'), ['b', 'c']), 3);
      assert.deepEqual(await backend().range(at('l')), ['a', 'b', 'c']);
      assert.equal(await backend().length(at('l')), 3);
    });

    it('keep elements of every kind', async () => {
      const elements = [null, 0, '', [], {}, { a: [1] }, 'NUL \0', '\uD800', bytes(0, 255), bytes()];
      await backend().append(at('l'), elements);
      assert.deepEqual(await backend().range(at('l')), elements);
    });

    for (const [start, end] of [
      [0, -1],
      [0, 0],
      [-1, -1],
      [-3, -1],
      [-10, -1],
      [1, 3],
      [2, 100],
      [100, 200],
      [3, 1],
      [-2, 1],
      [0, -5],
      [0, -6],
      [-100, -6],
      [-100, 2],
      [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ] as const)
      it(`give the elements from ${start} to ${end}, both included`, async () => {
        const elements = [0, 1, 2, 3, 4];
        await backend().append(at('l'), elements);
        const from = start < 0 ? start + 5 : start;
        const to = end < 0 ? end + 5 : end;
        assert.deepEqual(
          await backend().range(at('l'), start, end),
          elements.filter((index) => index >= from && index <= to),
        );
      });

    it('that are not there are empty', async () => {
      assert.deepEqual(await backend().range(at('none')), []);
      assert.deepEqual(await backend().range(at('none'), -3, -1), []);
      assert.equal(await backend().length(at('none')), 0);
    });

    it('lose no element of many who append at once', async () => {
      const lengths = await Promise.all(
        Array.from({ length: 25 }, (_, index) =>
          backend().append(at('l'), [
            [index, 0],
            [index, 1],
          ]),
        ),
      );
      assert.deepEqual(
        lengths.sort((a, b) => a - b),
        Array.from({ length: 25 }, (_, index) => 2 * index + 2),
      );
      const found = (await backend().range(at('l'))) as [number, number][];
      assert.equal(found.length, 50);
      for (let index = 0; index < 50; index += 2)
        assert.deepEqual(
          found[index + 1],
          [found[index]![0], 1],
          'What is appended together stays together.',
        );
    });

    it('recognise an append that is made again', async () => {
      await backend().append(at('l'), ['before']);
      assert.equal(await backend().append(at('l'), ['a', 'b'], { version: 'v1' }), 3);
      assert.equal(await backend().append(at('l'), ['a', 'b'], { version: 'v1' }), 3);
      assert.deepEqual(await backend().range(at('l')), ['before', 'a', 'b']);
      assert.equal(await backend().append(at('l'), ['a', 'b'], { version: 'v2' }), 5);
    });

    it('recognise an append that is made again after others came between', async () => {
      await backend().append(at('l'), ['first'], { version: 'v1' });
      for (let index = 0; index < 7; index += 1) await backend().append(at('l'), [index]);
      assert.equal(await backend().append(at('l'), ['first'], { version: 'v1' }), 8);
      assert.equal(await backend().append(at('l'), ['other'], { version: 'v' }), 9);
      assert.equal(await backend().append(at('l'), ['other'], { version: 'v11' }), 10);
      assert.equal((await backend().range(at('l'))).length, 10);
    });

    it('that begin anew do not take an append for one that they had before', async () => {
      await backend().append(at('l'), ['a'], { version: 'v1' });
      await backend().delete(at('l'));
      assert.equal(await backend().append(at('l'), ['b'], { version: 'v1' }), 1);
      await backend().append(at('other'), ['c'], { version: 'v1' });
      await backend().set(at('l'), 1);
      await backend().sweep();
      assert.deepEqual(await backend().range(at('other')), ['c']);
    });

    it('and values refuse what is meant for the other', async () => {
      await backend().set(at('v'), 1);
      await backend().append(at('l'), [1]);
      await rejects(backend().append(at('v'), [2]), 'WRONG_TYPE');
      await rejects(backend().range(at('v')), 'WRONG_TYPE');
      await rejects(backend().length(at('v')), 'WRONG_TYPE');
      await rejects(backend().get(at('l')), 'WRONG_TYPE');
      await rejects(backend().getMany([at('v'), at('l')]), 'WRONG_TYPE');
      assert.equal(await valueOf(backend(), 'v'), 1);
      assert.deepEqual(await backend().range(at('l')), [1]);
    });

    it('are replaced by a value and deleted whole, and then begin anew', async () => {
      await backend().append(at('a'), [1, 2]);
      await backend().set(at('a'), 'value');
      assert.equal(await valueOf(backend(), 'a'), 'value');
      await backend().delete(at('a'));
      assert.equal(await backend().append(at('a'), [3]), 1);
      assert.equal(await backend().delete(at('a')), true);
      assert.equal(await backend().length(at('a')), 0);
      assert.equal(await backend().append(at('a'), [4]), 1);
      assert.deepEqual(await backend().range(at('a')), [4]);
    });

    it('have a version, which conditions go by', async () => {
      await backend().append(at('l'), [1], { version: 'v1' });
      await backend().append(at('l'), [2], { version: 'v2' });
      await rejects(backend().delete(at('l'), { ifVersion: 'v1' }), 'CONFLICT');
      await rejects(backend().set(at('l'), 1, { ifVersion: 'v1' }), 'CONFLICT');
      assert.notEqual(await backend().set(at('l'), 1, { ifVersion: 'v2' }), undefined);
    });

    it('are refused nothing to append, too much, or one bad element among good ones', async () => {
      await rejects(backend().append(at('l'), []), 'ARGUMENT_INVALID');
      await rejects(backend().append(at('l'), Array<number>(1_001).fill(1)), 'ARGUMENT_INVALID');
      await rejects(backend().append(at('l'), [1, undefined as never, 3]), 'VALUE_INVALID');
      assert.equal(await backend().length(at('l')), 0);
    });

    for (const index of [0.5, NaN, Infinity, '1' as never])
      it(`refuse an index of ${String(index)}`, async () => {
        await rejects(backend().range(at('l'), index), 'ARGUMENT_INVALID');
        await rejects(backend().range(at('l'), 0, index), 'ARGUMENT_INVALID');
      });

    it('keep elements of 200 KiB', async () => {
      const elements = ['a', 'b', 'c'].map((letter) => letter.repeat(200 * 1_024));
      await backend().append(at('l'), elements.slice(0, 2));
      await backend().append(at('l'), elements.slice(2));
      assert.deepEqual(await backend().range(at('l')), elements);
    });

    it('of 6,000 elements give their last ten, and all', async () => {
      for (let from = 0; from < 6_000; from += 1_000)
        await backend().append(
          at('l'),
          Array.from({ length: 1_000 }, (_, index) => from + index),
        );
      assert.deepEqual(
        await backend().range(at('l'), -10, -1),
        Array.from({ length: 10 }, (_, index) => 5_990 + index),
      );
      assert.deepEqual(
        await backend().range(at('l')),
        Array.from({ length: 6_000 }, (_, index) => index),
      );
    });
  });
}
