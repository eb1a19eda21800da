import { errorCode } from '../errors';

/** Codes of failures that another attempt may not meet. */
const TRANSIENT = new Set(['UNAVAILABLE', 'POOL_EXHAUSTED']);

/** Whether another attempt may succeed: the engine was not reached, or did not answer. */
export function isTransient(error: unknown): boolean {
  return TRANSIENT.has(errorCode(error) ?? '');
}

/**
 * Failures before anything was done, by their codes: to connect (Node), to get a lock (SQLite, PostgreSQL), of a
 * transaction that was undone or of a server that is starting (PostgreSQL).
 */
const NOT_DONE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'POOL_EXHAUSTED',
  'SQLITE_BUSY',
  'SQLITE_BUSY_SNAPSHOT',
  'SQLITE_LOCKED',
  '40001',
  '40P01',
  '55P03',
  '57P03',
]);

/** What Redis answers in place of what was asked. */
const REFUSAL = 'ReplyError';

/** Longer chains of causes are made by hand. */
const DEPTH = 5;

/** Whether the engine certainly did nothing of the operation. */
export function wasNotDone(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < DEPTH && typeof cause === 'object' && cause !== null; depth += 1) {
    if (NOT_DONE.has(errorCode(cause) ?? '') || (cause as { name?: unknown }).name === REFUSAL) return true;
    cause = 'cause' in cause ? cause.cause : undefined;
  }
  return false;
}
