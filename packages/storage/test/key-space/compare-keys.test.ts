import fc from 'fast-check';
import { compareKeys } from '../../src/key-space/compare-keys';

it('keys are compared as their UTF-8 bytes are', () => {
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
  fc.assert(
    fc.property(key, key, (one, other) => {
      expect(Math.sign(compareKeys(one, other))).toBe(Buffer.compare(Buffer.from(one), Buffer.from(other)));
    }),
    { numRuns: 2_000 },
  );
});
