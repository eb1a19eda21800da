import { randomFillSync, randomInt } from 'node:crypto';
import { v7 } from 'uuid';

const DIGITS = Buffer.from('0123456789abcdef');
/** Where the two digits of each byte stand. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const SIZE = PLACES.length;

/** A call of the system's for each id would take longer than all the rest of it. */
const pool = new Uint8Array(256 * SIZE);
const randoms = Array.from({ length: 256 }, (_, at) => pool.subarray(at * SIZE, (at + 1) * SIZE));
let used = randoms.length;

const bytes = new Uint8Array(SIZE);
const text = Buffer.alloc(36, '-');

/** Of the last id; within a millisecond the sequence counts on from where chance began it. */
const last = { random: pool, msecs: 0, seq: 0 };
const MAX_SEQUENCE = 2 ** 32 - 1;

/**
 * A new UUID version 7: its text sorts by time of creation, so an index on it grows at one end.
 *
 * @see RFC 9562, section 5.7
 */
export function newId(): string {
  if (used === randoms.length) {
    randomFillSync(pool);
    used = 0;
  }
  last.random = randoms[used++]!;
  countOn(Date.now());
  v7(last, bytes);
  // As text from `uuid`, it would be put together of twenty strings.
  for (let at = 0; at < SIZE; at += 1) {
    const byte = bytes[at]!;
    const place = PLACES[at]!;
    text[place] = DIGITS[byte >> 4]!;
    text[place + 1] = DIGITS[byte & 15]!;
  }
  return text.toString('latin1');
}

const TIME_ORDERED = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether it is an id as `newId` makes them; the text of anything else says nothing about time. */
export function isTimeOrdered(id: string): boolean {
  return TIME_ORDERED.test(id);
}

function countOn(now: number): void {
  if (now > last.msecs) {
    last.msecs = now;
    last.seq = randomInt(2 ** 31);
  } else if (last.seq < MAX_SEQUENCE) last.seq += 1;
  else {
    last.msecs += 1;
    last.seq = 0;
  }
}
