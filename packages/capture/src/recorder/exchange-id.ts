import { randomBytes } from 'node:crypto';

const POOL_BYTES = 4096;
const COUNTER_LIMIT = 0x1000;
const VARIANTS = '89ab';
const RANDOM_DIGITS = 16;
const HEX = Array.from({ length: 0x100 }, (_, byte) => byte.toString(16).padStart(2, '0'));

let pool = '';
let poolAt = 0;
let instant = 0;
let prefix = '';
let counter = 0;

/**
 * An id for an exchange: a UUID version 7, whose text sorts by time of creation. Made on the program's thread for
 * every exchange, hence from a pool of random digits; within a millisecond a counter keeps the order.
 *
 * @see RFC 9562, sections 5.7 and 6.2 (method 1)
 */
export function newExchangeId(): string {
  const now = Date.now();
  if (now > instant) beginInstant(now);
  else if ((counter += 1) === COUNTER_LIMIT) beginInstant(instant + 1);
  const at = takeDigits(RANDOM_DIGITS);
  const variant = VARIANTS[pool.charCodeAt(at) & 3]!;
  const count = HEX[counter >> 8]!.charAt(1) + HEX[counter & 0xff]!;
  return `${prefix}${count}-${variant}${pool.slice(at + 1, at + 4)}-${pool.slice(at + 4, at + RANDOM_DIGITS)}`;
}

/** The counter starts in its lower half, so that there is room above. */
function beginInstant(now: number): void {
  instant = now;
  const at = takeDigits(3);
  counter = Number.parseInt(pool.slice(at, at + 3), 16) & 0x7ff;
  const digits = now.toString(16).padStart(12, '0');
  prefix = `${digits.slice(0, 8)}-${digits.slice(8)}-7`;
}

/** Where in the pool so many digits are that nobody has had. */
function takeDigits(count: number): number {
  if (poolAt + count > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex');
    poolAt = 0;
  }
  poolAt += count;
  return poolAt - count;
}
