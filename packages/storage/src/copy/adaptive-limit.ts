/** How many things to ask for at once, so that they take about as much memory as is meant for them. */
export class AdaptiveLimit {
  readonly #max: number;
  readonly #budgetBytes: number;
  #limit: number;

  constructor(first: number, max: number, budgetBytes: number) {
    this.#limit = first;
    this.#max = max;
    this.#budgetBytes = budgetBytes;
  }

  get current(): number {
    return this.#limit;
  }

  /** What the last ones took. It grows slowly, since small things may be followed by large ones. */
  took(count: number, bytes: number): void {
    if (count === 0) return;
    const fitting = Math.floor(this.#budgetBytes / Math.max(bytes / count, 1));
    this.#limit = Math.max(1, Math.min(fitting, this.#limit * 4, this.#max));
  }
}
