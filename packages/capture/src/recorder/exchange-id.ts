import { randomBytes } from 'node:crypto';

const POOL_BYTES = 4096;
const COUNTER_LIMIT = 0x1000;
const VARIANTS = '89ab';

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
  const digits = randomDigits(16);
  const variant = VARIANTS[digits.charCodeAt(0) & 3] ?? '8';
  const count = counter < 0x10 ? '00' : counter < 0x100 ? '0' : '';
  return `${prefix}${count}${counter.toString(16)}-${variant}${digits.slice(1, 4)}-${digits.slice(4)}`;
}

/** The counter starts in its lower half, so that there is room above. */
function beginInstant(now: number): void {
  instant = now;
  counter = Number.parseInt(randomDigits(3), 16) & 0x7ff;
  const digits = now.toString(16).padStart(12, '0');
  prefix = `${digits.slice(0, 8)}-${digits.slice(8)}-7`;
}

function randomDigits(count: number): string {
  if (poolAt + count > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex');
    poolAt = 0;
  }
  return pool.slice(poolAt, (poolAt += count));
}
