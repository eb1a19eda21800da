import { RecentFigures } from './recent-figures';

/** Of so many exchanges one is measured: looking at the clock costs more than some of what is measured. */
const SAMPLE_EVERY = 32;

/** What the recorder spends on the program's thread for an exchange, from its beginning to its end. */
export class HostCost {
  readonly #recent = new RecentFigures();
  #seen = 0;

  /**
   * Median of the last ones measured, in microseconds; `undefined` before the first. A mean would mostly tell how often
   * other programs took the core in between.
   */
  get usualMicros(): number | undefined {
    const median = this.#recent.percentile(50);
    return median === undefined ? undefined : median * 1000;
  }

  /** Whether the exchange that begins now is one of those that are measured. */
  isTurn(): boolean {
    this.#seen = (this.#seen + 1) % SAMPLE_EVERY;
    return this.#seen === 0;
  }

  /** @param ms of all steps together */
  note(ms: number): void {
    this.#recent.note(ms);
  }
}
