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
