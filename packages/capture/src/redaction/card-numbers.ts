const MIN_DIGITS = 13;
const MAX_DIGITS = 19;
const MIN_GROUP = 3;
const ZERO = 48;
const NINE = 57;
const DOT = 46;

/**
 * Where payment card numbers stand in a text: 13 to 19 digits, with single spaces or dashes between them,
 * that pass Luhn's check and begin as an issuer's numbers do (so that ids and instants do not).
 * Looks at every 13th character only, since a card number cannot hide between them.
 * @see ISO/IEC 7812-1, and the issuers' published ranges
 */
export function findCardNumbers(text: string): Span[] {
  const found: Span[] = [];
  searchRuns(text, (start, end) => {
    found.push(...cardsInRun(text, start, end));
    return false;
  });
  return found;
}

/** A quick look that misses no card number but may be wrong, for text that still has escapes in it. */
export function mayHoldCardNumber(text: string): boolean {
  return searchRuns(text, (start, end) =>
    spans(text, start, end).some(([from, to]) => isCard(text, from, to)),
  );
}

type Span = readonly [start: number, end: number];

/** Calls `visit` with each run of digits, spaces and dashes that is long enough, until it returns true. */
function searchRuns(text: string, visit: (start: number, end: number) => boolean): boolean {
  const length = text.length;
  for (let probe = MIN_DIGITS - 1; probe < length; probe += MIN_DIGITS) {
    if (!isCardCharacter(text.charCodeAt(probe))) continue;
    let start = probe;
    while (start > 0 && isCardCharacter(text.charCodeAt(start - 1))) start -= 1;
    let end = probe + 1;
    while (end < length && isCardCharacter(text.charCodeAt(end))) end += 1;
    if (end - start >= MIN_DIGITS && visit(start, end)) return true;
    // The next probe is the 13th character after the run's end.
    probe = Math.max(probe, end - 1);
  }
  return false;
}

function cardsInRun(text: string, start: number, end: number): Span[] {
  const found: Span[] = [];
  let after = start;
  for (const span of spans(text, start, end)) {
    if (span[0] < after || isPartOfMore(text, span) || !isCard(text, ...span)) continue;
    found.push(span);
    after = span[1];
  }
  return found;
}

/** Neighbouring groups of digits, with single separators between them, that have the length of a card number. */
function spans(text: string, start: number, end: number): Span[] {
  const groups: Span[] = [];
  for (let at = start; at < end; at += 1) {
    if (!isDigit(text.charCodeAt(at))) continue;
    const from = at;
    while (at < end && isDigit(text.charCodeAt(at))) at += 1;
    groups.push([from, at]);
  }
  const found: Span[] = [];
  for (let first = 0; first < groups.length; first += 1) {
    let digits = 0;
    if (groups[first]![1] - groups[first]![0] < MIN_GROUP) continue;
    for (let next = first; next < groups.length; next += 1) {
      const [from, to] = groups[next]!;
      // Cards are written in groups of four to six, the last one shorter.
      if (next > first && (from - groups[next - 1]![1] > 1 || to - from < MIN_GROUP)) break;
      digits += to - from;
      if (digits > MAX_DIGITS) break;
      if (digits >= MIN_DIGITS) found.push([groups[first]![0], to]);
    }
  }
  return found;
}

/** True for digits within a word (a hash) and for the digits of a decimal fraction. */
function isPartOfMore(text: string, [from, to]: Span): boolean {
  const before = text.charCodeAt(from - 1);
  const after = text.charCodeAt(to);
  return (
    isWordCharacter(before) ||
    isWordCharacter(after) ||
    (before === DOT && isDigit(text.charCodeAt(from - 2))) ||
    (after === DOT && isDigit(text.charCodeAt(to + 1)))
  );
}

/** Works on the text as it is, since crafted input can ask this for every fourth character. */
function isCard(text: string, from: number, to: number): boolean {
  let length = 0;
  let sum = 0;
  let first = 0;
  for (let at = to - 1; at >= from; at -= 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0) continue;
    const doubled = digit > 4 ? 2 * digit - 9 : 2 * digit;
    sum += length % 2 === 0 ? digit : doubled;
    length += 1;
  }
  if (sum % 10 !== 0 || length < MIN_DIGITS || length > MAX_DIGITS) return false;
  for (let at = from, digits = 0; digits < 4; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0) continue;
    first = 10 * first + digit;
    digits += 1;
  }
  return hasIssuer(first, length);
}

/** @param first the first four digits */
function hasIssuer(first: number, length: number): boolean {
  const two = Math.floor(first / 100);
  const isIn = (from: number, to: number): boolean => first >= from && first <= to;
  if (isIn(4000, 4999)) return length === 13 || length === 16 || length === 19;
  if (two === 34 || two === 37) return length === 15;
  if (isIn(5100, 5599) || isIn(2221, 2720)) return length === 16;
  if (two === 36 || two === 38 || two === 39 || isIn(3000, 3059)) return length >= 14;
  return (
    length >= 16 &&
    (first === 6011 ||
      two === 65 ||
      isIn(6440, 6499) ||
      isIn(3528, 3589) ||
      two === 62 ||
      two === 81 ||
      isMaestro(two))
  );
}

function isMaestro(two: number): boolean {
  return two === 50 || (two >= 56 && two <= 58) || two === 60 || two === 63 || two === 67;
}

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;
const isCardCharacter = (code: number): boolean => isDigit(code) || code === 32 || code === 45;
const isWordCharacter = (code: number): boolean =>
  isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
