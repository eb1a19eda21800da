import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { at, keysOf, pages, rejects, valueOf, type SuiteContext } from './suite-context';

export function describeExpiry({ backend, clock, describe, it, itCan }: SuiteContext): void {
  describe('expiry', () => {
    it('hides an item from its very instant on, from every operation', async () => {
      const expiresAt = clock().now() + 1_000;
      await backend().set(at('a'), 1, { expiresAt });
      await backend().append(at('l'), [1], { expiresAt });
      clock().advance(999);
      assert.equal((await backend().get(at('a')))?.expiresAt, expiresAt);
      assert.deepEqual(await keysOf(backend()), ['a', 'l']);
      assert.equal((await backend().stats()).items, 2);
      clock().advance(1);
      assert.equal(await backend().get(at('a')), undefined);
      assert.deepEqual(await backend().getMany([at('a')]), [undefined]);
      assert.deepEqual(await backend().range(at('l')), []);
      assert.equal(await backend().length(at('l')), 0);
      assert.deepEqual(await keysOf(backend()), []);
      assert.deepEqual((await backend().partitions()).items, []);
      assert.equal((await backend().stats()).items, 0);
      assert.equal(await backend().delete(at('a')), false);
      assert.equal(await backend().delete(at('l')), false);
    });

    it('lets what is written anew begin anew', async () => {
      const expiresAt = clock().now() + 10;
      await backend().set(at('a'), 1, { expiresAt });
      await backend().append(at('l'), [1, 2], { expiresAt });
      await backend().append(at('m'), [1], { expiresAt });
      clock().advance(10);
      assert.notEqual(await backend().set(at('a'), 2, { ifAbsent: true }), undefined);
      assert.equal(await backend().append(at('l'), [3]), 1);
      await backend().set(at('m'), 'a value now');
      assert.deepEqual(await backend().range(at('l')), [3]);
      clock().advance(1_000_000);
      assert.equal(await valueOf(backend(), 'a'), 2);
      assert.equal(await backend().length(at('l')), 1);
    });

    it('is replaced or taken away with the value', async () => {
      const now = clock().now();
      await backend().set(at('longer'), 1, { expiresAt: now + 10 });
      await backend().set(at('longer'), 2, { expiresAt: now + 100 });
      await backend().set(at('shorter'), 1, { expiresAt: now + 100 });
      await backend().set(at('shorter'), 2, { expiresAt: now + 10 });
      await backend().set(at('forever'), 1, { expiresAt: now + 10 });
      await backend().set(at('forever'), 2);
      clock().advance(10);
      assert.deepEqual(await keysOf(backend()), ['forever', 'longer']);
      clock().advance(90);
      assert.deepEqual(await keysOf(backend()), ['forever']);
      assert.deepEqual(Object.keys((await backend().get(at('forever')))!).includes('expiresAt'), false);
    });

    it('of a list stays unless an append says otherwise', async () => {
      const now = clock().now();
      await backend().append(at('kept'), [1], { expiresAt: now + 10 });
      await backend().append(at('kept'), [2]);
      await backend().append(at('moved'), [1], { expiresAt: now + 10 });
      await backend().append(at('moved'), [2], { expiresAt: now + 20 });
      clock().advance(10);
      assert.equal(await backend().length(at('kept')), 0);
      assert.equal(await backend().length(at('moved')), 2);
      clock().advance(10);
      assert.equal(await backend().length(at('moved')), 0);
    });

    it('fails conditions on what has expired', async () => {
      const version = await backend().set(at('a'), 1, { expiresAt: clock().now() + 1 });
      clock().advance(1);
      await rejects(backend().set(at('a'), 2, { ifVersion: version! }), 'CONFLICT');
      assert.equal(await backend().delete(at('a'), { ifVersion: version! }), false);
    });

    it('is not extended by reading', async () => {
      await backend().set(at('a'), 1, { expiresAt: clock().now() + 10 });
      clock().advance(9);
      await backend().get(at('a'));
      clock().advance(1);
      assert.equal(await backend().get(at('a')), undefined);
    });

    for (const [what, offset] of [
      ['now', 0],
      ['the past', -1],
      ['a fraction', 0.5],
      ['NaN', NaN],
      ['Infinity', Infinity],
      ['no integer that a number can hold', 2 ** 60],
    ] as const)
      it(`is refused where it is ${what}`, async () => {
        const expiresAt = clock().now() + offset;
        await rejects(backend().set(at('a'), 1, { expiresAt }), 'ARGUMENT_INVALID');
        await rejects(backend().append(at('a'), [1], { expiresAt }), 'ARGUMENT_INVALID');
        await rejects(
          backend().set(at('a'), 1, { expiresAt: String(clock().now() + 9) as never }),
          'ARGUMENT_INVALID',
        );
        assert.deepEqual(await keysOf(backend()), []);
      });

    it('at the farthest instant is none for a long time', async () => {
      const expiresAt = Number.MAX_SAFE_INTEGER;
      await backend().set(at('a'), 1, { expiresAt });
      clock().advance(1_000 * 365 * 86_400_000);
      assert.equal((await backend().get(at('a')))?.expiresAt, expiresAt);
    });

    it('lets pages be read over what has expired in between', async () => {
      for (let index = 0; index < 40; index += 1)
        await backend().set(at(`k${String(index).padStart(2, '0')}`), index, {
          ...(index % 4 === 0 ? {} : { expiresAt: clock().now() + 5 }),
        });
      clock().advance(5);
      const found = await pages((after) =>
        backend().scan('p', { limit: 3, ...(after === undefined ? {} : { after }) }),
      );
      assert.equal(found.length, 10);
    });

    it('gives space back in steps of the size that is asked for', async () => {
      const expiresAt = clock().now() + 1;
      for (let index = 0; index < 7; index += 1) await backend().set(at(`k${index}`), 1, { expiresAt });
      await backend().append(at('l'), [1, 2, 3], { expiresAt });
      await backend().set(at('kept'), 1);
      assert.equal(await backend().sweep(5), 0);
      clock().advance(1);
      // An engine with an expiry of its own may have been there before.
      let steps = 0;
      for (let swept = await backend().sweep(5); swept > 0; swept = await backend().sweep(5)) {
        assert.ok(swept <= 5);
        steps += 1;
        // Here, since sweeping that never ends may never let go of the thread.
        assert.ok(steps <= 8, 'It goes on sweeping.');
      }
      assert.deepEqual(await keysOf(backend()), ['kept']);
      clock().advance(-1);
      // An index of the engine by which it is found may follow a little later.
      for (let tries = 0; tries < 20 && (await keysOf(backend())).length > 1; tries += 1) {
        await pause(100);
        clock().advance(1);
        await backend().sweep(5);
        clock().advance(-1);
      }
      assert.deepEqual(await keysOf(backend()), ['kept'], 'What was swept is gone.');
    });

    it('is swept as far as was asked for, and every item that is gone is told', async () => {
      // So long that no engine drops an item by itself meanwhile.
      const lifeMs = 3_600_000;
      const expiresAt = clock().now() + lifeMs;
      for (let index = 0; index < 7; index += 1) await backend().set(at(`k${index}`), 1, { expiresAt });
      clock().advance(lifeMs);
      const countLeft = async (): Promise<number> => {
        clock().advance(-1);
        const { length } = await keysOf(backend());
        clock().advance(1);
        return length;
      };
      let left = await countLeft();
      assert.equal(left, 7, 'What has expired is there until it is swept.');
      // An index of the engine by which it is found may follow a little later.
      for (let tries = 0; left > 0; tries += 1) {
        assert.ok(tries < 30, `${left} of 7 are never swept.`);
        if (tries > 3) await pause(100);
        const swept = await backend().sweep(3);
        assert.ok(swept <= 3);
        const before: number = left;
        left = await countLeft();
        assert.equal(before - left, swept, 'Others are gone than it told.');
      }
    });

    itCan('query', 'hides an item from queries', async () => {
      await backend().set(at('a'), { x: 1 }, { expiresAt: clock().now() + 1 });
      const filter = [{ path: ['x'], equals: 1 }];
      assert.equal((await backend().query('p', filter)).items.length, 1);
      clock().advance(1);
      assert.deepEqual((await backend().query('p', filter)).items, []);
    });
  });
}
