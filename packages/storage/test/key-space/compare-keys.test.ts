import fc from 'fast-check';
import { compareKeys, sortKeys } from '../../src/key-space/compare-keys';

const character = fc.constantFrom(
  'a',
  'b',
  '\0',
  'é',
  '\uD7FF',
  '\uE000',
  '\uFFFF',
  '\u{10000}',
  '\u{1F600}',
  '\u{10FFFF}',
);
const key = fc.string({ unit: character, maxLength: 4 });
const byBytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));

it('keys are compared as their UTF-8 bytes are', () => {
  fc.assert(
    fc.property(key, key, (one, other) => {
      expect(Math.sign(compareKeys(one, other))).toBe(byBytes(one, other));
    }),
    { numRuns: 2_000 },
  );
});

it.each([
  ['with characters beyond U+FFFF', key],
  [
    'without any',
    fc.string({ unit: fc.constantFrom('a', '\0', 'é', '\uD7FF', '\uE000', '\uFFFF'), maxLength: 4 }),
  ],
])('keys are sorted as their UTF-8 bytes are, %s', (_, text) => {
  fc.assert(
    fc.property(fc.array(text), (keys) => {
      expect(sortKeys([...keys])).toEqual([...keys].sort(byBytes));
    }),
  );
});
