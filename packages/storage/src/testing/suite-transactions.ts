import assert from 'node:assert/strict';
import type { Write } from '../backend';
import { at, keysOf, MOST_TRIES, rejects, type SuiteContext, valueOf } from './suite-context';

export function describeTransactions({ backend, describe, it, itCan }: SuiteContext): void {
  describe('transactions', () => {
    itCan('transact', 'apply all writes of a partition', async () => {
      const version = (await backend().set(at('a'), 1))!;
      await backend().set(at('gone'), 1);
      const outcomes = await backend().transact([
        { type: 'set', ...at('a'), value: 2, ifVersion: version },
        { type: 'set', ...at('b'), value: 3, ifAbsent: true },
        { type: 'append', ...at('l'), values: [1, 2] },
        { type: 'delete', ...at('gone') },
        { type: 'delete', ...at('never') },
      ]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['written', 'written', 'written', 'deleted', 'missing'],
      );
      assert.deepEqual(await keysOf(backend()), ['a', 'b', 'l']);
      assert.deepEqual(await backend().transact([]), []);
    });

    for (const [what, bad, code] of [
      [
        'a version that is another',
        { type: 'set', ...at('there'), value: 2, ifVersion: 'other' },
        'CONFLICT',
      ],
      [
        'something where nothing should be',
        { type: 'set', ...at('there'), value: 2, ifAbsent: true },
        'CONFLICT',
      ],
      ['a delete of another version', { type: 'delete', ...at('there'), ifVersion: 'other' }, 'CONFLICT'],
      ['a value where a list should be', { type: 'append', ...at('there'), values: [1] }, 'WRONG_TYPE'],
      ['a value that JSON cannot hold', { type: 'set', ...at('there'), value: NaN }, 'VALUE_INVALID'],
    ] as const satisfies readonly (readonly [string, Write, string])[])
      itCan('transact', `apply nothing because of ${what}`, async () => {
        await backend().set(at('there'), 1);
        await backend().append(at('list'), [1]);
        await backend().set(at('to go'), 1);
        const good: Write[] = [
          { type: 'set', ...at('new'), value: 1 },
          { type: 'append', ...at('list'), values: [2] },
          { type: 'delete', ...at('to go') },
        ];
        for (const writes of [
          [bad, ...good],
          [...good, bad],
        ]) {
          await rejects(backend().transact(writes), code);
          assert.deepEqual(await keysOf(backend()), ['list', 'there', 'to go']);
          assert.equal(await valueOf(backend(), 'there'), 1);
          assert.equal(await backend().length(at('list')), 1);
        }
      });

    itCan('transact', 'recognise writes that are made again', async () => {
      const writes: Write[] = [
        { type: 'set', ...at('a'), value: 1, ifAbsent: true, version: 'v1' },
        { type: 'append', ...at('l'), values: [1], version: 'v2' },
      ];
      const [first, again] = [await backend().transact(writes), await backend().transact(writes)];
      assert.deepEqual(again, first);
      assert.deepEqual(await backend().range(at('l')), [1]);
    });

    itCan('transact', 'refuse two partitions, one key twice, and more than 100 writes', async () => {
      const set = (key: string, partition = 'p'): Write => ({ type: 'set', ...at(key, partition), value: 1 });
      await rejects(backend().transact([set('a'), set('b', 'q')]), 'ARGUMENT_INVALID');
      await rejects(backend().transact([set('a'), set('a')]), 'ARGUMENT_INVALID');
      const many = Array.from({ length: 101 }, (_, index) => set(`k${index}`));
      await rejects(backend().transact(many), 'ARGUMENT_INVALID');
      assert.equal((await backend().transact(many.slice(1))).length, 100);
    });

    itCan('transact', 'move money between two accounts without making or losing any', async () => {
      await backend().set(at('a'), 100);
      await backend().set(at('b'), 100);
      const move = async (amount: number): Promise<void> => {
        for (let tries = 0; ; tries += 1) {
          assert.ok(tries < MOST_TRIES, 'Every transaction on what was just read is a conflict.');
          const [a, b] = await backend().getMany([at('a'), at('b')]);
          const outcome = await backend()
            .transact([
              { type: 'set', ...at('a'), value: (a!.value as number) - amount, ifVersion: a!.version },
              { type: 'set', ...at('b'), value: (b!.value as number) + amount, ifVersion: b!.version },
            ])
            .catch((error: unknown) => {
              assert.equal((error as { code?: unknown }).code, 'CONFLICT');
            });
          if (outcome !== undefined) return;
        }
      };
      await Promise.all([1, 2, 3, -4, 5, -6, 7, 8].map(move));
      assert.deepEqual([await valueOf(backend(), 'a'), await valueOf(backend(), 'b')], [84, 116]);
    });

    it('are refused with UNSUPPORTED where the engine has none', async () => {
      if (!backend().capabilities.transact) await rejects(backend().transact([]), 'UNSUPPORTED');
    });
  });
}
