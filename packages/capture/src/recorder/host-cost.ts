import { performance } from 'node:perf_hooks';
import { RecentFigures } from './recent-figures';

/** Of so many exchanges one is measured: looking at the clock costs more than some of what is measured. */
const SAMPLE_EVERY = 32;

/** What the recorder spends on the program's thread for an exchange, in the steps at its beginning and its end. */
export class HostCost {
  readonly #recent = new RecentFigures();
  /** Of exchanges that are measured and not over yet: ms so far. */
  readonly #open = new WeakMap<object, number>();
  #seen = 0;

  /**
   * Median of the last ones measured, in microseconds; `undefined` before the first. A mean would mostly tell how often
   * other programs took the core in between.
   */
  get usualMicros(): number | undefined {
    const median = this.#recent.percentile(50);
    return median === undefined ? undefined : median * 1000;
  }

  /** Does the first step of an exchange, and measures it when it is that one's turn. */
  begin<Open extends object | undefined>(step: () => Open): Open {
    this.#seen += 1;
    if (this.#seen % SAMPLE_EVERY !== 0) return step();
    const startedAt = performance.now();
    const open = step();
    if (open !== undefined) this.#open.set(open, performance.now() - startedAt);
    return open;
  }

  /** Does the last step. */
  end(open: object, step: () => void): void {
    const before = this.#open.get(open);
    if (before === undefined) {
      step();
      return;
    }
    const startedAt = performance.now();
    step();
    this.#recent.note(before + performance.now() - startedAt);
    this.#open.delete(open);
  }
}
