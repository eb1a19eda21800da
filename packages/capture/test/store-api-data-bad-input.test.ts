import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { storeApiData } from '../src/store-api-data';
import { openRecorder, requestData, responseData } from './recording/open-recorder';

function nested(depth: number): unknown {
  let value: unknown = 'the core';
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { in: value };
  return value;
}

/** How deep a recorded value is, without recursion. */
function depthOf(value: unknown): number {
  let depth = 0;
  for (let inner = value; typeof inner === 'object' && inner !== null; depth += 1) {
    inner = (Object.values(inner) as unknown[])[0];
  }
  return depth;
}

const cyclic: Record<string, unknown> = { name: 'round' };
cyclic['self'] = cyclic;
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const refusing = new Proxy(
  {},
  Object.fromEntries(
    ['get', 'has', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor'].map((trap) => [
      trap,
      () => {
        throw new Error('refused');
      },
    ]),
  ),
);

/** What a value is recorded as, alone or as an argument. */
const HOSTILE: readonly (readonly [name: string, value: unknown, recorded: unknown])[] = [
  ['a cyclic object', cyclic, { name: 'round', self: '[Circular]' }],
  ['a revoked proxy', revoked.proxy, '[Unreadable]'],
  ['a proxy that refuses everything', refusing, '[Unreadable]'],
  ['a proxy that answers', new Proxy({ a: 1 }, {}), { a: 1 }],
  ['a proxy of a promise', new Proxy(Promise.resolve(1), {}), {}],
  [
    'getters and toJSON that throw',
    {
      get bad(): never {
        throw new Error('no');
      },
      json: {
        toJSON(): never {
          throw new Error('no');
        },
      },
      ok: 1,
    },
    { bad: '[Unreadable]', json: '[Unreadable]', ok: 1 },
  ],
  ['a BigInt', 12345678901234567890n, '12345678901234567890'],
  ['a BigInt of a million digits', 1n << 3_000_000n, '[Truncated]'],
  ['a Map', new Map<unknown, unknown>([['a', new Map([[1, 2]])]]), { a: [[1, 2]] }],
  ['a Set', new Set([1, new Set([2])]), [1, [2]]],
  ['a Date', [new Date(0), new Date(NaN)], ['1970-01-01T00:00:00.000Z', null]],
  ['symbols and functions', { [Symbol('s')]: 1, s: Symbol('s'), f: () => 1, ok: 1 }, { ok: 1 }],
  [
    '__proto__ as a key',
    JSON.parse('{"__proto__":{"polluted":1}}'),
    JSON.parse('{"__proto__":{"polluted":1}}'),
  ],
  ['a stream within', { file: new PassThrough() }, { file: '[Stream]' }],
  ['a request within', { inner: new IncomingMessage(new Socket()) }, { inner: '[Stream]' }],
  ['a promise within', { later: Promise.resolve(1) }, { later: '[Promise]' }],
  ['an object without prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ['lone surrogates and NUL', 'a\ud800b\0c', 'a\ufffdb\ufffdc'],
];

describe('a decorated method and hostile values', () => {
  const open = (options: Parameters<typeof openRecorder>[0] = {}) => {
    const opened = openRecorder(options);
    class Echo {
      @storeApiData({ recorder: opened.recorder })
      echo(value: unknown) {
        return value;
      }
      @storeApiData({ recorder: opened.recorder })
      fail(error: unknown): never {
        throw error;
      }
    }
    return { ...opened, echo: new Echo() };
  };

  it.each(HOSTILE)(
    'gets and returns the same, and records it with a mark: %s',
    async (_name, value, recorded) => {
      const { echo, entry, failures } = open();
      expect(Object.is(echo.echo(value), value)).toBe(true);
      const stored = await entry();
      expect(failures).toEqual([]);
      expect({ request: requestData(stored), response: responseData(stored) }).toEqual({
        request: [recorded],
        response: recorded,
      });
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    },
  );

  it('throws the same, whatever is thrown', async () => {
    const { echo, entries, failures } = open();
    const thrown = [refusing, revoked.proxy, null, undefined, 7n, Symbol('s'), cyclic, { message: refusing }];
    for (const error of thrown) {
      let caught: unknown = 'nothing';
      try {
        echo.fail(error);
      } catch (each) {
        caught = each;
      }
      expect(Object.is(caught, error)).toBe(true);
    }
    const stored = await entries();
    expect(failures).toEqual([]);
    expect(stored.map(({ outcome }) => outcome)).toEqual(thrown.map(() => 'failed'));
    expect(stored.every(({ errorName }) => typeof errorName === 'string')).toBe(true);
  });

  it('records 100,000 levels as 64 and a mark', async () => {
    const { echo, entry, failures } = open();
    const deep = nested(100_000);
    expect(echo.echo(deep)).toBe(deep);
    const stored = await entry();
    expect(failures).toEqual([]);
    expect(depthOf(responseData(stored))).toBe(64);
    expect(JSON.stringify(responseData(stored))).toContain('"[Truncated]"');
  });

  it('reads no more than 10,000 elements of a million, and marks the rest', async () => {
    const { echo, entries } = open();
    let reads = 0;
    const counting = new Proxy(
      Array.from({ length: 1_000_000 }, () => 1),
      {
        get(target, key, receiver) {
          if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1;
          return Reflect.get(target, key, receiver) as unknown;
        },
      },
    );
    echo.echo(counting);
    // Once as an argument, once as the result.
    expect(reads).toBeLessThanOrEqual(20_000);

    let steps = 0;
    class Counting extends Map<string, number> {
      override *[Symbol.iterator](): ReturnType<Map<string, number>['entries']> {
        for (const pair of super.entries()) {
          steps += 1;
          yield pair;
        }
        return undefined;
      }
    }
    echo.echo(new Counting(Array.from({ length: 100_000 }, (_, at) => [`k${String(at)}`, at])));
    expect(steps).toBeLessThanOrEqual(20_004);
    for (const stored of await entries())
      expect(JSON.stringify(responseData(stored))).toContain('[Truncated]');
  });

  it('records the beginning of 200,000 keys that look like numbers, and marks the rest', async () => {
    const { echo, entry } = open();
    const wide = Object.fromEntries(Array.from({ length: 200_000 }, (_, at) => [at * 7, at]));
    expect(echo.echo(wide)).toBe(wide);
    const data = responseData(await entry()) as Record<string, unknown>;
    expect(Object.keys(data)).toHaveLength(10_001);
    expect(data['70000']).toBe('[Truncated]');
  });

  it('does not copy text beyond the size of a body', async () => {
    const { echo, entries } = open({ maxBodyBytes: 10_000, redaction: false });
    const huge = 'x'.repeat(50_000_000);
    expect(echo.echo({ first: 'kept', huge, last: 1 })).toMatchObject({ first: 'kept', last: 1 });
    echo.echo(huge);
    echo.echo({ [huge]: 1 });
    const [within, alone, asKey] = await entries();
    expect(responseData(asKey!)).toEqual({ ['x'.repeat(1_000)]: '[Truncated]' });
    expect(responseData(within!)).toEqual({ first: 'kept', huge: '[Truncated]', last: 1 });
    expect(responseData(alone!)).toBe('x'.repeat(10_000));
    expect(alone).toMatchObject({ responseState: 'truncated', responseOriginalBytes: 50_000_000 });
  });

  it('calls a getter or toJSON once for each side that it records, and no other method of the value', async () => {
    const { echo, entry } = open();
    const calls: string[] = [];
    class Value {
      get inherited() {
        calls.push('inherited');
        return 1;
      }
      then = undefined;
      // Each of these would be a use of the value.
      next() {
        calls.push('next');
      }
      subscribe() {
        calls.push('subscribe');
      }
      [Symbol.toPrimitive]() {
        calls.push('toPrimitive');
        return '';
      }
    }
    const value = Object.defineProperty(new Value(), 'own', {
      enumerable: true,
      get: () => calls.push('own'),
    });
    const withJson = { toJSON: () => calls.push('toJSON') };
    echo.echo([value, withJson]);
    await entry();
    expect(calls).toEqual(['own', 'toJSON', 'own', 'toJSON']);
  });
});
