import { errorCode } from '../errors';
import { isCircuitOpen } from './breaker';

/** Codes of failures that another attempt may not meet. */
const TRANSIENT = new Set(['UNAVAILABLE', 'POOL_EXHAUSTED']);

/** Whether another attempt may succeed: the engine was not reached, or did not answer. */
export function isTransient(error: unknown): boolean {
  return TRANSIENT.has(errorCode(error) ?? '');
}

/**
 * Failures before anything was done, by their codes: to connect (Node; `CONNECT_TIMEOUT` is ours), to get a lock (SQLite,
 * PostgreSQL), of a transaction that was undone or of a server that is starting (PostgreSQL). `NOT_DONE` is for backends of
 * one's own.
 */
const NOT_DONE = new Set([
  'NOT_DONE',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'CONNECT_TIMEOUT',
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

/** Of a driver that makes a write again by itself: its last attempt says nothing of the ones before. */
const REPEATING = /^Mongo/;

/** Whether the engine certainly did nothing of the operation. */
export function wasNotDone(error: unknown): boolean {
  const chain: { readonly name?: unknown; readonly cause?: unknown }[] = [];
  for (let each = error; chain.length < DEPTH && typeof each === 'object' && each !== null;) {
    chain.push(each);
    each = (each as { readonly cause?: unknown }).cause;
  }
  if (chain.some(({ name }) => typeof name === 'string' && REPEATING.test(name))) return false;
  return chain.some(
    (each) => NOT_DONE.has(errorCode(each) ?? '') || each.name === REFUSAL || isCircuitOpen(each),
  );
}
