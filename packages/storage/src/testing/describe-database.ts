import assert from 'node:assert/strict';
import type { DatabaseBackend } from '../database/database-backend';
import type { DescribeRoleOptions } from './describe-cache';
import { openRoles } from './open-roles';
import { outcomesOf, type OpenRole, type RoleContext } from './role-context';
import { describeRoleBatches } from './role-suite-batches';
import { describeRoleKeys } from './role-suite-keys';
import { describeRoleLifecycle } from './role-suite-lifecycle';
import { describeRoleValues } from './role-suite-values';
import { HOSTILE_KEYS, rejects } from './suite-context';
import type { CacheBackend } from '../cache/cache-backend';
import { globalFramework } from './test-framework';

/**
 * The conformance suite of a database.
 *
 * @param open called before each test; resolves to what makes instances of a prefix on one empty backend. They take
 *   their time from `clock`
 * @example
 * describeDatabase('memory', async (clock) => {
 *   const backend = createMemoryBackend({ clock, sweepIntervalMs: 0 });
 *   return async (keyPrefix) => createDatabaseBackend(backend, { keyPrefix });
 * });
 */
export function describeDatabase(
  name: string,
  open: OpenRole<DatabaseBackend>,
  { framework = globalFramework(), sharesAtOnce = true }: DescribeRoleOptions = {},
): void {
  framework.describe(`${name} as a database`, () => {
    const context = openRoles({ framework, open, sharesAtOnce });
    describeRoleLifecycle(context);
    describeRoleValues(context);
    describeRoleKeys(context);
    describeRoleBatches(context);
    describeMessageLists(context);
    describeListsAmongValues(context);
  });
}

const numbers = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index);

function describeMessageLists({ role, describe, it }: RoleContext<DatabaseBackend>): void {
  describe('lists', () => {
    it('grow at the end, in order, and know their length', async () => {
      assert.equal(await role().append('messages:789', { content: 'Hello' }), 1);
      assert.equal(await role().append('messages:789', { content: 'Hi' }, null, 'x'), 4);
      assert.deepEqual(await role().getRange('messages:789'), [
        { content: 'Hello' },
        { content: 'Hi' },
        null,
        'x',
      ]);
      assert.equal(await role().getLength('messages:789'), 4);
    });

    it('give the last ten of 2,500, not the first, and all of them', async () => {
      await role().append('l', ...numbers(1_000));
      await role().append('l', ...numbers(1_000, 1_000));
      await role().append('l', ...numbers(500, 2_000));
      assert.deepEqual(await role().getRange('l', -10, -1), numbers(10, 2_490));
      assert.deepEqual(await role().getRange('l', 0, -1), numbers(2_500));
    });

    for (const [start, end, expected] of [
      [-10, -1, [0, 1, 2, 3, 4]],
      [-2, -1, [3, 4]],
      [-3, -2, [2, 3]],
      [0, 0, [0]],
      [1, 3, [1, 2, 3]],
      [3, 100, [3, 4]],
      [5, 10, []],
      [3, 1, []],
      [-1, 0, []],
      [-100, -6, []],
    ] as const)
      it(`of five give from ${start} to ${end}, both included`, async () => {
        await role().append('l', ...numbers(5));
        assert.deepEqual(await role().getRange('l', start, end), expected);
      });

    it('that are not there are empty', async () => {
      assert.deepEqual(await role().getRange('none', -10, -1), []);
      assert.equal(await role().getLength('none'), 0);
    });

    it('lose nothing of many who append at once', async () => {
      const lengths = await Promise.all(numbers(30).map((index) => role().append('l', index)));
      assert.deepEqual(
        lengths.sort((a, b) => a - b),
        numbers(30, 1),
      );
      assert.deepEqual(
        (await role().getRange<number>('l')).sort((a, b) => a - b),
        numbers(30),
      );
    });

    it('take copies and give copies', async () => {
      const message = { tags: ['a'] };
      const appending = role().append('l', message);
      message.tags.push('b');
      await appending;
      const [found] = await role().getRange<typeof message>('l');
      assert.deepEqual(found, { tags: ['a'] });
      found.tags.push('c');
      assert.deepEqual(await role().getRange('l'), [{ tags: ['a'] }]);
    });

    it('are kept under keys of every kind', async () => {
      for (const key of HOSTILE_KEYS) await role().append(key, key);
      for (const key of HOSTILE_KEYS) assert.deepEqual(await role().getRange(key), [key]);
    });

    for (const [what, values, code] of [
      ['nothing', [], 'ARGUMENT_INVALID'],
      ['more than 1,000', numbers(1_001), 'ARGUMENT_INVALID'],
      ['undefined', [undefined], 'VALUE_INVALID'],
      ['one bad among good ones', [1, { at: new Date(0) }, 3], 'VALUE_INVALID'],
    ] as const)
      it(`refuse ${what}, and take none of it`, async () => {
        await role().append('l', 'before');
        await rejects(role().append('l', ...values), code);
        assert.deepEqual(await role().getRange('l'), ['before']);
      });

    for (const index of [0.5, NaN, Infinity, '1', null])
      it(`refuse an index of ${JSON.stringify(index)}`, async () => {
        await rejects(role().getRange('l', index as number, -1), 'ARGUMENT_INVALID');
        await rejects(role().getRange('l', 0, index as number), 'ARGUMENT_INVALID');
      });

    for (const key of ['', 'x'.repeat(1_025), '\uD800', 7])
      it(`refuse the key ${JSON.stringify(key).slice(0, 20)}`, async () => {
        await rejects(role().append(key as string, 1), 'KEY_INVALID');
        await rejects(role().getRange(key as string, 0, -1), 'KEY_INVALID');
        await rejects(role().getLength(key as string), 'KEY_INVALID');
      });

    for (const name of ['append', 'getRange', 'getLength'] as const)
      it(`are over for good: ${name} is refused after disconnect`, async () => {
        await role().disconnect();
        const call = name === 'append' ? role().append('l', 1) : role()[name]('l');
        await rejects(call, 'CLOSED');
      });
  });
}

function describeListsAmongValues({
  role,
  clock,
  neighbour,
  describe,
  it,
}: RoleContext<DatabaseBackend>): void {
  describe('lists among values', () => {
    it('refuse what is meant for the other, and change nothing', async () => {
      await role().set('v', 1);
      await role().append('l', 1);
      await rejects(role().append('v', 2), 'WRONG_TYPE');
      await rejects(role().getRange('v', 0, -1), 'WRONG_TYPE');
      await rejects(role().getLength('v'), 'WRONG_TYPE');
      await rejects(role().get('l'), 'WRONG_TYPE');
      await rejects(role().mget(['v', 'l']), 'WRONG_TYPE');
      assert.equal(await role().get('v'), 1);
      assert.deepEqual(await role().getRange('l'), [1]);
    });

    it('are there, are listed and are deleted like values', async () => {
      await role().set('v', 1);
      await role().append('l', 1, 2);
      assert.equal(await role().exists('l'), true);
      assert.deepEqual(await role().keys(), ['l', 'v']);
      assert.deepEqual(await role().keys('l'), ['l']);
      assert.deepEqual([await role().delete('l'), await role().delete('l')], [true, false]);
      assert.deepEqual([await role().exists('l'), await role().getLength('l')], [false, 0]);
    });

    it('are replaced by a value, and begin anew after a delete', async () => {
      await role().append('a', 1, 2);
      await role().set('a', 'value');
      assert.equal(await role().get('a'), 'value');
      await role().delete('a');
      assert.equal(await role().append('a', 3), 1);
      await role().mset([['a', 'again']]);
      assert.equal(await role().get('a'), 'again');
    });

    it('are cleared with them', async () => {
      await role().set('v', 1);
      for (const index of numbers(100)) await role().append(`l${index}`, index);
      await role().clear();
      assert.deepEqual(await role().keys(), []);
      assert.equal(await role().append('l0', 'new'), 1);
    });

    it('take no lifetime', async () => {
      const withLifetime = role() as unknown as CacheBackend;
      await rejects(withLifetime.set('a', 1, 60), 'ARGUMENT_INVALID');
      const outcomes = await outcomesOf(
        withLifetime.mset([
          ['a', 1, 60],
          ['b', 2],
        ]),
      );
      assert.deepEqual(outcomes, [
        ['a', 'ARGUMENT_INVALID'],
        ['b', 'written'],
      ]);
      assert.deepEqual(await role().mget(['a', 'b']), [undefined, 2]);
    });

    it('stay for ever', async () => {
      await role().set('v', 1);
      await role().append('l', 1);
      clock().advance(200 * 365 * 86_400_000);
      assert.deepEqual([await role().get('v'), await role().getLength('l')], [1, 1]);
    });

    it('of another prefix are others', async () => {
      const other = await neighbour('other:');
      await role().append('l', 1);
      assert.equal(await other.append('l', 2), 1);
      await other.delete('l');
      assert.deepEqual(await role().getRange('l'), [1]);
    });
  });
}
