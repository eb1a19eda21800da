import assert from 'node:assert/strict';
import { outcomesOf, type RoleContext } from './role-context';
import { rejects } from './suite-context';

const KEPT: readonly (readonly [what: string, value: unknown])[] = [
  ['null', null],
  ['false', false],
  ['zero', 0],
  ['an empty string', ''],
  ['an empty array', []],
  ['an empty object', {}],
  ['a string that is a number', '12'],
  ['a string that is JSON text', '{"a":1}'],
  ['nested arrays and objects', { a: [{ b: [[], {}, null] }] }],
  ['NUL and half surrogates', { 'a\0': '\0\uD800' }],
  ['names that objects are born with', JSON.parse('{"__proto__":{"a":1},"constructor":2}')],
  ['a member called toJSON that is no function', { toJSON: 'x' }],
  ['bytes', Uint8Array.of(0, 255)],
];

class Money {
  constructor(readonly amount = 1) {}
  toJSON(): number {
    return this.amount;
  }
}

const circular: Record<string, unknown> = {};
circular['self'] = circular;

const REFUSED: readonly (readonly [what: string, value: unknown, path: string])[] = [
  ['undefined', undefined, 'The value is'],
  ['undefined in an object', { user: { name: undefined } }, '"/user/name"'],
  ['a Date', { at: new Date(0) }, '"/at"'],
  ['a bigint', [1n], '"/0"'],
  ['NaN', { n: NaN }, '"/n"'],
  ['Infinity', { n: Infinity }, '"/n"'],
  ['a Map', { m: new Map() }, '"/m"'],
  ['a Set', { s: new Set() }, '"/s"'],
  ['an instance of a class, with toJSON or not', { price: new Money() }, '"/price"'],
  ['a plain object with a toJSON function', { a: { toJSON: () => 1 } }, '"/a/toJSON"'],
  ['a function', { f: () => 1 }, '"/f"'],
  ['a hole in an array', [1, , 3], '"/1"'],
  ['bytes within JSON', { raw: Uint8Array.of(1) }, '"/raw"'],
  ['an array of a class', { rows: new (class Rows extends Array {})() }, '"/rows"'],
  ['members of an array besides its elements', { a: Object.assign([1], { total: 1 }) }, '"/a"'],
  ['a member under a symbol', { a: { [Symbol('s')]: 1 } }, '"/a"'],
  ['a member that is not enumerable', Object.defineProperty({}, 'c', { value: 2 }), 'The value is'],
  ['an object within itself', circular, '"/self/self'],
];

export function describeRoleValues({ role, describe, it }: RoleContext): void {
  describe('values', () => {
    for (const [what, value] of KEPT)
      it(`come back as they were, alone and among others: ${what}`, async () => {
        await role().set('a', value);
        await role().mset([['b', value]]);
        assert.deepEqual(await role().get('a'), value);
        assert.deepEqual(await role().mget(['b', 'none', 'a']), [value, undefined, value]);
        assert.equal(await role().exists('a'), true);
      });

    for (const [what, value, path] of REFUSED)
      it(`are refused with the path rather than changed: ${what}`, async () => {
        const { message } = await rejects(role().set('a', value), 'VALUE_INVALID');
        assert.ok(message.includes(path), message);
        assert.deepEqual(await outcomesOf(role().mset([['a', value]])), [['a', 'VALUE_INVALID']]);
        assert.equal(await role().exists('a'), false);
      });

    it('are copies on the way in and on the way out', async () => {
      const given = { list: [1] };
      const setting = [role().set('a', given), role().mset([['b', given]])];
      given.list.push(2);
      await Promise.all(setting);
      given.list.push(3);
      assert.deepEqual(await role().mget(['a', 'b']), [{ list: [1] }, { list: [1] }]);
      const found = (await role().get('a')) as { list: number[] };
      found.list.push(4);
      assert.equal(((await role().get('a')) as { list: number[] }).list.includes(4), false);
      const [one, same] = (await role().mget(['a', 'a'])) as { list: number[] }[];
      one!.list.push(5);
      assert.equal(same!.list.includes(5), false);
    });

    it('are replaced, also by null and by another type', async () => {
      for (const value of [{ a: 1 }, 'text', null, 7]) {
        await role().set('a', value);
        assert.deepEqual(await role().get('a'), value);
      }
    });

    it('that are not there are undefined, and so told from null', async () => {
      await role().set('null', null);
      assert.deepEqual(await role().mget(['null', 'none']), [null, undefined]);
      assert.equal(await role().get('none'), undefined);
      assert.deepEqual([await role().exists('null'), await role().exists('none')], [true, false]);
    });

    it('are deleted once', async () => {
      await role().set('a', null);
      assert.deepEqual([await role().delete('a'), await role().delete('a')], [true, false]);
      assert.equal(await role().get('a'), undefined);
      assert.equal(await role().delete('none'), false);
    });
  });
}
