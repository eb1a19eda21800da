/** Colours only where a person looks: https://no-color.org */
const isColoured = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
const paint = (code) => (text) => (isColoured ? `\x1b[${code}m${text}\x1b[0m` : String(text));

export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);

const width = 100;
let section = 0;

export function title(text, subtitle) {
  console.log(`\n${bold(text)}\n${dim(subtitle)}`);
}

/** A numbered heading over what follows. */
export function heading(text) {
  section += 1;
  const line = `── ${section}. ${text} `;
  console.log(`\n${bold(line.padEnd(width, '─'))}`);
}

export function say(text = '') {
  console.log(text === '' ? '' : `  ${text}`);
}

/**
 * @param {string[]} names headings of the columns; one that begins with `>` is aligned to the right
 * @param {unknown[][]} rows
 */
export function table(names, rows) {
  const isRight = names.map((name) => name.startsWith('>'));
  const heads = names.map((name) => name.replace(/^>/, ''));
  const cells = rows.map((row) => row.map((cell) => oneLine(String(cell ?? '–'), 56)));
  const widths = heads.map((head, at) => Math.max(head.length, ...cells.map((row) => row[at].length)));
  const line = (row) =>
    row
      .map((cell, at) => (isRight[at] ? cell.padStart(widths[at]) : cell.padEnd(widths[at])))
      .join('  ')
      .trimEnd();
  say(dim(line(heads)));
  for (const row of cells) say(line(row));
}

/** Control characters would act on the terminal. */
export function oneLine(text, length) {
  return shorten(text.replace(/\s+/g, ' ').replace(/\p{Cc}/gu, ''), length);
}

function shorten(text, length) {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** @param {unknown} value shown as indented JSON with long strings cut */
export function json(value, longest = 72) {
  const text = JSON.stringify(
    value,
    (_key, each) => (typeof each === 'string' ? shorten(each, longest) : each),
    2,
  );
  for (const line of text.split('\n')) say(`  ${line}`);
}

export function bytes(count) {
  return count < 10_240 ? `${count} B` : `${(count / 1024).toFixed(1)} KiB`;
}
