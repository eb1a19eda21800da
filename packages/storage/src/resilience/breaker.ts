import {
  BrokenCircuitError,
  CircuitState,
  circuitBreaker,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleWhen,
  type CircuitBreakerPolicy,
} from 'cockatiel';
import { errorCode, StorageError } from '../errors';

export interface BreakerOptions {
  /** For messages. */
  readonly name: string;
  /** In a row, after which nothing is asked for a while. */
  readonly failures: number;
  /** What the wait before one is let through grows to, from 100 ms. */
  readonly resetAfterMs: number;
  readonly onCircuit?: ((state: 'open' | 'closed') => void) | undefined;
}

/** A connection that was cut is mostly there again within some 50 ms, and by then many calls may have failed. */
const FIRST_MS = 100;

/**
 * Stops asking an engine that has failed several times in a row. The policy that counts is asked only while something
 * has failed and nothing has succeeded since: most operations succeed, and some take no longer than it does.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #policy: CircuitBreakerPolicy;
  /** In this turn of the event loop: a driver may fail with the same error again later. */
  readonly #counted = new Set<Error>();
  #isQuiet = true;

  constructor(options: BreakerOptions) {
    this.#options = options;
    const { failures, resetAfterMs, onCircuit } = options;
    this.#policy = circuitBreaker(
      handleWhen((error) => this.#isFailure(error)),
      {
        halfOpenAfter: new ExponentialBackoff<number>({
          initialDelay: FIRST_MS,
          maxDelay: resetAfterMs,
          exponent: 2,
          generator: (times = 0, { initialDelay, maxDelay }) => [
            Math.min(maxDelay, initialDelay * 2 ** times),
            times + 1,
          ],
        }),
        breaker: new ConsecutiveBreaker(failures),
      },
    );
    // Not where it comes of a call from before the circuit opened.
    this.#policy.onSuccess(() => {
      if (this.#policy.state !== CircuitState.Open) this.#isQuiet = true;
    });
    this.#policy.onStateChange((state) => {
      if (state === CircuitState.Open) onCircuit?.('open');
      else if (state === CircuitState.Closed) onCircuit?.('closed');
    });
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#isQuiet) return this.#runCounted(work);
    let answer: T;
    try {
      answer = await work();
    } catch (error) {
      if (this.#isClosed) await this.#runCounted(() => Promise.reject(error as Error));
      throw error;
    }
    if (this.#hasFailed()) await this.#runCounted(() => Promise.resolve());
    return answer;
  }

  /** Meanwhile, and not the last one: what counts has to hear of a success. */
  #hasFailed(): boolean {
    return !this.#isQuiet && this.#isClosed;
  }

  get #isClosed(): boolean {
    return this.#policy.state === CircuitState.Closed;
  }

  async #runCounted<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#policy.execute(work);
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      const { name, failures } = this.#options;
      const { lastFailure } = this.#policy;
      const last = lastFailure !== undefined && 'error' in lastFailure ? lastFailure.error : error;
      const text = `The ${name} backend is not asked for a while, since it failed ${failures} times in a row. Last: ${last.message}`;
      throw new StorageError('UNAVAILABLE', text, { cause: error });
    }
  }

  #isFailure(error: Error): boolean {
    // A pool with no connection to spare says nothing about the server. Calls that an engine was asked together fail
    // with one error, and that is one failure.
    if (errorCode(error) !== 'UNAVAILABLE' || this.#counted.has(error)) return false;
    if (this.#counted.size === 0) setImmediate(() => this.#counted.clear());
    this.#counted.add(error);
    this.#isQuiet = false;
    return true;
  }
}

/** Not asked at all, since the ones before failed. */
export function isCircuitOpen(error: unknown): boolean {
  return error instanceof StorageError && error.cause instanceof BrokenCircuitError;
}
