import { performance } from 'node:perf_hooks';

const FIRST_CEILING_MS = 100;
/** Failures in a row after which the store is taken to be away. */
const OPENS_AFTER = 4;
/** While it is away: often enough to notice within 2 s that it is back, whatever the moment. */
const PROBE_MIN_MS = 1_000;
const PROBE_MAX_MS = 1_600;

export interface RetryBreakerOptions {
  /** Monotonic, in ms. */
  readonly now?: () => number;
  readonly random?: () => number;
}

/**
 * When a store that failed is tried again: soon and ever less often at first, then by one attempt at a time, at most
 * one a second. Every wait is drawn at random, so that many processes do not come back at one moment.
 */
export class RetryBreaker {
  readonly #now: () => number;
  readonly #random: () => number;
  #failures = 0;
  #nextAt = -Infinity;

  constructor({ now = () => performance.now(), random = Math.random }: RetryBreakerOptions = {}) {
    this.#now = now;
    this.#random = random;
  }

  /** True from a failure until the next success: only one attempt may be under way. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Whether the wait after the last failure is over. */
  get mayTry(): boolean {
    return this.#now() >= this.#nextAt;
  }

  /** Rest of the wait after the last failure. */
  get waitMs(): number {
    return Math.max(0, this.#nextAt - this.#now());
  }

  /** @param failuresBefore what `failures` was when the attempt began: those that were under way together count as one */
  noteFailure(failuresBefore = this.#failures): void {
    if (this.#failures > failuresBefore) return;
    this.#failures = failuresBefore + 1;
    this.#nextAt = this.#now() + this.#drawWait();
  }

  noteSuccess(): void {
    this.#failures = 0;
    this.#nextAt = -Infinity;
  }

  #drawWait(): number {
    if (this.#failures > OPENS_AFTER) {
      return PROBE_MIN_MS + this.#random() * (PROBE_MAX_MS - PROBE_MIN_MS);
    }
    return this.#random() * FIRST_CEILING_MS * 2 ** (this.#failures - 1);
  }
}
