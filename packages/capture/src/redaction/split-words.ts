const WORD = /\p{Lu}+(?!\p{Ll})\p{N}*|\p{Lu}?(?:(?!\p{Lu})[\p{L}\p{M}])+\p{N}*|\p{N}+(?:(?!\p{Lu})\p{L})*/gu;
const ASCII_WORD = /[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+[a-z]*/g;
const NON_ASCII = /[^\0-\x7f]/;

/**
 * The words of a name in lower case: cut at case changes and at all that is neither letter nor digit,
 * without digits at their ends (`X-Api-Key2` is `x`, `api`, `key`; `SAMLResponse` is `saml`, `response`).
 */
export function splitWords(name: string): string[] {
  const words: string[] = [];
  for (const word of name.match(NON_ASCII.test(name) ? WORD : ASCII_WORD) ?? []) {
    const bare = withoutTrailingDigits(word);
    if (bare !== '') words.push(bare.toLowerCase());
  }
  return words;
}

/** By hand: as a pattern it would be tried at every digit, which takes too long for a name of 100 kB. */
function withoutTrailingDigits(word: string): string {
  let end = word.length;
  while (end > 0 && word.charCodeAt(end - 1) >= 48 && word.charCodeAt(end - 1) <= 57) end -= 1;
  return end === word.length ? word : word.slice(0, end);
}
