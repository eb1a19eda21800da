import { StorageError } from '../errors';
import { isWellFormed } from '../well-formed';

const ANY = Symbol('any characters');
const ONE = Symbol('one character');

type Token = string | typeof ANY | typeof ONE;

/** Text that `keys()` takes literally, whatever it holds. */
export function escapePattern(text: string): string {
  return text.replaceAll(/[\\*?]/g, '\\$&');
}

/**
 * `*` stands for any characters, none too; `?` for one character (a code point); `\` before a character for this
 * character. Everything else is literal, brackets and braces too. It is matched here and never handed to an engine.
 */
export class KeyPattern {
  /** What every matching key begins with, literally. */
  readonly prefix: string;
  /** Behind the prefix. */
  readonly #tokens: readonly Token[];

  /** @throws {StorageError} `ARGUMENT_INVALID` unless it is a well-formed string without a `\` at its end */
  constructor(pattern: string) {
    const tokens = toTokens(pattern);
    const wildcard = tokens.findIndex((token) => typeof token === 'symbol');
    const end = wildcard < 0 ? tokens.length : wildcard;
    this.prefix = tokens.slice(0, end).join('');
    this.#tokens = tokens.slice(end);
  }

  /** It holds no wildcard: the one key that matches is `prefix`. */
  get isLiteral(): boolean {
    return this.#tokens.length === 0;
  }

  /** Takes at most length of key × length of pattern steps, whatever the pattern. */
  matches(key: string): boolean {
    const tokens = this.#tokens;
    if (!key.startsWith(this.prefix)) return false;
    if (tokens.length === 1 && tokens[0] === ANY) return true;
    const characters = Array.from(key.slice(this.prefix.length));
    let token = 0;
    let at = 0;
    let star = -1;
    let starAt = 0;
    while (at < characters.length) {
      if (tokens[token] === ANY) {
        star = token;
        starAt = at;
        token += 1;
      } else if (tokens[token] === ONE || tokens[token] === characters[at]) {
        token += 1;
        at += 1;
      } else if (star >= 0) {
        // The last star takes one character more; earlier ones need no second thought.
        starAt += 1;
        at = starAt;
        token = star + 1;
      } else return false;
    }
    while (tokens[token] === ANY) token += 1;
    return token === tokens.length;
  }
}

function toTokens(pattern: unknown): Token[] {
  if (typeof pattern !== 'string' || !isWellFormed(pattern))
    throw new StorageError('ARGUMENT_INVALID', 'A pattern must be a well-formed string.');
  const tokens: Token[] = [];
  const characters = Array.from(pattern);
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index]!;
    if (character === '*') tokens.push(ANY);
    else if (character === '?') tokens.push(ONE);
    else if (character !== '\\') tokens.push(character);
    else {
      index += 1;
      const escaped = characters[index];
      if (escaped === undefined)
        throw new StorageError(
          'ARGUMENT_INVALID',
          'A pattern cannot end with a single "\\". Double it, or use escapePattern().',
        );
      tokens.push(escaped);
    }
  }
  return tokens;
}
