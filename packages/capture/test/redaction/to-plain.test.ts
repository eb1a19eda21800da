import fc from 'fast-check';
import { toPlain } from '../../src/redaction/to-plain';

describe('toPlain', () => {
  it('gives JSON as JSON.stringify would, for what that can say', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const before = JSON.stringify(value);
        const well = before.replace(/\\u0000|\\ud[89a-f][0-9a-f]{2}/g, '\ufffd');
        expect(JSON.stringify(toPlain(value))).toBe(well);
        expect(JSON.stringify(value)).toBe(before);
      }),
    );
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withBoxedValues: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withSparseArray: true,
          withNullPrototype: true,
        }),
        (value) => {
          const plain = toPlain(value);
          expect(plain === undefined || typeof JSON.stringify(plain) === 'string').toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('says what is within itself, and copies what is only there twice', () => {
    const shared = { x: 1 };
    const cyclic: Record<string, unknown> = { a: shared, b: shared };
    cyclic['self'] = cyclic;
    cyclic['list'] = [cyclic];
    const map = new Map<string, unknown>([['m', cyclic]]);
    cyclic['map'] = map;
    expect(toPlain(cyclic)).toEqual({
      a: { x: 1 },
      b: { x: 1 },
      self: '[Circular]',
      list: ['[Circular]'],
      map: { m: '[Circular]' },
    });
  });

  it('says what cannot be read', () => {
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const value = {
      get bad(): never {
        throw new Error('no');
      },
      json: {
        toJSON(): never {
          throw new Error('no');
        },
      },
      proxy: new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('no');
          },
        },
      ),
      revoked: revoked.proxy,
      ok: 1,
    };
    expect(toPlain(value)).toEqual({
      bad: '[Unreadable]',
      json: '[Unreadable]',
      proxy: '[Unreadable]',
      revoked: '[Unreadable]',
      ok: 1,
    });
    expect(toPlain(revoked.proxy)).toBe('[Unreadable]');
  });

  it('asks each getter once', () => {
    let asked = 0;
    const count = (value: unknown): PropertyDescriptor => ({
      enumerable: true,
      get: () => {
        asked += 1;
        return value;
      },
    });
    const value = Object.defineProperties({}, { a: count(1), toJSON: count('text'), b: count({ c: 1 }) });
    expect(toPlain([value])).toEqual([{ a: 1, toJSON: 'text', b: { c: 1 } }]);
    expect(asked).toBe(3);
    asked = 0;
    const error = Object.defineProperties(new Error('x'), {
      message: count('m'),
      name: count('N'),
      code: count('C'),
    });
    expect(toPlain(error)).toEqual({ name: 'N', message: 'm', code: 'C' });
    expect(asked).toBe(3);
  });

  it('has a form for what JSON cannot say', () => {
    expect(
      toPlain({
        date: new Date(0),
        never: new Date(Number.NaN),
        big: 12345678901234567890n,
        nan: Number.NaN,
        gone: undefined,
        call: () => 1,
        symbol: Symbol('x'),
        list: [undefined, () => 1, Symbol('x')],
        map: new Map<unknown, unknown>([
          [1, 'a'],
          ['b', new Set([1])],
        ]),
        named: new Map([['k', 1]]),
        bytes: Buffer.from('hi'),
        buffer: new Uint8Array([1]).buffer,
        floats: new Float32Array([0.5]),
        pattern: /x/g,
        url: new URL('http://h/'),
        boxed: [new String('a'), new Number(1), new Boolean(false)],
        said: { toJSON: () => ({ a: 1n }) },
        error: Object.assign(new TypeError('bad'), { status: 400 }),
        none: Object.create(null) as object,
      }),
    ).toEqual({
      date: '1970-01-01T00:00:00.000Z',
      never: null,
      big: '12345678901234567890',
      nan: null,
      list: [null, null, null],
      map: [
        [1, 'a'],
        ['b', [1]],
      ],
      named: { k: 1 },
      bytes: { byteLength: 2, sha256: '8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4' },
      buffer: { byteLength: 1, sha256: '4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a' },
      floats: [0.5],
      pattern: '/x/g',
      url: 'http://h/',
      boxed: ['a', 1, false],
      said: { a: '1' },
      error: { name: 'TypeError', message: 'bad', status: 400 },
      none: {},
    });
    for (const value of [undefined, () => 1, Symbol('x')]) expect(toPlain(value)).toBeUndefined();
  });

  it('keeps __proto__ as a key and strings well-formed', () => {
    const value = JSON.parse('{"__proto__":{"polluted":true},"a\\u0000":"b\\ud800\\u0000"}') as unknown;
    const plain = toPlain(value) as Record<string, unknown>;
    expect(JSON.stringify(plain)).toBe('{"__proto__":{"polluted":true},"a\ufffd":"b\ufffd\ufffd"}');
    expect(Object.getPrototypeOf(plain)).toBe(Object.prototype);
    expect((plain as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('stops at its limits', () => {
    let deep: unknown = 'end';
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    expect(JSON.stringify(toPlain(deep))).toBe(`${'['.repeat(64)}"[Truncated]"${']'.repeat(64)}`);
    const wide = toPlain(Array.from({ length: 1_000_000 }, (_, at) => at)) as unknown[];
    expect(wide).toHaveLength(10_001);
    expect(wide.at(-1)).toBe('[Truncated]');
    expect(toPlain({ a: 1, b: { c: 2, d: 3 }, e: 4 }, { maxItems: 3 })).toEqual({
      a: 1,
      b: { c: 2, d: '[Truncated]' },
      e: '[Truncated]',
    });
    expect(toPlain(Buffer.alloc(2_000_000))).toEqual({ byteLength: 2_000_000 });
  });
});
