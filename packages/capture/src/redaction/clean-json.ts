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
    at = skipBlank(bytes, at, to);
    if (at >= to) return false;
    const code = bytes[at]!;
    let isOpened = false;
    if (code === QUOTE) {
      at = cleanString(bytes, text, at, to, context);
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (depth === MAX_DEPTH) return false;
      depth += 1;
      kinds = (kinds << 1) | (code === OPEN_OBJECT ? 1 : 0);
      at = skipBlank(bytes, at + 1, to);
      if (at >= to) return false;
      isOpened = bytes[at] !== (code === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_LIST);
      if (isOpened && code === OPEN_OBJECT) at = harmlessKey(bytes, text, at, to, context);
    } else {
      at = code === 45 || (code >= 48 && code <= 57) ? numberEnd(bytes, at, to) : literalEnd(text, at, to);
    }
    if (at < 0) return false;
    if (isOpened) continue;
    for (;;) {
      at = skipBlank(bytes, at, to);
      if (depth === 0) return at >= to;
      if (at >= to) return false;
      const next = bytes[at]!;
      const isObject = (kinds & 1) === 1;
      if (next === COMMA) {
        at += 1;
        if (isObject) at = harmlessKey(bytes, text, skipBlank(bytes, at, to), to, context);
        if (at < 0) return false;
        break;
      }
      if (next !== (isObject ? CLOSE_OBJECT : CLOSE_LIST)) return false;
      at += 1;
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
  if (start >= to || bytes[start] !== QUOTE) return -1;
  let at = start + 1;
  let hash = 0;
  for (; at < to; at += 1) {
    const code = bytes[at]!;
    if (code === QUOTE) break;
    if (code < 32 || code > 126 || code === BACKSLASH) return -1;
    hash = (Math.imul(hash, 31) + code) | 0;
  }
  if (at >= to || !isHarmless(bytes, text, start + 1, at, hash, context)) return -1;
  at = skipBlank(bytes, at + 1, to);
  return at < to && bytes[at] === COLON ? at + 1 : -1;
}

function isHarmless(
  bytes: Uint8Array,
  text: string,
  from: number,
  to: number,
  hash: number,
  context: RedactionContext,
): boolean {
  const slot = (hash ^ (hash >>> 10)) & (KEY_SLOTS - 1);
  const known = context.harmlessKeys[slot];
  if (known !== undefined && known.length === to - from) {
    let same = 0;
    while (same < known.length && known[same] === bytes[from + same]) same += 1;
    if (same === known.length) return true;
  }
  const name = text.slice(from, to);
  // Whether a value is secret may depend on the name beside it.
  if (pairRole(name) === 'value') return false;
  if (context.names.field(name) !== 'visible' || context.shapes.hide(name) !== name) return false;
  if (name.length <= MAX_KEY_LENGTH) context.harmlessKeys[slot] = Buffer.from(name, 'latin1');
  return true;
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
  let at = bytes[from] === 45 ? from + 1 : from;
  const first = at;
  at = digitsEnd(bytes, at, to);
  if (at === first || (at > first + 1 && bytes[first] === 48)) return -1;
  if (at < to && bytes[at] === 46) {
    const fraction = at + 1;
    at = digitsEnd(bytes, fraction, to);
    if (at === fraction) return -1;
  }
  if (at < to && (bytes[at]! | 32) === 101) {
    let exponent = at + 1;
    if (exponent < to && (bytes[exponent] === 43 || bytes[exponent] === 45)) exponent += 1;
    at = digitsEnd(bytes, exponent, to);
    if (at === exponent) return -1;
  }
  return at;
}

function digitsEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at]! >= 48 && bytes[at]! <= 57) at += 1;
  return at;
}

function literalEnd(text: string, at: number, to: number): number {
  const end = at + (text.charCodeAt(at) === 102 ? 5 : 4);
  if (end > to) return -1;
  return text.startsWith('true', at) || text.startsWith('false', at) || text.startsWith('null', at)
    ? end
    : -1;
}
