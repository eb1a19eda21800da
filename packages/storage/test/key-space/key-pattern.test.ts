import fc from 'fast-check';
import { escapePattern, KeyPattern } from '../../src/key-space/key-pattern';

const matches = (pattern: string, key: string): boolean => new KeyPattern(pattern).matches(key);

describe('a pattern of keys', () => {
  it.each([
    ['*', 'anything', true],
    ['a*', 'a', true],
    ['a*', 'ba', false],
    ['*a', 'ba', true],
    ['*a*a', 'aba', true],
    ['*ab*ab', 'abab', true],
    ['*ab*ab', 'aab', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a?c', 'a\u{1F600}c', true],
    ['?', '\u{1F600}', true],
    ['?', 'e\u0301', false],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['a\\?', 'a?', true],
    ['\\\\', '\\', true],
    ['\\a', 'a', true],
    ['[ab]', 'a', false],
    ['[ab]', '[ab]', true],
    ['{a,b}', 'a', false],
    ['a.c', 'abc', false],
    ['%', 'abc', false],
    ['_', 'a', false],
    ['A', 'a', false],
    ['*', 'two\nlines', true],
  ])('%j and the key %j: %j', (pattern, key, expected) => {
    expect(matches(pattern, key)).toBe(expected);
  });

  it.each(['a\\', '\uD800', 7, null])('is refused when it is none: %j', (pattern) => {
    expect(() => new KeyPattern(pattern as string)).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID' }),
    );
  });

  it('takes what is escaped literally', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (text, other) => {
        expect(matches(escapePattern(text), text)).toBe(true);
        expect(matches(escapePattern(text), other)).toBe(text === other);
        expect(matches(`${escapePattern(text)}*`, text + other)).toBe(true);
      }),
    );
  });

  it('says what a regular expression of the same meaning says', () => {
    const letter = fc.constantFrom('a', 'b', '*', '?');
    fc.assert(
      fc.property(
        fc.array(letter, { maxLength: 8 }),
        fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }),
        (tokens, key) => {
          const source = tokens
            .map((token) => (({ '*': '.*', '?': '.' }) as Record<string, string>)[token] ?? token)
            .join('');
          expect(matches(tokens.join(''), key)).toBe(new RegExp(`^${source}$`, 's').test(key));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('of many stars does not take for ever', () => {
    expect(matches('a*'.repeat(500) + 'b', 'a'.repeat(1_024))).toBe(false);
  });
});
