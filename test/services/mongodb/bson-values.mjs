import { BSON } from 'mongodb';

/*
 * Within the stand-in, each byte of a string's UTF-8 is a character of its own, so that JavaScript compares strings as
 * the server does: by their bytes.
 */

const { Binary, ObjectId } = BSON;
const ASCII = /^[\0-\x7f]*$/;

export const toInner = (value) =>
  mapTexts(value, (text) => (ASCII.test(text) ? text : Buffer.from(text).toString('latin1')));

export const toOuter = (value) =>
  mapTexts(value, (text) => (ASCII.test(text) ? text : Buffer.from(text, 'latin1').toString()));

function mapTexts(value, change) {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((element) => mapTexts(element, change));
  if (!isDocument(value)) return value;
  const mapped = {};
  for (const [name, member] of Object.entries(value)) mapped[name] = mapTexts(member, change);
  return mapped;
}

export function isDocument(value) {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** @see https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/ */
function rankOf(value) {
  if (value === undefined || value === null) return 1;
  if (typeof value === 'number' || typeof value === 'bigint') return 2;
  if (typeof value === 'string') return 3;
  if (Array.isArray(value)) return 5;
  if (value instanceof Uint8Array || value instanceof Binary) return 6;
  if (value instanceof ObjectId) return 7;
  if (typeof value === 'boolean') return 8;
  if (value instanceof Date) return 9;
  return 4;
}

export function compareValues(a, b) {
  const [rankA, rankB] = [rankOf(a), rankOf(b)];
  if (rankA !== rankB) return rankA - rankB;
  switch (rankA) {
    case 1:
      return 0;
    case 6:
      return a.length - b.length || Buffer.compare(a, b);
    case 7:
      return Buffer.compare(a.id, b.id);
    case 4:
    case 5:
      return compareContainers(a, b);
    default:
      return a < b ? -1 : a > b ? 1 : 0;
  }
}

function compareContainers(a, b) {
  const [inA, inB] = [Object.entries(a), Object.entries(b)];
  for (let at = 0; at < Math.min(inA.length, inB.length); at += 1) {
    const [[nameA, valueA], [nameB, valueB]] = [inA[at], inB[at]];
    const order =
      rankOf(valueA) - rankOf(valueB) || compareValues(nameA, nameB) || compareValues(valueA, valueB);
    if (order !== 0) return order;
  }
  return inA.length - inB.length;
}
