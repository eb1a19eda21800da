import assert from 'node:assert/strict';
import type { CacheBackend } from '../cache/cache-backend';
import { openRoles } from './open-roles';
import { outcomesOf, type OpenRole, type RoleContext } from './role-context';
import { describeRoleBatches } from './role-suite-batches';
import { describeRoleKeys } from './role-suite-keys';
import { describeRoleLifecycle } from './role-suite-lifecycle';
import { describeRoleValues } from './role-suite-values';
import { rejects } from './suite-context';
import { globalFramework, type TestFramework } from './test-framework';

export interface DescribeRoleOptions {
  /** Of a test runner that puts `describe`, `it`, `beforeEach` and `afterEach` not among the globals. */
  readonly framework?: TestFramework;
  /** Whether an instance sees at once what another one of the same prefix has written: true unless given. */
  readonly sharesAtOnce?: boolean;
}

/**
 * The conformance suite of a cache.
 *
 * @param open called before each test; resolves to what makes instances of a prefix on one empty backend. They take
 *   their time from `clock`
 * @example
 * describeCache('memory', async (clock) => {
 *   const backend = createMemoryBackend({ clock, sweepIntervalMs: 0 });
 *   return async (keyPrefix) => createCacheBackend(backend, { keyPrefix, clock });
 * });
 */
export function describeCache(
  name: string,
  open: OpenRole<CacheBackend>,
  { framework = globalFramework(), sharesAtOnce = true }: DescribeRoleOptions = {},
): void {
  framework.describe(`${name} as a cache`, () => {
    const context = openRoles({ framework, open, sharesAtOnce });
    describeRoleLifecycle(context);
    describeRoleValues(context);
    describeRoleKeys(context);
    describeRoleBatches(context);
    describeLifetimes(context);
  });
}

function describeLifetimes({ role, clock, describe, it }: RoleContext<CacheBackend>): void {
  describe('lifetimes', () => {
    it('end on the very millisecond, for every operation', async () => {
      await role().set('a', 1, 3_600);
      clock().advance(3_599_999);
      assert.deepEqual([await role().get('a'), await role().keys()], [1, ['a']]);
      clock().advance(1);
      assert.equal(await role().get('a'), undefined);
      assert.deepEqual(await role().mget(['a']), [undefined]);
      assert.equal(await role().exists('a'), false);
      assert.deepEqual(await role().keys(), []);
      assert.deepEqual(await role().keys('a'), []);
      assert.equal(await role().delete('a'), false);
    });

    it('may have up to three decimals', async () => {
      for (const seconds of [0.001, 0.1, 1.005, 0.3, 2.999]) {
        await role().set('a', seconds, seconds);
        clock().advance(Math.round(seconds * 1_000) - 1);
        assert.equal(await role().get('a'), seconds);
        clock().advance(1);
        assert.equal(await role().get('a'), undefined);
      }
    });

    for (const ttl of [
      0,
      -0,
      -1,
      NaN,
      Infinity,
      -Infinity,
      0.000_1,
      1 / 3,
      3_155_760_001,
      1.7e12,
      '60',
      null,
      true,
      {},
    ])
      it(`are refused when they are none: ${typeof ttl === 'number' ? ttl : JSON.stringify(ttl)}`, async () => {
        await role().set('a', 'kept');
        await rejects(role().set('a', 1, ttl as number), 'ARGUMENT_INVALID');
        assert.deepEqual(
          await outcomesOf(
            role().mset([
              ['a', 2, ttl as number],
              ['b', 3, 60],
            ]),
          ),
          [
            ['a', 'ARGUMENT_INVALID'],
            ['b', 'written'],
          ],
        );
        assert.deepEqual(await role().mget(['a', 'b']), ['kept', 3]);
      });

    it('of 100 years are the longest', async () => {
      await role().set('a', 1, 3_155_760_000);
      clock().advance(3_155_759_999_999);
      assert.equal(await role().get('a'), 1);
      clock().advance(1);
      assert.equal(await role().get('a'), undefined);
    });

    it('belong to each of several', async () => {
      await role().mset([
        ['short', 1, 1],
        ['long', 2, 10],
        ['ever', 3],
        ['undefined', 4, undefined],
      ]);
      clock().advance(1_000);
      assert.deepEqual(await role().keys(), ['ever', 'long', 'undefined']);
      clock().advance(1e12);
      assert.deepEqual(await role().keys(), ['ever', 'undefined']);
    });

    it('are taken away by several that have none', async () => {
      await role().set('a', 1, 1);
      await role().mset([['a', 2]]);
      clock().advance(1_000);
      assert.equal(await role().get('a'), 2);
    });

    it('are replaced with the value, and taken away with it', async () => {
      await role().set('a', 1, 1);
      await role().set('a', 2, 10);
      clock().advance(1_000);
      assert.equal(await role().get('a'), 2);
      await role().set('a', 3);
      clock().advance(1e12);
      assert.equal(await role().get('a'), 3);
    });

    it('are not extended by reading', async () => {
      await role().set('a', 1, 1);
      for (let elapsed = 0; elapsed < 1_000; elapsed += 250) {
        assert.equal(await role().get('a'), 1);
        clock().advance(250);
      }
      assert.equal(await role().get('a'), undefined);
    });

    it('of a refused value leave what was there', async () => {
      await role().set('a', 1, 10);
      await rejects(role().set('a', undefined, 1), 'VALUE_INVALID');
      clock().advance(5_000);
      assert.equal(await role().get('a'), 1);
    });
  });
}
