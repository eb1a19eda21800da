/** Well under the 20 ms that no stretch may exceed, since the next slice may cost more per row than the last. */
const TARGET_MS = 6;

/** How many rows the next statement takes so that it holds the thread for a few milliseconds. Learns from each. */
export class SliceSize {
  readonly #most: number;
  #rows: number;

  constructor(first: number, most: number) {
    this.#rows = first;
    this.#most = most;
  }

  get rows(): number {
    return this.#rows;
  }

  learn(rows: number, tookMs: number): void {
    if (rows === 0) return;
    const fitting = (TARGET_MS / Math.max(tookMs, 0.01)) * rows;
    // Up slowly, since a first slice may have been cheap by chance; down at once.
    this.#rows = Math.max(1, Math.floor(Math.min(fitting, this.#rows * 4, this.#most)));
  }
}
