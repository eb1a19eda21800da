export interface StepLevelOptions {
  /** From which value on each step is taken, in ascending order; `Infinity` for a step that never is. */
  readonly rise: readonly number[];
  /** A step is taken back below this share of its value. */
  readonly fallTo: number;
  /** For how long a step is kept at least. */
  readonly minStayMs: number;
}

/**
 * How many of some steps a value asks for. Up at once and as far as need be; down one step at a time, when the value is
 * well below the step's own and the step has been kept for a while, so that a value near a bound does not flap.
 */
export class StepLevel {
  readonly #options: StepLevelOptions;
  #level = 0;
  #since = -Infinity;

  constructor(options: StepLevelOptions) {
    this.#options = options;
  }

  /** 0: no step. */
  get level(): number {
    return this.#level;
  }

  /** @param now monotonic, in ms */
  update(value: number, now: number): number {
    const { rise, fallTo, minStayMs } = this.#options;
    let asked = this.#level;
    while (asked < rise.length && value >= (rise[asked] ?? Infinity)) asked += 1;
    if (asked > this.#level) {
      this.#level = asked;
      this.#since = now;
    } else if (
      this.#level > 0 &&
      value < (rise[this.#level - 1] ?? 0) * fallTo &&
      now - this.#since >= minStayMs
    ) {
      this.#level -= 1;
      this.#since = now;
    }
    return this.#level;
  }
}
