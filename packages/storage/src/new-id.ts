import { v7 } from 'uuid';

const DIGITS = Buffer.from('0123456789abcdef');
/** Where the two digits of each byte stand. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

const bytes = new Uint8Array(PLACES.length);
const text = Buffer.alloc(36, '-');

/**
 * A new UUID version 7: its text sorts by time of creation, so an index on it grows at one end.
 *
 * @see RFC 9562, section 5.7
 */
export function newId(): string {
  v7(undefined, bytes);
  // As text from `uuid`, it would be put together of twenty strings.
  for (let at = 0; at < PLACES.length; at += 1) {
    const byte = bytes[at]!;
    const place = PLACES[at]!;
    text[place] = DIGITS[byte >> 4]!;
    text[place + 1] = DIGITS[byte & 15]!;
  }
  return text.toString('latin1');
}
