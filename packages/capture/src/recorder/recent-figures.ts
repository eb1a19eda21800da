const KEPT = 256;

/** The last few figures of a kind, to say what is usual at present. */
export class RecentFigures {
  readonly #figures = new Float64Array(KEPT);
  #count = 0;

  note(figure: number): void {
    this.#figures[this.#count % KEPT] = figure;
    this.#count += 1;
  }

  /**
   * The figure that so many of 100 do not exceed; `undefined` before the first.
   *
   * @param share above 0, at most 100: 50 is what is usual
   */
  percentile(share: number): number | undefined {
    const sorted = this.#kept.slice().sort();
    return sorted[Math.ceil((sorted.length * share) / 100) - 1];
  }

  get #kept(): Float64Array {
    return this.#figures.subarray(0, Math.min(this.#count, KEPT));
  }
}
