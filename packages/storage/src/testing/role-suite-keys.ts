import assert from 'node:assert/strict';
import { escapePattern } from '../key-space/key-pattern';
import { byBytes, fillMany, outcomesOf, type RoleContext } from './role-context';
import { HOSTILE_KEYS, rejects } from './suite-context';

const WRONG: readonly (readonly [what: string, key: unknown])[] = [
  ['an empty string', ''],
  ['1,025 bytes', 'x'.repeat(1_025)],
  ['1,026 bytes in 342 characters', '\u20AC'.repeat(342)],
  ['half of a surrogate pair', 'a\uD800'],
  ['a number', 7],
  ['undefined', undefined],
];

const SESSIONS = [
  'session:1',
  'session:12',
  'session:2',
  'sessions',
  'session*',
  'session?1',
  'Session:1',
  'x:session:1',
  'emoji:\u{1F600}',
];

/** With what each pattern finds of SESSIONS. */
const PATTERNS: readonly (readonly [pattern: string, found: readonly string[]])[] = [
  ['*', SESSIONS],
  ['session:*', ['session:1', 'session:12', 'session:2']],
  ['session:?', ['session:1', 'session:2']],
  ['session?1', ['session:1', 'session?1']],
  ['session\\?1', ['session?1']],
  ['session\\*', ['session*']],
  ['*:1', ['Session:1', 'session:1', 'x:session:1']],
  ['*ss*n:1*', ['Session:1', 'session:1', 'session:12', 'x:session:1']],
  ['session', []],
  ['session:1', ['session:1']],
  ['', []],
  ['session:[12]', []],
  ['session:{1,2}', []],
  ['session.1', []],
  ['session%', []],
  ['SESSION:*', []],
  ['emoji:?', ['emoji:\u{1F600}']],
  ['emoji:??', []],
];

export function describeRoleKeys({ role, neighbour, sharesAtOnce, describe, it }: RoleContext): void {
  describe('keys', () => {
    it('of every kind are kept apart, listed by their bytes and deleted', async () => {
      for (const [index, key] of HOSTILE_KEYS.entries()) await role().set(key, index);
      assert.deepEqual(await role().mget(HOSTILE_KEYS), [...HOSTILE_KEYS.keys()]);
      assert.deepEqual(await role().keys(), byBytes(HOSTILE_KEYS));
      for (const key of HOSTILE_KEYS) {
        assert.deepEqual(await role().keys(escapePattern(key)), [key]);
        assert.equal(await role().delete(key), true);
      }
      assert.deepEqual(await role().keys(), []);
    });

    for (const prefix of ['%', '_', '[a-z]', '{tag}', '\\', "'", '"', '\0', '\u{1F600}', '__proto__'])
      it(`are found by a literal beginning: ${JSON.stringify(prefix)}`, async () => {
        for (const key of [`${prefix}1`, `${prefix}2`, 'a', 'b', 'ab', '1']) await role().set(key, 1);
        assert.deepEqual(await role().keys(`${escapePattern(prefix)}*`), [`${prefix}1`, `${prefix}2`]);
      });

    for (const [what, key] of WRONG)
      it(`are refused by every operation: ${what}`, async () => {
        const wrong = key as string;
        await rejects(role().get(wrong), 'KEY_INVALID');
        await rejects(role().set(wrong, 1), 'KEY_INVALID');
        await rejects(role().delete(wrong), 'KEY_INVALID');
        await rejects(role().exists(wrong), 'KEY_INVALID');
        await rejects(role().mget(['a', wrong]), 'KEY_INVALID');
        assert.deepEqual(
          await outcomesOf(
            role().mset([
              ['a', 1],
              [wrong, 2],
            ]),
          ),
          [
            ['a', 'written'],
            [wrong, 'KEY_INVALID'],
          ],
        );
        assert.deepEqual(await role().keys(), ['a']);
      });

    for (const [pattern, found] of PATTERNS)
      it(`are found by the pattern ${JSON.stringify(pattern)}`, async () => {
        await role().mset(SESSIONS.map((key) => [key, 1] as const));
        assert.deepEqual(await role().keys(pattern), byBytes(found));
      });

    for (const pattern of ['a\\', '\uD800', 7, null])
      it(`refuse a pattern that is none: ${JSON.stringify(pattern)}`, async () => {
        await rejects(role().keys(pattern as string), 'ARGUMENT_INVALID');
      });

    it('of a pattern longer than any key are none', async () => {
      assert.deepEqual(await role().keys('x'.repeat(5_000)), []);
    });

    it('and values of more items than a page holds are read whole, found by pattern and cleared', async () => {
      const keys = await fillMany(role());
      assert.deepEqual(await role().keys(), keys);
      assert.deepEqual(
        await role().keys('item:0?1*'),
        keys.filter((key) => key[7] === '1'),
      );
      assert.deepEqual(await role().mget(keys), [...keys.keys()]);
      await role().clear();
      assert.deepEqual(await role().keys(), []);
    });
  });

  describe('prefixes', () => {
    for (const [one, other] of [
      ['a', 'ab'],
      ['a', 'a:'],
      ['app:', 'app:cache:'],
      ['', 'x'],
      ['%', '_'],
      ['a*', 'ab'],
      ['{tag}', '{tag'],
      ['A', 'a'],
      ['\u{1F600}', '\uFFFF'],
    ] as const)
      it(`keep instances apart: ${JSON.stringify(one)} and ${JSON.stringify(other)}`, async () => {
        const [first, second] = [await neighbour(one), await neighbour(other)];
        await first.set('a', 1);
        await second.set('a', 2);
        await second.set('b', 2);
        assert.deepEqual(await first.mget(['a', 'b']), [1, undefined]);
        assert.deepEqual(await first.keys('*'), ['a']);
        await first.clear();
        assert.deepEqual([await first.keys(), await second.keys()], [[], ['a', 'b']]);
        assert.equal(await first.delete('b'), false);
      });

    if (sharesAtOnce)
      it('are the same for two instances that share what they keep', async () => {
        const [first, second] = [await neighbour('same'), await neighbour('same')];
        await first.set('a', 1);
        assert.equal(await second.get('a'), 1);
        await second.delete('a');
        assert.equal(await first.exists('a'), false);
      });
  });
}
