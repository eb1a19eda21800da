import { endsBeginning, LAST_CHARACTERS } from './shape-beginnings';

const QUOTE = 34;
const BACKSLASH = 92;
const SLASH = 47;
const COLON = 58;
const AT = 64;

/** Marks of what is in a string. */
export const HAS_EQUALS = 1;
export const IS_NOT_ASCII = 2;
export const HAS_ESCAPE = 4;
/** An escape that may stand for any character: `\u` or `\/`. */
export const HAS_HIDING_ESCAPE = 8;
/** The beginning of a secret with a shape, as far as can be seen without undoing escapes. */
export const HAS_BEGINNING = 16;
/** A `:` after what may be a name. */
export const HAS_COLON = 32;
/** One more than all marks together. */
export const MARKS = 64;
export const NEEDS_DECODING = IS_NOT_ASCII | HAS_ESCAPE;

/** With its quotes; nothing shorter can hold a name and a value, or a secret by shape. */
export const MIN_SECRET_LENGTH = 6;
const OTHERS_IN_NAMES = new Set(Buffer.from('%$[]\\'));

export const UNFINISHED = -1;
const INVALID = -2;

/** The mark of each byte, or what else it asks for. */
const STOP = MARKS;
const MAY_END_BEGINNING = MARKS + 1;
const MAY_FOLLOW_NAME = MARKS + 2;
const CLASSES = new Uint8Array(256);
CLASSES.fill(STOP, 0, 32);
CLASSES.fill(IS_NOT_ASCII, 128);
CLASSES[QUOTE] = STOP;
CLASSES[BACKSLASH] = STOP;
CLASSES['='.charCodeAt(0)] = HAS_EQUALS;
CLASSES[AT] = MAY_END_BEGINNING;
CLASSES[COLON] = MAY_FOLLOW_NAME;
for (const code of LAST_CHARACTERS) if (code >= 32) CLASSES[code] = MAY_END_BEGINNING;

/**
 * Reads the JSON string that begins with the quote at `from`, by RFC 8259.
 *
 * @returns the position after its end × 64 + its marks, in one number because this runs for every
 *   string; `UNFINISHED` when it does not end before `to`, another negative number when it is none
 */
export function scanString(bytes: Uint8Array, from: number, to: number): number {
  const classes = CLASSES;
  let marks = 0;
  for (let at = from + 1; at < to; at += 1) {
    // Most say nothing, and are passed over by fours.
    while (
      at + 4 <= to &&
      (classes[bytes[at]!]! |
        classes[bytes[at + 1]!]! |
        classes[bytes[at + 2]!]! |
        classes[bytes[at + 3]!]!) ===
        0
    ) {
      at += 4;
    }
    while (at < to && classes[bytes[at]!] === 0) at += 1;
    if (at >= to) break;
    const code = bytes[at]!;
    const kind = classes[code]!;
    if (kind < STOP) {
      marks |= kind;
      continue;
    }
    if (kind === MAY_END_BEGINNING) {
      const isOne = code === AT ? followsUrlUser(bytes, from, at) : endsBeginning(bytes, at);
      if (isOne) marks |= HAS_BEGINNING;
      continue;
    }
    if (kind === MAY_FOLLOW_NAME) {
      if (followsName(bytes, from, at)) marks |= HAS_COLON;
      continue;
    }
    if (code === QUOTE) return (at + 1) * MARKS + marks;
    if (code !== BACKSLASH) return INVALID;
    const escape = escapeLength(bytes, at + 1, to);
    if (escape < 0) return escape;
    marks |= escape === 5 || bytes[at + 1] === SLASH ? HAS_ESCAPE | HAS_HIDING_ESCAPE : HAS_ESCAPE;
    at += escape;
  }
  return UNFINISHED;
}

/** Whether `://` stands before the `@` at `at`, with nothing between that would end a URL's user. */
function followsUrlUser(bytes: Uint8Array, from: number, at: number): boolean {
  for (let back = at - 1; back > from; back -= 1) {
    const code = bytes[back]!;
    if (code === SLASH) return bytes[back - 1] === SLASH && bytes[back - 2] === COLON;
    if (code === AT || code <= 32) return false;
  }
  return false;
}

/**
 * Whether a word may end before the `:` at `at`, if it does not belong to `://`: two letters, or what is
 * not looked into here. The colons of times and addresses follow none.
 */
function followsName(bytes: Uint8Array, from: number, at: number): boolean {
  if (bytes[at + 1] === SLASH && bytes[at + 2] === SLASH) return false;
  for (let back = at - 1, letters = 0; back > from && letters < 2; back -= 1) {
    const code = bytes[back]!;
    const lower = code | 32;
    if (lower >= 97 && lower <= 122) {
      if ((letters += 1) === 2) return true;
      continue;
    }
    if ((code >= 48 && code <= 57) || code === 45 || code === 95 || code === 46) {
      letters = 0;
      continue;
    }
    // A quote or a space right before the colon may follow a name; others belong to names, or escape.
    return (back === at - 1 && code !== COLON) || code > 127 || OTHERS_IN_NAMES.has(code);
  }
  return false;
}

/** Length of an escape after its backslash. */
function escapeLength(bytes: Uint8Array, at: number, to: number): number {
  if (at >= to) return UNFINISHED;
  switch (bytes[at]) {
    case QUOTE:
    case BACKSLASH:
    case SLASH:
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

const PLAIN_STRING = /^[ !#-[\]-~]*$/;

/** The value of the string whose quotes stand at `start` and before `end`, in a text of one character for each byte. */
export function decodeJsonString(text: string, start: number, end: number, needsDecoding: boolean): string {
  const bare = text.slice(start + 1, end - 1);
  if (!needsDecoding || PLAIN_STRING.test(bare)) return bare;
  return JSON.parse(Buffer.from(`"${bare}"`, 'latin1').toString('utf8')) as string;
}

/** As JSON with its quotes, one character for each byte. */
export function encodeJsonString(value: string): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('latin1');
}
