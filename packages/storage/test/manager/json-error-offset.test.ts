import fc from 'fast-check';
import { jsonErrorOffset } from '../../src/manager/json-error-offset';

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe('jsonErrorOffset', () => {
  it.each([
    ['{"a": 1,}', 8],
    ['{"a" 1}', 5],
    ['{a: 1}', 1],
    ['[1, 2', 5],
    ['', 0],
    ['{"a": 01}', 6],
    ['{"a": 1} x', 9],
    ['[1 // why\n]', 3],
    ['{"a": tru}', 6],
    ['{"a": "b\nc"}', 6],
    ['[1}', 2],
  ])('finds where %j stops being JSON', (text, offset) => {
    expect(jsonErrorOffset(text)).toBe(offset);
  });

  it('agrees with JSON.parse on what is JSON', () => {
    const piece = fc.constantFrom(
      ...'{}[]:,"\\ \n\t0.1e-+tfnu',
      'true',
      'null',
      '"a"',
      '{}',
      '1.5e3',
      '\u0001',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        expect(jsonErrorOffset(text) === undefined).toBe(isJson(text));
      }),
      { numRuns: 3_000 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => jsonErrorOffset(JSON.stringify(value, null, 2)) === undefined),
    );
  });

  it('reads a hundred thousand brackets within each other', () => {
    expect(jsonErrorOffset('['.repeat(100_000))).toBe(100_000);
    expect(jsonErrorOffset('['.repeat(100_000) + ']'.repeat(100_000))).toBeUndefined();
  });
});
