import { assertJson } from '../src/json-value';

const long = (): unknown[] => Array.from({ length: 5_000 }, (_, n) => n);

describe('assertJson of a long array', () => {
  it.each([
    ['a name', (array: unknown[]) => Object.assign(array, { name: 1 })],
    ['no name', (array: unknown[]) => Object.assign(array, { '': 1 })],
    ['a number below zero', (array: unknown[]) => Object.assign(array, { '-1': 1 })],
    ['a number beyond every index', (array: unknown[]) => Object.assign(array, { 4294967295: 1 })],
    [
      'what looks like an answer',
      (array: unknown[]) => Object.assign(array, { '] [ ... 5000 more items ]': 1 }),
    ],
    [
      'a getter',
      (array: unknown[]) => Object.defineProperty(array, 'got', { enumerable: true, get: () => 1 }),
    ],
    [
      'a name that a proxy tells',
      (array: unknown[]) =>
        new Proxy(array, {
          ownKeys: (target) => [...Reflect.ownKeys(target), 'told'],
          getOwnPropertyDescriptor: (target, name) =>
            name === 'told'
              ? { value: 1, enumerable: true, configurable: true }
              : Reflect.getOwnPropertyDescriptor(target, name),
        }),
    ],
  ])('refuses a member under %s', (_what, change) => {
    expect(() => assertJson(change(long()))).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }));
    expect(() => assertJson({ in: [change(long())] })).toThrow(
      /^The value at "\/in\/0" is an array with members/,
    );
  });

  it('refuses a hole, and what is no JSON among its elements', () => {
    const withHole = long();
    Reflect.deleteProperty(withHole, 4_000);
    expect(() => assertJson(withHole)).toThrow(/^The value at "\/4000" is undefined/);
    expect(() => assertJson([...long(), Number.NaN])).toThrow(/^The value at "\/5000" is NaN/);
  });

  // Listing the names of 500,000 elements held a program up for 200 ms.
  it('lists the names of none of its elements', () => {
    const array = long();
    const keys = jest.spyOn(Object, 'keys');
    try {
      assertJson(array);
      assertJson({ in: [array, array, array] });
      expect(keys.mock.calls.filter(([listed]) => listed === array)).toEqual([]);
    } finally {
      keys.mockRestore();
    }
  });
});

describe('assertJson of a value that refers to its parts again and again', () => {
  /** Counts how often it is read. */
  function leafOf(parts: number) {
    const reads = { count: 0 };
    const leaf: Record<string, unknown> = Object.fromEntries(
      Array.from({ length: parts - 1 }, (_, at) => [`n${at}`, at]),
    );
    Object.defineProperty(leaf, 'last', { enumerable: true, get: () => (reads.count += 1) });
    return { leaf, reads };
  }
  const doubled = (value: unknown, levels: number): unknown => {
    let all = value;
    for (let level = 0; level < levels; level += 1) all = [all, all];
    return all;
  };

  it.each([17, 25, 400])(
    'refuses what unfolds to more than may be, without unfolding it: %i levels',
    (levels) => {
      const { leaf, reads } = leafOf(64);
      expect(() => assertJson(doubled(leaf, levels), 2 ** 22)).toThrow(
        expect.objectContaining({ code: 'VALUE_TOO_LARGE' }),
      );
      expect(reads.count).toBeLessThan(1_000);
    },
  );

  it('counts each part as often as it comes', () => {
    const { leaf, reads } = leafOf(64);
    const value = doubled(leaf, 14);
    const parts = 2 ** 14 * 64 + 2 ** 15 - 2;
    expect(() => assertJson(value, parts)).not.toThrow();
    expect(() => assertJson(value, parts - 1)).toThrow(expect.objectContaining({ code: 'VALUE_TOO_LARGE' }));
    expect(reads.count).toBeLessThan(1_000);
  });

  it('looks again at what is too deep where it comes again', () => {
    let deep: unknown = Array.from({ length: 64 }, (_, at) => at);
    for (let level = 1; level < 300; level += 1) deep = [deep];
    const nested = (levels: number): unknown => {
      let value = deep;
      for (let level = 0; level < levels; level += 1) value = { value };
      return [deep, value];
    };
    expect(() => assertJson(nested(199))).not.toThrow();
    expect(() => assertJson(nested(200))).toThrow(/nested deeper than 500 levels/);
  });

  it('finds what is no JSON behind parts that are known', () => {
    const { leaf } = leafOf(64);
    const bad = [doubled(leaf, 10), { there: [leaf, { date: new Date() }] }];
    expect(() => assertJson(bad)).toThrow(/"\/1\/there\/1\/date" is an object of class Date/);
    const cycle: unknown[] = [doubled(leaf, 3)];
    cycle.push(cycle);
    expect(() => assertJson(cycle)).toThrow(/within itself/);
  });
});

describe('the message of a value that is none', () => {
  const messageOf = (value: unknown): string => {
    try {
      assertJson(value);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('Nothing was thrown.');
  };

  it.each([
    [undefined, 'The value is undefined, which JSON cannot hold. Leave it out, or give null.'],
    [{ a: undefined }, 'The value at "/a" is undefined, which JSON cannot hold. Leave it out, or give null.'],
    [1n, 'The value is bigint, which JSON cannot hold. Convert it, or give bytes.'],
  ])('advises what helps: %p', (value, message) => {
    expect(messageOf(value)).toBe(message);
  });

  it('does not advise to give bytes where bytes were given', () => {
    const message = messageOf({ raw: new Uint8Array(1) });
    expect(message).toMatch(/^The value at "\/raw" is an object of class Uint8Array/);
    expect(message).toMatch(/store them under a key of their own, or as base64\.$/);
  });
});
