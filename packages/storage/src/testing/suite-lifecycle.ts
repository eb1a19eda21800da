import assert from 'node:assert/strict';
import type { Backend } from '../backend';
import { at, bytes, keysOf, rejects, valueOf, type SuiteContext } from './suite-context';

const CALLS: readonly (readonly [name: string, call: (backend: Backend) => Promise<unknown>])[] = [
  ['open', (backend) => backend.open()],
  ['get', (backend) => backend.get(at('a'))],
  ['getMany', (backend) => backend.getMany([at('a')])],
  ['getMany of nothing', (backend) => backend.getMany([])],
  ['set', (backend) => backend.set(at('a'), 1)],
  ['delete', (backend) => backend.delete(at('a'))],
  ['scan', (backend) => backend.scan('p')],
  ['keys', (backend) => backend.keys('p')],
  ['partitions', (backend) => backend.partitions()],
  ['batch', (backend) => backend.batch([{ type: 'set', ...at('a'), value: 1 }])],
  ['batch of nothing', (backend) => backend.batch([])],
  ['append', (backend) => backend.append(at('a'), [1])],
  ['range', (backend) => backend.range(at('a'))],
  ['length', (backend) => backend.length(at('a'))],
  ['transact', (backend) => backend.transact([])],
  ['query', (backend) => backend.query('p', [])],
  ['publish', (backend) => backend.publish('c', 1)],
  ['subscribe', (backend) => backend.subscribe('c', () => undefined)],
  ['sweep', (backend) => backend.sweep()],
  ['stats', (backend) => backend.stats()],
];

export function describeLifecycle({
  backend,
  another,
  clock,
  describe,
  it,
  itWithAnother,
}: SuiteContext): void {
  describe('the life of a backend', () => {
    it('may be opened again while it is open, and keeps what it has', async () => {
      await backend().set(at('a'), 1);
      await Promise.all([backend().open(), backend().open()]);
      assert.equal(await valueOf(backend(), 'a'), 1);
    });

    it('may be closed twice, and at once', async () => {
      await Promise.all([backend().close(), backend().close()]);
      await backend().close();
    });

    it('ends what is under way before it closes', async () => {
      const writing = Array.from({ length: 50 }, (_, index) => backend().set(at(`k${index}`), index));
      const appending = Array.from({ length: 20 }, () => backend().append(at('l'), [1]));
      const reading = backend().scan('p');
      await backend().close();
      assert.equal((await Promise.all(writing)).filter((version) => version !== undefined).length, 50);
      assert.equal(Math.max(...(await Promise.all(appending))), 20);
      await reading;
      if (another === undefined) return;
      const second = await another();
      try {
        assert.equal((await keysOf(second)).length, 51);
      } finally {
        await second.close();
      }
    });

    for (const [name, call] of CALLS)
      it(`refuses ${name} once it is closed`, async () => {
        await backend().close();
        await rejects(call(backend()), 'CLOSED');
      });

    it('tells its health by really working, and leaves nothing behind', async () => {
      const checks = await Promise.all([backend().health(), backend().health(), backend().health(30_000)]);
      for (const { healthy, latencyMs, error } of checks) {
        assert.equal(error, undefined);
        assert.equal(healthy, true);
        assert.ok(latencyMs >= 0);
      }
      assert.deepEqual((await backend().partitions()).items, []);
      assert.equal((await backend().stats()).items, 0);
    });

    it('is not healthy once it is closed, and says so instead of rejecting', async () => {
      await backend().close();
      const { healthy, error } = await backend().health();
      assert.deepEqual([healthy, (error as { code?: unknown }).code], [false, 'CLOSED']);
    });

    it('counts what is there', async () => {
      assert.equal((await backend().stats()).items, 0);
      await backend().set(at('a'), 'x'.repeat(1_000));
      await backend().set(at('a'), 'x'.repeat(1_000));
      await backend().set(at('b', 'q'), bytes(1));
      await backend().append(at('l'), [1, 2, 3]);
      const { items, isCapped } = await backend().stats();
      assert.deepEqual([items, isCapped], [3, false]);
      await backend().delete(at('a'));
      await backend().delete(at('l'));
      assert.equal((await backend().stats()).items, 1);
    });

    it('counts 250, or says where it stops counting', async () => {
      await backend().batch(
        Array.from({ length: 250 }, (_, index) => ({ type: 'set', ...at(`k${index}`), value: 1 })),
      );
      const { items, isCapped } = await backend().stats();
      assert.ok(isCapped ? items <= 250 : items === 250, `It counts ${items}, and says that these are all.`);
    });

    itWithAnother('shares what is written with another instance', async (another) => {
      const version = await backend().set(at('a'), { x: 1 });
      await backend().append(at('l'), [1]);
      const second = await another();
      try {
        assert.deepEqual(await second.get(at('a')), { type: 'value', key: 'a', value: { x: 1 }, version });
        assert.equal(await second.append(at('l'), [2]), 2);
        assert.deepEqual(await backend().range(at('l')), [1, 2]);
        await rejects(second.set(at('a'), 2, { ifVersion: 'other' }), 'CONFLICT');
      } finally {
        await second.close();
      }
    });

    itWithAnother('keeps what was written, and what is to expire, beyond its end', async (another) => {
      await backend().set(at('a'), bytes(1), { expiresAt: clock().now() + 10 });
      await backend().set(at('b'), { x: '\0' });
      await backend().append(at('l'), [1]);
      await backend().close();
      clock().advance(10);
      const second = await another();
      try {
        assert.deepEqual(await keysOf(second), ['b', 'l']);
        assert.deepEqual(await valueOf(second, 'b'), { x: '\0' });
      } finally {
        await second.close();
      }
    });
  });
}
