import assert from 'node:assert/strict';
import { outcomesOf, type RoleContext } from './role-context';
import { rejects } from './suite-context';

export function describeRoleBatches({ role, describe, it }: RoleContext): void {
  describe('several at once', () => {
    it('are answered in the order that they were asked for, as often as they were', async () => {
      await role().mset([
        ['a', 1],
        ['b', 2],
      ]);
      assert.deepEqual(await role().mget(['b', 'none', 'a', 'b']), [2, undefined, 1, 2]);
    });

    it('may be none', async () => {
      await role().mset([]);
      assert.deepEqual(await role().mget([]), []);
    });

    it('may be more than a backend takes at once', async () => {
      const keys = Array.from({ length: 2_500 }, (_, index) => `k${index}`);
      await role().mset(keys.map((key, index) => [key, index] as const));
      assert.deepEqual(await role().mget(keys), [...keys.keys()]);
    });

    // The second thousand was what the caller had made of it meanwhile.
    it('are kept as they were at the call, however many they are', async () => {
      await role().connect();
      const value = { n: 1 };
      const setting = role().mset(Array.from({ length: 1_500 }, (_, index) => [`k${index}`, value] as const));
      value.n = 2;
      await setting;
      assert.deepEqual(await role().mget(['k0', 'k999', 'k1000', 'k1499']), Array(4).fill({ n: 1 }));
    });

    it('leave the last value of a key that comes twice', async () => {
      const items = Array.from({ length: 2_100 }, (_, index) => [`k${index % 3}`, index] as const);
      await role().mset(items);
      assert.deepEqual(await role().mget(['k0', 'k1', 'k2']), [2_097, 2_098, 2_099]);
    });

    it('have an outcome each when one fails, and the others are written', async () => {
      const outcomes = await outcomesOf(
        role().mset([
          ['a', 1],
          ['b', NaN],
          ['', 3],
          ['d', 4],
        ]),
      );
      assert.deepEqual(outcomes, [
        ['a', 'written'],
        ['b', 'VALUE_INVALID'],
        ['', 'KEY_INVALID'],
        ['d', 'written'],
      ]);
      assert.deepEqual(await role().mget(['a', 'b', 'd']), [1, undefined, 4]);
    });

    it('say where the failing one is among thousands', async () => {
      const items = Array.from(
        { length: 1_500 },
        (_, index) => [`k${index}`, index === 1_234 ? NaN : 1] as const,
      );
      const outcomes = await outcomesOf(role().mset(items));
      assert.deepEqual(
        outcomes.filter(([, status]) => status !== 'written'),
        [['k1234', 'VALUE_INVALID']],
      );
      assert.equal((await role().keys()).length, 1_499);
    });

    for (const [what, items] of [
      ['no array', { a: 1 }],
      ['an array of keys', ['a', 'b']],
      ['undefined', undefined],
    ] as const)
      it(`are refused as a whole when they are ${what}`, async () => {
        await rejects(role().mset(items as never), 'ARGUMENT_INVALID');
        if (!Array.isArray(items)) await rejects(role().mget(items as never), 'ARGUMENT_INVALID');
      });
  });

  describe('at the same time', () => {
    it('writes of one key leave one of the values, whole', async () => {
      const values = Array.from({ length: 20 }, (_, index) => ({ index, text: 'x'.repeat(1_000) }));
      await Promise.all(values.map((value) => role().set('a', value)));
      const found = (await role().get('a')) as { index: number };
      assert.deepEqual(found, values[found.index]);
    });

    it('one of those who delete a key is told that it was there', async () => {
      await role().set('a', 1);
      const answers = await Promise.all(Array.from({ length: 10 }, () => role().delete('a')));
      assert.equal(answers.filter(Boolean).length, 1);
    });

    it('clearing leaves nothing that was there before', async () => {
      await role().mset(Array.from({ length: 300 }, (_, index) => [`old${index}`, 1] as const));
      await Promise.all([role().clear(), role().set('new', 1)]);
      assert.deepEqual(await role().keys('old*'), []);
    });
  });
}
