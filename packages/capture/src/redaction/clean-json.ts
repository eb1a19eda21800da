import { KEY_SLOTS } from './harmless-keys';
import {
  HAS_BEGINNING,
  HAS_COLON,
  HAS_EQUALS,
  HAS_ESCAPE,
  HAS_HIDING_ESCAPE,
  IS_NOT_ASCII,
  MARKS,
  MIN_SECRET_LENGTH,
  scanString,
} from './json-string';
import { pairRole } from './pair-keys';
import type { RedactionContext } from './redaction-context';

const MAX_KEY_LENGTH = 32;
/** One bit of a number for each open container. */
const MAX_DEPTH = 30;
/** Above it a position and marks do not fit into a small integer. */
const MAX_LENGTH = 2 ** 24;

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const BACKSLASH = 92;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const PLUS = 43;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const EXPONENT = 101;

/**
 * Whether a text is JSON in which nothing is to be hidden. A quick look that may be wrong in one
 * direction only: false says nothing, true says that the full walk would change and report nothing.
 * Only for texts without path rules and without what {@link ValueShapes.mayHoldUnmarked} speaks of.
 */
export function isCleanJson(
  bytes: Uint8Array,
  text: string,
  from: number,
  to: number,
  context: RedactionContext,
): boolean {
  if (to > MAX_LENGTH) return false;
  let at = from;
  let depth = 0;
  /** The lowest bit stands for the innermost container: 1 for an object. */
  let kinds = 0;
  for (;;) {
    if (at >= to) return false;
    let code = bytes[at]!;
    if (code <= 32) {
      at = skipBlank(bytes, at, to);
      if (at >= to) return false;
      code = bytes[at]!;
    }
    if (code === QUOTE) {
      at = cleanString(bytes, text, at, to, context);
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (depth === MAX_DEPTH) return false;
      depth += 1;
      kinds = (kinds << 1) | (code === OPEN_OBJECT ? 1 : 0);
      at = skipBlank(bytes, at + 1, to);
      if (at >= to) return false;
      if (bytes[at] !== (code === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_LIST)) {
        if (code === OPEN_OBJECT) at = harmlessKey(bytes, text, at, to, context);
        if (at < 0) return false;
        continue;
      }
    } else {
      at = code <= 57 ? numberEnd(bytes, at, to) : literalEnd(bytes, at, to);
    }
    if (at < 0) return false;
    for (;;) {
      if (depth === 0) return skipBlank(bytes, at, to) >= to;
      if (at >= to) return false;
      code = bytes[at]!;
      if (code <= 32) {
        at = skipBlank(bytes, at, to);
        if (at >= to) return false;
        code = bytes[at]!;
      }
      at += 1;
      const isObject = (kinds & 1) === 1;
      if (code === COMMA) {
        if (isObject) at = harmlessKey(bytes, text, skipBlank(bytes, at, to), to, context);
        if (at < 0) return false;
        break;
      }
      if (code !== (isObject ? CLOSE_OBJECT : CLOSE_LIST)) return false;
      depth -= 1;
      kinds >>= 1;
    }
  }
}

function skipBlank(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to) {
    const code = bytes[at]!;
    if (code > 32 || (code !== 32 && code !== 10 && code !== 13 && code !== 9)) break;
    at += 1;
  }
  return at;
}

/** The position after a key and its colon, or -1 when the key is not known to be harmless. */
function harmlessKey(
  bytes: Uint8Array,
  text: string,
  start: number,
  to: number,
  context: RedactionContext,
): number {
  const keys = context.harmlessKeys;
  const expected = keys.written[keys.following[keys.last]!];
  if (expected !== undefined && standsAt(bytes, start, to, expected)) {
    keys.last = keys.following[keys.last]!;
    return start + expected.length;
  }
  if (start >= to || bytes[start] !== QUOTE) return -1;
  let at = start + 1;
  let hash = 0;
  for (; at < to; at += 1) {
    const code = bytes[at]!;
    if (code === QUOTE) break;
    if (code < 32 || code > 126 || code === BACKSLASH) return -1;
    hash = (Math.imul(hash, 31) + code) | 0;
  }
  const colon = skipBlank(bytes, at + 1, to);
  if (colon >= to || bytes[colon] !== COLON) return -1;
  const slot = (hash ^ (hash >>> 10)) & (KEY_SLOTS - 1);
  const known = keys.written[slot];
  if (known === undefined || !standsAt(bytes, start, to, known)) {
    if (!isHarmless(text.slice(start + 1, at), context)) return -1;
    if (at - start > MAX_KEY_LENGTH) return colon + 1;
    keys.written[slot] = Buffer.from(text.slice(start, colon + 1), 'latin1');
  }
  keys.following[keys.last] = slot;
  keys.last = slot;
  return colon + 1;
}

function isHarmless(name: string, context: RedactionContext): boolean {
  // Whether a value is secret may depend on the name beside it.
  if (pairRole(name) === 'value') return false;
  return context.names.field(name) === 'visible' && context.shapes.hide(name) === name;
}

/** The position after a string, or -1 when something in it may have to be hidden. */
function cleanString(
  bytes: Uint8Array,
  text: string,
  start: number,
  to: number,
  context: RedactionContext,
): number {
  const scanned = scanString(bytes, start, to);
  if (scanned < 0) return -1;
  const end = scanned >> MARK_BITS;
  if (end - start < MIN_SECRET_LENGTH) return end;
  const marks = scanned & (MARKS - 1);
  if ((marks & (HAS_BEGINNING | HAS_HIDING_ESCAPE)) !== 0) return -1;
  const first = bytes[start + 1]!;
  if (first === OPEN_OBJECT || first === OPEN_LIST || first === BACKSLASH || first === 32) return -1;
  if ((marks & (HAS_EQUALS | HAS_COLON)) === 0) return end;
  if ((marks & (HAS_ESCAPE | IS_NOT_ASCII)) !== 0) return -1;
  const value = text.slice(start + 1, end - 1);
  return context.redactString(value, '', 0, context, ignore) === value ? end : -1;
}

const MARK_BITS = Math.log2(MARKS);
const ignore = (): void => undefined;

function numberEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = bytes[from] === MINUS ? from + 1 : from;
  const first = at;
  while (at < to && isDigit(bytes[at]!)) at += 1;
  if (at === first || (at > first + 1 && bytes[first] === ZERO)) return -1;
  if (at < to && bytes[at] === POINT) {
    const fraction = (at += 1);
    while (at < to && isDigit(bytes[at]!)) at += 1;
    if (at === fraction) return -1;
  }
  if (at < to && (bytes[at]! | 32) === EXPONENT) {
    let exponent = at + 1;
    if (exponent < to && (bytes[exponent] === PLUS || bytes[exponent] === MINUS)) exponent += 1;
    at = exponent;
    while (at < to && isDigit(bytes[at]!)) at += 1;
    if (at === exponent) return -1;
  }
  return at;
}

const isDigit = (code: number): boolean => code >= ZERO && code <= ZERO + 9;

const LITERALS = ['true', 'false', 'null'].map((literal) => Buffer.from(literal, 'latin1'));

function literalEnd(bytes: Uint8Array, from: number, to: number): number {
  for (const literal of LITERALS) {
    if (literal[0] === bytes[from]) return standsAt(bytes, from, to, literal) ? from + literal.length : -1;
  }
  return -1;
}

function standsAt(bytes: Uint8Array, at: number, to: number, wanted: Uint8Array): boolean {
  const { length } = wanted;
  if (length > to - at) return false;
  for (let same = 0; same < length; same += 1) if (wanted[same] !== bytes[at + same]) return false;
  return true;
}
