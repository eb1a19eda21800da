const QUOTE = 34;
const BACKSLASH = 92;

/** Marks of what is in a string. */
export const HAS_EQUALS = 1;
const IS_NOT_ASCII = 2;
const HAS_ESCAPE = 4;
/** An escape that may stand for any character: `\\u` or `\\/`. */
export const HAS_HIDING_ESCAPE = 8;
/** One more than all marks together. */
export const MARKS = 16;
export const NEEDS_DECODING = IS_NOT_ASCII | HAS_ESCAPE;

export const UNFINISHED = -1;
const INVALID = -2;

/** The mark of each byte; from 16 on it ends the string, begins an escape, or may not stand in one. */
const STOP = MARKS;
const CLASSES = new Uint8Array(256);
CLASSES.fill(STOP, 0, 32);
CLASSES.fill(IS_NOT_ASCII, 128);
CLASSES[QUOTE] = STOP;
CLASSES[BACKSLASH] = STOP;
CLASSES['='.charCodeAt(0)] = HAS_EQUALS;

/**
 * Reads the JSON string that begins with the quote at `from`, by RFC 8259.
 *
 * @returns the position after its end × 16 + its marks, in one number because this runs for every
 *   string; `UNFINISHED` when it does not end before `to`, another negative number when it is none
 */
export function scanString(bytes: Uint8Array, from: number, to: number): number {
  let at = from + 1;
  let marks = 0;
  while (at < to) {
    const kind = CLASSES[bytes[at]!]!;
    if (kind < STOP) {
      marks |= kind;
      at += 1;
      continue;
    }
    const code = bytes[at]!;
    at += 1;
    if (code === QUOTE) return at * MARKS + marks;
    if (code !== BACKSLASH) return INVALID;
    const escape = escapeLength(bytes, at, to);
    if (escape < 0) return escape;
    marks |= HAS_ESCAPE;
    if (escape === 5 || bytes[at] === 0x2f) marks |= HAS_HIDING_ESCAPE;
    at += escape;
  }
  return UNFINISHED;
}

/** Length of an escape after its backslash. */
function escapeLength(bytes: Uint8Array, at: number, to: number): number {
  if (at >= to) return UNFINISHED;
  switch (bytes[at]) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return 1;
    case 0x75:
      for (let digit = 1; digit <= 4; digit += 1) {
        if (at + digit >= to) return UNFINISHED;
        if (!isHex(bytes[at + digit]!)) return INVALID;
      }
      return 5;
    default:
      return INVALID;
  }
}

function isHex(code: number): boolean {
  const lower = code | 32;
  return (code >= 48 && code <= 57) || (lower >= 97 && lower <= 102);
}
