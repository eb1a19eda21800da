import { errorCode } from '../errors';

/** After a failure. */
const PAUSE_MS = 1_000;

/** Something that is opened once, and again by those who want it as long as it cannot be reached. */
export class LateOpening {
  readonly #open: () => Promise<void>;
  readonly #now: () => number;
  readonly #onAway: (error: Error) => void;
  #opening: Promise<void> | undefined;
  #isOpen = false;
  #isEnded = false;
  #failedAt = -Infinity;

  /** @param onAway told of each attempt that fails with `UNAVAILABLE` */
  constructor(open: () => Promise<void>, now: () => number, onAway: (error: Error) => void) {
    this.#open = open;
    this.#now = now;
    this.#onAway = onAway;
  }

  /** Whether it is there; where it is not, another attempt begins, unless one is under way or has just failed. */
  get isOpen(): boolean {
    // A clock may be set back.
    const isDue = Math.abs(this.#now() - this.#failedAt) >= PAUSE_MS;
    if (!this.#isOpen && !this.#isEnded && this.#opening === undefined && isDue)
      void this.#openOnce().catch(this.#onAway);
    return this.#isOpen;
  }

  /**
   * Resolves also where it cannot be reached.
   *
   * @throws {StorageError} for every other reason
   */
  async open(): Promise<void> {
    this.#isEnded = false;
    await this.#openOnce();
  }

  /** Resolves once no attempt is under way; none begins until it is opened again. */
  async end(): Promise<void> {
    this.#isEnded = true;
    await this.#opening?.catch(() => undefined);
    this.#isOpen = false;
  }

  #openOnce(): Promise<void> {
    this.#opening ??= this.#attempt().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #attempt(): Promise<void> {
    try {
      await this.#open();
      this.#isOpen = true;
    } catch (error) {
      this.#failedAt = this.#now();
      if (errorCode(error) !== 'UNAVAILABLE') throw error;
      this.#onAway(error as Error);
    }
  }
}
