import type { Backend } from '../backend';
import { errorCode } from '../errors';
import { aroundBackend } from '../resilience/around-backend';
import { isConsequence } from './is-consequence';
import type { FailureContext, StorageLog } from './storage-log';

/** What the caller does wrong or may expect is the caller's to handle, and no failure of the storage. */
const OF_THE_CALLER = new Set([
  'KEY_INVALID',
  'VALUE_INVALID',
  'VALUE_TOO_LARGE',
  'ARGUMENT_INVALID',
  'WRONG_TYPE',
  'CONFLICT',
  'UNSUPPORTED',
  'NOT_OPEN',
  'CLOSED',
]);

export interface ObserveOptions {
  readonly log: StorageLog;
  readonly slowOperationMs: number | undefined;
  readonly context: Omit<FailureContext, 'operation'>;
  readonly newId: (() => string) | undefined;
}

/** A backend whose slow operations are logged and whose failures are told to `onError`. Keys and values never are. */
export function observeBackend(
  backend: Backend,
  { log, slowOperationMs, context, newId }: ObserveOptions,
): Backend {
  return aroundBackend(
    backend,
    async ({ method }, run) => {
      const startedAt = performance.now();
      try {
        return await run();
      } catch (error) {
        if (!OF_THE_CALLER.has(errorCode(error) ?? '') && !isConsequence(error))
          log.failed(error, { ...context, operation: method });
        throw error;
      } finally {
        const durationMs = performance.now() - startedAt;
        if (slowOperationMs !== undefined && durationMs >= slowOperationMs) {
          const details = { ...context, operation: method, durationMs: Math.round(durationMs) };
          log.warn(details, `Slow storage operation: ${method} took ${details.durationMs} ms.`);
        }
      }
    },
    newId === undefined ? {} : { newId },
  );
}
