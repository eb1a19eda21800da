const KEPT = 256;

/** The last few figures of a kind, to say what is usual at present. */
export class RecentFigures {
  readonly #figures = new Float64Array(KEPT);
  #count = 0;

  note(figure: number): void {
    this.#figures[this.#count % KEPT] = figure;
    this.#count += 1;
  }

  /** `undefined` before the first. */
  get mean(): number | undefined {
    const kept = this.#kept;
    return kept.length === 0 ? undefined : kept.reduce((sum, figure) => sum + figure, 0) / kept.length;
  }

  /** The figure that 95 of 100 do not exceed; `undefined` before the first. */
  get p95(): number | undefined {
    const sorted = this.#kept.slice().sort();
    return sorted[Math.ceil(sorted.length * 0.95) - 1];
  }

  get #kept(): Float64Array {
    return this.#figures.subarray(0, Math.min(this.#count, KEPT));
  }
}
