import assert from 'node:assert/strict';
import type { Address, Write } from '../backend';
import { at, HOSTILE_KEYS, keysOf, pages, rejects, valueOf, type SuiteContext } from './suite-context';

const WRONG: readonly (readonly [what: string, name: unknown])[] = [
  ['empty', ''],
  ['a number', 1],
  ['undefined', undefined],
  ['of 1,025 bytes', 'x'.repeat(1_025)],
  ['of 513 characters of two bytes', 'é'.repeat(513)],
  ['half of a surrogate pair', 'a\uD83D'],
];

export function describeKeys({ backend, describe, it }: SuiteContext): void {
  describe('keys', () => {
    it('of every kind are told apart, as keys and as partitions', async () => {
      for (const [index, name] of HOSTILE_KEYS.entries()) {
        await backend().set(at(name), index);
        await backend().set(at('k', name), index);
        await backend().append(at('list', name), [index]);
      }
      for (const [index, name] of HOSTILE_KEYS.entries()) {
        assert.equal(await valueOf(backend(), name), index, JSON.stringify(name));
        assert.equal(await valueOf(backend(), 'k', name), index, JSON.stringify(name));
        assert.deepEqual(await backend().range(at('list', name)), [index], JSON.stringify(name));
        assert.deepEqual(await keysOf(backend(), {}, name), ['k', 'list']);
      }
      const byBytes = [...HOSTILE_KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(await keysOf(backend()), byBytes);
      const names = await pages((after) => backend().partitions('', after === undefined ? {} : { after }));
      assert.deepEqual(
        names,
        [...HOSTILE_KEYS, 'p'].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      );
      for (const name of HOSTILE_KEYS) assert.equal(await backend().delete(at(name)), true);
      assert.deepEqual(await keysOf(backend()), []);
    });

    for (const separator of ['', ':', '\0', '/', '\x1F'])
      it(`and partitions do not run together: ${JSON.stringify(separator)} between them`, async () => {
        const addresses = [at(`b${separator}c`, 'a'), at('c', `a${separator}b`)];
        for (const [index, address] of addresses.entries()) await backend().set(address, index);
        const items = await backend().getMany(addresses);
        assert.deepEqual(
          items.map((item) => item?.value),
          [0, 1],
        );
        assert.deepEqual(await keysOf(backend(), {}, 'a'), [`b${separator}c`]);
        assert.deepEqual(await keysOf(backend(), {}, `a${separator}b`), ['c']);
        assert.equal(await backend().delete(addresses[0]!), true);
        assert.equal(await valueOf(backend(), 'c', `a${separator}b`), 1);
      });

    for (const length of [63, 255, 1_000])
      it(`that differ only after ${length} characters are two, as keys and as partitions`, async () => {
        const names = ['a', 'b'].map((end) => 'x'.repeat(length) + end);
        for (const name of names) {
          await backend().set(at(name), name);
          await backend().set(at('k', name), name);
          await backend().append(at('l', name), [name]);
        }
        for (const name of names) {
          assert.equal(await valueOf(backend(), name), name);
          assert.equal(await valueOf(backend(), 'k', name), name);
          assert.deepEqual(await backend().range(at('l', name)), [name]);
        }
        assert.deepEqual(await keysOf(backend(), { limit: 1 }), names);
        assert.deepEqual((await backend().partitions('x')).items, names);
      });

    for (const [what, name] of WRONG)
      it(`are refused by every operation: ${what}`, async () => {
        for (const address of [at(name as string), { partition: name as string, key: 'k' }]) {
          await rejects(backend().get(address), 'KEY_INVALID');
          await rejects(backend().getMany([at('a'), address]), 'KEY_INVALID');
          await rejects(backend().set(address, 1), 'KEY_INVALID');
          await rejects(backend().delete(address), 'KEY_INVALID');
          await rejects(backend().append(address, [1]), 'KEY_INVALID');
          await rejects(backend().range(address), 'KEY_INVALID');
          await rejects(backend().length(address), 'KEY_INVALID');
        }
        await rejects(backend().scan(name as string), 'KEY_INVALID');
        await rejects(backend().keys(name as string), 'KEY_INVALID');
        assert.deepEqual(await keysOf(backend()), []);
      });

    it('are refused where an address is none at all', async () => {
      for (const none of [{}, undefined, null, 'a'] as Address[]) {
        await rejects(backend().get(none), 'KEY_INVALID');
        await rejects(backend().set(none, 1), 'KEY_INVALID');
        const [outcome] = await backend().batch([none as Write]);
        assert.equal((outcome as { error?: { code?: unknown } }).error?.code, 'KEY_INVALID');
      }
    });
  });
}
