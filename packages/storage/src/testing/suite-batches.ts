import assert from 'node:assert/strict';
import type { Write } from '../backend';
import { at, bytes, keysOf, rejects, valueOf, type SuiteContext } from './suite-context';

export function describeBatches({ backend, clock, describe, it }: SuiteContext): void {
  describe('batches', () => {
    it('read many at once, in the order asked for, with what is missing and what comes twice', async () => {
      await backend().set(at('a'), 1);
      await backend().set(at('b', 'q'), bytes(2));
      const found = await backend().getMany([at('b', 'q'), at('none'), at('a'), at('a'), at('b')]);
      assert.deepEqual(
        found.map((item) => item?.value),
        [bytes(2), undefined, 1, 1, undefined],
      );
      assert.deepEqual(await backend().getMany([]), []);
    });

    it('write many at once and say of each what became of it', async () => {
      const version = (await backend().set(at('there'), 0))!;
      await backend().set(at('gone'), 0);
      const outcomes = await backend().batch([
        { type: 'set', ...at('new'), value: 1 },
        { type: 'set', ...at('there', 'q'), value: bytes(1), ifAbsent: true },
        { type: 'set', ...at('there'), value: 2, ifVersion: version },
        { type: 'append', ...at('l'), values: [1, 2] },
        { type: 'delete', ...at('gone') },
        { type: 'delete', ...at('never') },
      ]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['written', 'written', 'written', 'written', 'deleted', 'missing'],
      );
      assert.equal((outcomes[3] as { length?: number }).length, 2);
      assert.equal((await backend().get(at('new')))?.version, (outcomes[0] as { version: string }).version);
      assert.deepEqual(await keysOf(backend()), ['l', 'new', 'there']);
      assert.deepEqual(await backend().batch([]), []);
    });

    it('let one bad item fail alone, each kind with its own code', async () => {
      await backend().set(at('value'), 0);
      const bad: readonly (readonly [Write, string])[] = [
        [{ type: 'set', ...at(''), value: 1 }, 'KEY_INVALID'],
        [{ type: 'set', ...at('b1'), value: { x: undefined } as never }, 'VALUE_INVALID'],
        [{ type: 'set', ...at('b2'), value: 1, expiresAt: clock().now() }, 'ARGUMENT_INVALID'],
        [{ type: 'set', ...at('b3'), value: 1, ifVersion: 'other' }, 'CONFLICT'],
        [{ type: 'append', ...at('value'), values: [1] }, 'WRONG_TYPE'],
        [{ type: 'append', ...at('b4'), values: [] }, 'ARGUMENT_INVALID'],
        [{ type: 'delete', ...at('value'), ifVersion: 'other' }, 'CONFLICT'],
        [{ type: 'upsert', ...at('b5') } as never, 'ARGUMENT_INVALID'],
      ];
      const writes = bad.flatMap(([write], index): Write[] => [
        { type: 'set', ...at(`good${index}`), value: index },
        write,
      ]);
      const outcomes = await backend().batch(writes);
      for (const [index, [, code]] of bad.entries()) {
        assert.equal(outcomes[2 * index]?.status, 'written');
        const failed = outcomes[2 * index + 1];
        assert.equal(failed?.status, 'failed');
        assert.equal((failed as { error: { code?: unknown } }).error.code, code);
        assert.equal(await valueOf(backend(), `good${index}`), index);
      }
      assert.equal(await valueOf(backend(), 'value'), 0);
    });

    it('apply writes to one key in their order', async () => {
      const outcomes = await backend().batch([
        { type: 'set', ...at('a'), value: 1 },
        { type: 'set', ...at('a'), value: 2, ifAbsent: true },
        { type: 'delete', ...at('a') },
        { type: 'append', ...at('a'), values: [3] },
        { type: 'append', ...at('a'), values: [4] },
        { type: 'set', ...at('b'), value: 1 },
        { type: 'set', ...at('b'), value: 2 },
      ]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['written', 'exists', 'deleted', 'written', 'written', 'written', 'written'],
      );
      assert.deepEqual(await backend().range(at('a')), [3, 4]);
      assert.equal(await valueOf(backend(), 'b'), 2);
    });

    it('take 1,000 and refuse 1,001', async () => {
      const writes = Array.from({ length: 1_001 }, (_, index): Write => ({
        type: 'set',
        ...at(`k${index}`),
        value: index,
      }));
      await rejects(backend().batch(writes), 'ARGUMENT_INVALID');
      await rejects(backend().getMany(writes), 'ARGUMENT_INVALID');
      const outcomes = await backend().batch(writes.slice(1));
      assert.ok(outcomes.every(({ status }) => status === 'written'));
      const found = await backend().getMany(writes.slice(1));
      assert.ok(found.every((item, index) => item?.value === index + 1));
    });
  });
}
