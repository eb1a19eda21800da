import assert from 'node:assert/strict';
import type { JsonValue } from '../json-value';
import { at, bytes, rejects, valueOf, type SuiteContext } from './suite-context';

const KEPT: readonly (readonly [what: string, value: JsonValue])[] = [
  ['null', null],
  ['false', false],
  ['zero', 0],
  ['an empty string', ''],
  ['an empty array', []],
  ['an empty object', {}],
  ['a string that is JSON text', '{"a":1}'],
  ['a string that is a number', '12'],
  [
    'numbers at the ends of their range',
    [5e-324, -1.7976931348623157e308, 9007199254740993, 0.1, 1e21, -1e-7],
  ],
  ['nested arrays and objects', { a: [{ b: [[], {}, null] }], c: { d: { e: 'f' } } }],
  ['strings in many scripts', ['é', 'e\u0301', '\u{1F600}', '\u202E', '\uFFFF', '日本語']],
  ['NUL in strings and names', { 'a\0b': 'c\0d' }],
  ['lone surrogates in strings and names', { '\uD800': '\uDFFF', b: ['x\uD83D'] }],
  ['text that looks like an escape', ['\\u0000', '\\', '\\\\u0000', '"\\"', '\\ud800']],
  [
    'the names of members that objects are born with',
    JSON.parse('{"__proto__":{"a":1},"constructor":2}') as JsonValue,
  ],
  ['an empty name', { '': { '': 1 } }],
  ['names of every kind', { 'a.b': 1, $where: 2, 'a b': 3, '0': 4, _id: 5, toJSON: 'x' }],
  ['objects and arrays that are frozen', Object.freeze({ a: Object.freeze([1]) })],
  ['500 levels', nest(500)],
  ['a string of 100,000 characters', 'ä\n"'.repeat(33_333)],
];

function nest(levels: number): JsonValue {
  let value: JsonValue = [];
  for (let level = 1; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const circular: Record<string, unknown> = {};
circular['self'] = circular;

const withoutPrototype: object = Object.setPrototypeOf({ b: 1 }, null) as object;

const REFUSED: readonly (readonly [what: string, value: unknown, path: string])[] = [
  ['undefined', undefined, 'The value is'],
  ['undefined in an object', { a: [{ b: undefined }] }, '"/a/0/b"'],
  ['a hole in an array', [1, , 3], '"/1"'],
  ['a Date', { at: new Date(0) }, '"/at"'],
  ['a bigint', { n: 1n }, '"/n"'],
  ['NaN', [NaN], '"/0"'],
  ['Infinity', { a: -Infinity }, '"/a"'],
  ['a function', { f: () => 1 }, '"/f"'],
  ['a symbol', { s: Symbol('s') }, '"/s"'],
  ['a Map', { 'a/b': new Map() }, '"/a~1b"'],
  ['bytes within JSON', { raw: new Uint8Array(1) }, '"/raw"'],
  [
    'an object of a class',
    new (class Money {
      amount = 1;
    })(),
    'The value is',
  ],
  ['an array of a class', { rows: new (class Rows extends Array {})() }, '"/rows"'],
  ['members of an array besides its elements', [Object.assign([1], { total: 1 })], '"/0"'],
  ['what a regular expression finds', { found: /b/.exec('abc') }, '"/found"'],
  ['a member under a symbol', { a: { [Symbol('s')]: 1 } }, '"/a"'],
  ['an element under a symbol', { a: Object.assign([], { [Symbol('s')]: 1 }) }, '"/a"'],
  [
    'a member that is not enumerable',
    { a: Object.defineProperty({ b: 1 }, 'c', { value: 2, enumerable: false }) },
    '"/a"',
  ],
  ['a prototype with members', { a: Object.setPrototypeOf({}, withoutPrototype) as object }, '"/a"'],
  ['a Set in a member after others', { a: [1], b: {}, c: [{}, new Set()] }, '"/c/1"'],
  ['an object within itself', circular, '"/self/self'],
  ['501 levels', nest(501), '"/'],
];

export function describeValues({ backend, describe, it }: SuiteContext): void {
  describe('values', () => {
    for (const [what, value] of KEPT)
      it(`come back as they were: ${what}`, async () => {
        await backend().set(at('a'), value);
        assert.deepEqual(await valueOf(backend(), 'a'), value);
      });

    it('come back as they were: bytes of every value, and none', async () => {
      const all = Uint8Array.from({ length: 256 }, (_, index) => index);
      await backend().set(at('all'), all);
      await backend().set(at('none'), bytes());
      assert.deepEqual(await valueOf(backend(), 'all'), all);
      assert.deepEqual(await valueOf(backend(), 'none'), bytes());
    });

    it('told apart: JSON text as bytes stays bytes', async () => {
      const text = new TextEncoder().encode('{"a":1}');
      await backend().set(at('a'), text);
      assert.deepEqual(await valueOf(backend(), 'a'), text);
    });

    for (const [what, value, path] of REFUSED)
      it(`are refused with the path to what JSON cannot hold: ${what}`, async () => {
        const error = await rejects(backend().set(at('a'), value as JsonValue), 'VALUE_INVALID');
        assert.ok(error.message.includes(path), error.message);
        assert.equal(await backend().get(at('a')), undefined);
      });

    it('are refused where reading them throws', async () => {
      const trap = {
        get x(): number {
          throw new Error('A getter of the suite throws on purpose.');
        },
      };
      await rejects(backend().set(at('a'), { trap }), 'VALUE_INVALID');
    });

    it('are refused where few objects unfold to more than the largest size', async () => {
      const levels = Math.ceil(Math.log2(backend().capabilities.maxValueBytes / 4)) + 1;
      let value: JsonValue = 'x';
      for (let level = 0; level < levels; level += 1) value = [value, value];
      await rejects(backend().set(at('a'), value), 'VALUE_TOO_LARGE');
    });

    it('are independent of what the caller does to them afterwards', async () => {
      const value = { list: [1] };
      const raw = bytes(1, 2);
      const writing = [backend().set(at('json'), value), backend().set(at('raw'), raw)];
      value.list.push(2);
      raw[0] = 9;
      await Promise.all(writing);
      const read = (await valueOf(backend(), 'json')) as { list: number[] };
      const readRaw = (await valueOf(backend(), 'raw')) as Uint8Array;
      assert.deepEqual([read, readRaw], [{ list: [1] }, bytes(1, 2)]);
      read.list.push(3);
      readRaw[1] = 9;
      assert.deepEqual(await valueOf(backend(), 'json'), { list: [1] });
      assert.deepEqual(await valueOf(backend(), 'raw'), bytes(1, 2));
    });

    it('of the largest size are kept, and one byte more is refused', async () => {
      const { maxValueBytes } = backend().capabilities;
      const largest = new Uint8Array(maxValueBytes).fill(7);
      await backend().set(at('a'), largest);
      assert.equal(Buffer.compare((await valueOf(backend(), 'a')) as Uint8Array, largest), 0);
      await rejects(backend().set(at('a'), new Uint8Array(maxValueBytes + 1)), 'VALUE_TOO_LARGE');
      await rejects(backend().set(at('b'), 'x'.repeat(maxValueBytes)), 'VALUE_TOO_LARGE');
      await rejects(backend().append(at('c'), ['ä'.repeat(maxValueBytes / 2)]), 'VALUE_TOO_LARGE');
    });
  });
}
