import type { RetryBreaker } from './retry-breaker';
import { within } from './within';

/** How long a query waits for a store that is being opened. */
const GRACE_MS = 1_000;

/** Opens a store when it is first needed, and again after a while when that failed. */
export class StoreOpening {
  readonly #open: () => Promise<void>;
  readonly #breaker: RetryBreaker;
  readonly #onFailure: (error: unknown, where: string) => void;
  #opening: Promise<void> | undefined;
  #isOpen = false;
  #isStopped = false;

  constructor(
    open: () => Promise<void>,
    breaker: RetryBreaker,
    onFailure: (error: unknown, where: string) => void,
  ) {
    this.#open = open;
    this.#breaker = breaker;
    this.#onFailure = onFailure;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @throws what opening fails with; it is tried again at the next call. */
  ready(): Promise<void> {
    this.#opening ??= this.#open().then(
      () => {
        this.#isOpen = true;
      },
      (error: unknown) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }

  /** Starts, if that has not been done and did not fail a moment ago; a failure is told, not thrown. */
  start(): void {
    if (this.#opening !== undefined || this.#isStopped || !this.#breaker.mayTry) return;
    const failuresBefore = this.#breaker.failures;
    this.ready().catch((error: unknown) => {
      this.#breaker.noteFailure(failuresBefore);
      this.#onFailure(error, 'open');
    });
  }

  /** Starts when nothing has done so yet, and gives it a moment. */
  isReady(): boolean | Promise<boolean> {
    if (this.#isOpen || this.#isStopped) return this.#isOpen;
    this.start();
    // Whether it fails is told by `start`; here it only counts that it is not open.
    const opening = this.#opening?.catch(() => undefined);
    return opening === undefined ? false : within(GRACE_MS, opening).then(() => this.#isOpen);
  }

  /** Nothing is opened by itself any more. */
  stop(): void {
    this.#isStopped = true;
  }

  close(): void {
    this.#isOpen = false;
  }
}
