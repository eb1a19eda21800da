import {
  ExponentialBackoff,
  handleWhen,
  retry,
  timeout,
  TaskCancelledError,
  TimeoutStrategy,
} from 'cockatiel';
import { StorageError } from '../errors';
import { hasLostItsTurn } from '../writes-in-order';
import type { Around, Operation } from './around-backend';
import { Breaker, isCircuitOpen } from './breaker';
import { isTransient, wasNotDone } from './transient';

export interface CallPolicyOptions {
  /** For messages. */
  readonly name: string;
  /** No attempt begins after this time. */
  readonly budgetMs: number;
  /** Longest time of one attempt, for a backend that has no time-out of its own. */
  readonly attemptTimeoutMs?: number | undefined;
  readonly retry:
    { readonly retries: number; readonly initialDelayMs: number; readonly maxDelayMs: number } | false;
  readonly circuitBreaker: { readonly failures: number; readonly resetAfterMs: number } | false;
  /** From 0 up to 1, as `Math.random`. */
  readonly random?: () => number;
  readonly onRetry?: (attempt: number, delayMs: number) => void;
  readonly onCircuit?: (state: 'open' | 'closed') => void;
}

/** An error that has to go past the policy for retries. */
class Final {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/**
 * Time-out, retries with exponential back-off and full jitter, and a circuit breaker around each operation. An
 * operation that may have worked is tried again only if that does no harm.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function callPolicy(options: CallPolicyOptions): Around {
  const attempt = withTimeout(options, withBreaker(options));
  const policy = retryPolicy(options);
  const perform = <T>({ method }: Operation, run: () => Promise<T>): Promise<T> =>
    method === 'open' ? run() : attempt(run);
  const again = async <T>(
    failure: unknown,
    operation: Operation,
    run: () => Promise<T>,
    startedAt: number,
  ): Promise<T> => {
    const mayRepeat = (error: unknown): boolean =>
      isTransient(error) &&
      !hasLostItsTurn(error) &&
      !isCircuitOpen(error) &&
      (operation.isRepeatable || wasNotDone(error)) &&
      performance.now() - startedAt < options.budgetMs;
    if (!mayRepeat(failure)) throw failure;
    let isFirst = true;
    try {
      return await policy.execute(async () => {
        try {
          if (!isFirst) return await perform(operation, run);
          isFirst = false;
        } catch (error) {
          throw mayRepeat(error) ? error : new Final(error);
        }
        throw failure;
      });
    } catch (error) {
      throw error instanceof Final ? error.error : error;
    }
  };
  return async (operation, run) => {
    const startedAt = performance.now();
    try {
      return await perform(operation, run);
    } catch (error) {
      // Only now, since most operations succeed, and some take no longer than the policy does.
      return await again(error, operation, run, startedAt);
    }
  };
}

type Attempt = <T>(run: () => Promise<T>) => Promise<T>;

function retryPolicy({ retry: settings, random = Math.random, onRetry }: CallPolicyOptions) {
  const policy = retry(
    handleWhen((error) => !((error as unknown) instanceof Final)),
    {
      maxAttempts: settings === false ? 0 : settings.retries,
      backoff:
        settings === false
          ? new ExponentialBackoff()
          : new ExponentialBackoff<number>({
              initialDelay: settings.initialDelayMs,
              maxDelay: settings.maxDelayMs,
              exponent: 2,
              generator: (attempts = 0, { initialDelay, maxDelay }) => [
                random() * Math.min(maxDelay, initialDelay * 2 ** attempts),
                attempts + 1,
              ],
            }),
    },
  );
  if (onRetry !== undefined) policy.onRetry(({ attempt, delay }) => onRetry(attempt, delay));
  return policy;
}

function withBreaker({ circuitBreaker: settings, name, onCircuit }: CallPolicyOptions): Attempt {
  if (settings === false) return (run) => run();
  const breaker = new Breaker({ name, ...settings, onCircuit });
  return (run) => breaker.run(run);
}

function withTimeout({ attemptTimeoutMs, name }: CallPolicyOptions, inner: Attempt): Attempt {
  if (attemptTimeoutMs === undefined) return inner;
  const policy = timeout(attemptTimeoutMs, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false });
  return (run) =>
    inner(async () => {
      try {
        return await policy.execute(run);
      } catch (error) {
        if (!(error instanceof TaskCancelledError)) throw error;
        const text = `The ${name} backend did not answer within ${attemptTimeoutMs} ms.`;
        throw new StorageError('UNAVAILABLE', text, { cause: error });
      }
    });
}
