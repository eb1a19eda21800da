import { errorCode } from '../errors';

/** Codes of failures that another attempt may not meet. */
const TRANSIENT = new Set(['UNAVAILABLE', 'POOL_EXHAUSTED']);

/** Whether another attempt may succeed: the engine was not reached, or did not answer. */
export function isTransient(error: unknown): boolean {
  return TRANSIENT.has(errorCode(error) ?? '');
}

/** Failures to connect, by their codes in Node. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'POOL_EXHAUSTED',
]);

/** Longer chains of causes are made by hand. */
const DEPTH = 5;

/** Whether the engine certainly knows nothing of the operation. */
export function wasNeverSent(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < DEPTH && typeof cause === 'object' && cause !== null; depth += 1) {
    if (NOT_CONNECTED.has(errorCode(cause) ?? '')) return true;
    cause = 'cause' in cause ? cause.cause : undefined;
  }
  return false;
}
