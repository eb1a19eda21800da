/** U+0000 and half surrogate pairs, as JSON text escapes them: what jsonb refuses. */
const REFUSED = /(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

/** Of a number. What a string holds may look like one, and is counted as well. */
const EXPONENTS = /\de[+-](\d{1,3})[,\]}]/g;

/** Beyond as many as the JSON is long: a page of a thousand values becomes no more than 4 MiB longer by them. */
const SPARE_DIGITS = 4_096;

/**
 * Whether JSON is to be kept as jsonb: it can be, and jsonb prints it no more than some three times as long. It prints
 * all digits of a number, 309 for `1e+308`, and a text that is longer than Node can hold ends the process in `pg`.
 */
export function fitsJsonb(json: string): boolean {
  // Most have no escape, and looking for one is quicker.
  return !(json.includes('\\u') && REFUSED.test(json)) && !printsLong(json);
}

function printsLong(json: string): boolean {
  const most = json.length + SPARE_DIGITS;
  let digits = 0;
  EXPONENTS.lastIndex = 0;
  for (let found = EXPONENTS.exec(json); found !== null; found = EXPONENTS.exec(json)) {
    digits += Number(found[1]);
    if (digits > most) return true;
  }
  return false;
}
