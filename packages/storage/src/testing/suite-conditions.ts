import assert from 'node:assert/strict';
import { at, MOST_TRIES, rejects, type SuiteContext, valueOf } from './suite-context';

export function describeConditions({ backend, describe, it }: SuiteContext): void {
  describe('conditions', () => {
    it('let a version be read, and change with every write', async () => {
      const first = await backend().set(at('a'), 1);
      assert.equal((await backend().get(at('a')))?.version, first);
      const second = await backend().set(at('a'), 1);
      assert.notEqual(second, first);
      await backend().delete(at('a'));
      const third = await backend().set(at('a'), 1);
      assert.equal(new Set([first, second, third, undefined]).size, 4);
    });

    it('write where nothing is, and only there', async () => {
      assert.notEqual(await backend().set(at('a'), 1, { ifAbsent: true }), undefined);
      assert.equal(await backend().set(at('a'), 2, { ifAbsent: true }), undefined);
      assert.equal(await valueOf(backend(), 'a'), 1);
      await backend().append(at('l'), [1]);
      assert.equal(await backend().set(at('l'), 2, { ifAbsent: true }), undefined);
      assert.equal(await backend().length(at('l')), 1);
    });

    it('write over the version that is named, and no other', async () => {
      const first = (await backend().set(at('a'), 1))!;
      const second = (await backend().set(at('a'), 2, { ifVersion: first }))!;
      await rejects(backend().set(at('a'), 3, { ifVersion: first }), 'CONFLICT');
      await rejects(backend().set(at('none'), 3, { ifVersion: second }), 'CONFLICT');
      assert.equal(await valueOf(backend(), 'a'), 2);
      assert.equal(await backend().get(at('none')), undefined);
    });

    it('delete the version that is named, and no other', async () => {
      const first = (await backend().set(at('a'), 1))!;
      const second = (await backend().set(at('a'), 2))!;
      await rejects(backend().delete(at('a'), { ifVersion: first }), 'CONFLICT');
      assert.equal(await valueOf(backend(), 'a'), 2);
      assert.equal(await backend().delete(at('a'), { ifVersion: second }), true);
      assert.equal(await backend().delete(at('a'), { ifVersion: second }), false);
    });

    it('recognise a write that is made again', async () => {
      const [first, second] = ['v-first', 'v-second'];
      assert.equal(await backend().set(at('a'), 1, { version: first, ifAbsent: true }), first);
      assert.equal(await backend().set(at('a'), 1, { version: first, ifAbsent: true }), first);
      assert.equal(await backend().set(at('a'), 2, { version: second, ifVersion: first }), second);
      assert.equal(await backend().set(at('a'), 2, { version: second, ifVersion: first }), second);
      await rejects(backend().set(at('a'), 1, { version: 'v-third', ifVersion: first }), 'CONFLICT');
      assert.equal((await backend().get(at('a')))?.version, second);
    });

    it('exclude each other', async () => {
      await rejects(backend().set(at('a'), 1, { ifAbsent: true, ifVersion: 'v' }), 'ARGUMENT_INVALID');
    });

    for (const version of ['', ' ', 'ü', 'a\0', 'v'.repeat(65), 7])
      it(`refuse what cannot be a version: ${JSON.stringify(version).slice(0, 20)}`, async () => {
        const wrong = version as string;
        await rejects(backend().set(at('a'), 1, { version: wrong }), 'ARGUMENT_INVALID');
        await rejects(backend().set(at('a'), 1, { ifVersion: wrong }), 'ARGUMENT_INVALID');
        await rejects(backend().delete(at('a'), { ifVersion: wrong }), 'ARGUMENT_INVALID');
        await rejects(backend().append(at('a'), [1], { version: wrong }), 'ARGUMENT_INVALID');
      });

    it('let one of many win who write where nothing is', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) => backend().set(at('a'), index, { ifAbsent: true })),
      );
      const winners = outcomes.flatMap((version, index) => (version === undefined ? [] : [index]));
      assert.equal(winners.length, 1);
      assert.equal(await valueOf(backend(), 'a'), winners[0]);
    });

    it('lose no increment of many who count by compare-and-set', async () => {
      await backend().set(at('n'), 0);
      const increment = async (): Promise<void> => {
        for (let tries = 0; ; tries += 1) {
          assert.ok(tries < MOST_TRIES, 'Every write over what was just read is a conflict.');
          const item = (await backend().get(at('n')))!;
          const outcome = await backend()
            .set(at('n'), (item.value as number) + 1, { ifVersion: item.version })
            .catch((error: unknown) => (error as { code?: string }).code);
          if (outcome !== 'CONFLICT') return;
        }
      };
      await Promise.all(Array.from({ length: 12 }, increment));
      assert.equal(await valueOf(backend(), 'n'), 12);
    });

    it('let one of many delete who name its version', async () => {
      const ifVersion = (await backend().set(at('a'), 1))!;
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, () => backend().delete(at('a'), { ifVersion })),
      );
      assert.deepEqual(
        outcomes.filter((isDeleted) => isDeleted),
        [true],
      );
    });

    it('let one of two delete', async () => {
      await backend().set(at('a'), 1);
      const outcomes = await Promise.all([backend().delete(at('a')), backend().delete(at('a'))]);
      assert.deepEqual(outcomes.sort(), [false, true]);
    });
  });
}
