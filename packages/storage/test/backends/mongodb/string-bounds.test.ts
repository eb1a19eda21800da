import fc from 'fast-check';
import { firstStringFrom } from '../../../src/backends/mongodb/string-bounds';
import { toByteRange } from '../../../src/byte-range';
import { isWellFormed } from '../../../src/well-formed';

const bytesOf = (text: string): Buffer => Buffer.from(text);
const text = fc.string({ unit: 'binary', maxLength: 6 }).filter(isWellFormed);

describe('the first string from some bytes on', () => {
  it.each([
    ['', ''],
    ['61', 'a'],
    ['6100', 'a\0'],
    ['7f', '\x7f'],
    ['80', '\x80'],
    ['c3', '\u00c0'],
    ['c0', '\x80'],
    ['efbfc0', '\u{10000}'],
    ['eda080', '\ue000'],
    ['f48fbfc0', undefined],
    ['61f48fbfc0', 'b'],
    ['ed9fbff48fbfc0', '\ue000'],
    ['ff', undefined],
  ])('of %s is %j', (hex, expected) => {
    expect(firstStringFrom(Buffer.from(hex, 'hex'))).toBe(expected);
  });

  it('leaves on each side the strings that the bytes leave there', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6 }), text, (given, other) => {
        const bytes = Buffer.from(given);
        const first = firstStringFrom(bytes);
        const isBefore = Buffer.compare(bytesOf(other), bytes) < 0;
        expect(first === undefined || Buffer.compare(bytesOf(other), bytesOf(first)) < 0).toBe(isBefore);
      }),
      { numRuns: 2_000 },
    );
  });

  it('ends a prefix where its strings end', () => {
    fc.assert(
      fc.property(text, text, (prefix, other) => {
        const { from, to } = toByteRange({ prefix }, undefined);
        const [first, behind] = [firstStringFrom(from)!, to && firstStringFrom(to)];
        const isWithin =
          Buffer.compare(bytesOf(other), bytesOf(first)) >= 0 &&
          (behind === undefined || Buffer.compare(bytesOf(other), bytesOf(behind)) < 0);
        expect(isWithin).toBe(bytesOf(other).subarray(0, bytesOf(prefix).length).equals(bytesOf(prefix)));
      }),
      { numRuns: 1_000 },
    );
  });
});
