const MIN_DIGITS = 13;
const MAX_DIGITS = 19;
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
    for (let next = first; next < groups.length; next += 1) {
      const [from, to] = groups[next]!;
      if (next > first && from - groups[next - 1]![1] > 1) break;
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

function isCard(text: string, from: number, to: number): boolean {
  const digits = text.slice(from, to).replace(/\D/g, '');
  return (
    digits.length >= MIN_DIGITS && digits.length <= MAX_DIGITS && hasIssuer(digits) && passesLuhn(digits)
  );
}

function hasIssuer(digits: string): boolean {
  const length = digits.length;
  const two = Number(digits.slice(0, 2));
  const four = Number(digits.slice(0, 4));
  if (digits.startsWith('4')) return length === 13 || length === 16 || length === 19;
  if (two === 34 || two === 37) return length === 15;
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return length === 16;
  if (four === 6011 || two === 65 || (four >= 6440 && four <= 6499)) return length >= 16;
  if (two === 36 || two === 38 || two === 39 || (four >= 3000 && four <= 3059)) return length >= 14;
  if (four >= 3528 && four <= 3589) return length >= 16;
  if (two === 62 || two === 81) return length >= 16;
  return (two === 50 || (two >= 56 && two <= 58) || two === 60 || two === 63 || two === 67) && length >= 16;
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = digits.length - 1, double = false; at >= 0; at -= 1, double = !double) {
    const digit = digits.charCodeAt(at) - ZERO;
    sum += double ? (digit > 4 ? 2 * digit - 9 : 2 * digit) : digit;
  }
  return sum % 10 === 0;
}

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;
const isCardCharacter = (code: number): boolean => isDigit(code) || code === 32 || code === 45;
const isWordCharacter = (code: number): boolean =>
  isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
