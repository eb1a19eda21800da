const WORD = /\p{Lu}+(?!\p{Ll})\p{N}*|\p{Lu}?(?:(?!\p{Lu})[\p{L}\p{M}])+\p{N}*|\p{N}+(?:(?!\p{Lu})\p{L})*/gu;
const ASCII_WORD = /[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+[a-z]*/g;
const NON_ASCII = /[^\0-\x7f]/;
const TRAILING_DIGITS = /\p{N}+$/u;

/**
 * The words of a name in lower case: cut at case changes and at all that is neither letter nor digit,
 * without digits at their ends (`X-Api-Key2` is `x`, `api`, `key`; `SAMLResponse` is `saml`, `response`).
 */
export function splitWords(name: string): string[] {
  const words: string[] = [];
  for (const word of name.match(NON_ASCII.test(name) ? WORD : ASCII_WORD) ?? []) {
    const bare = TRAILING_DIGITS.test(word) ? word.replace(TRAILING_DIGITS, '') : word;
    if (bare !== '') words.push(bare.toLowerCase());
  }
  return words;
}
