const WINDOW_MS = 5_000;
/** Owners counted one by one; whoever has a tenth of all is among them, however many there are. */
const MAX_COUNTED = 64;
/** Below this nothing can be told. */
const MIN_EXCHANGES = 20;
const MIN_SHARE = 0.1;
const TIMES_THE_OTHERS = 2;

/**
 * Tells owners that take much more than their share: at least a tenth of all exchanges of the last seconds, and more
 * than twice what the others take on average. Whoever is alone is not noisy. What it keeps is bounded, since owners may
 * be as many as there are clients.
 */
export class NoisyOwners {
  /** Counts by the method of Misra and Gries: too low by at most a 64th of the total. */
  #counts = new Map<string, number>();
  #total = 0;
  /** As many as were counted at one time. */
  #most = 0;
  #previous: ReadonlyMap<string, number> = new Map();
  #previousTotal = 0;
  #previousMost = 0;
  #windowEnd = -Infinity;

  /** @param now monotonic, in ms */
  note(owner: string, now: number): void {
    if (now >= this.#windowEnd) this.#turn(now);
    this.#total += 1;
    const count = this.#counts.get(owner);
    if (count !== undefined) this.#counts.set(owner, count + 1);
    else if (this.#counts.size < MAX_COUNTED) {
      this.#counts.set(owner, 1);
      this.#most = Math.max(this.#most, this.#counts.size);
    } else this.#lowerAll();
  }

  isNoisy(owner: string): boolean {
    const own = this.#countOf(owner);
    const total = this.#total + this.#previousTotal;
    if (own < MIN_EXCHANGES || own < total * MIN_SHARE) return false;
    // More there may have been, which makes the average of the others lower still.
    const others = Math.max(this.#most, this.#previousMost) - 1;
    return own > (TIMES_THE_OTHERS * (total - own)) / others;
  }

  #countOf(owner: string): number {
    return (this.#counts.get(owner) ?? 0) + (this.#previous.get(owner) ?? 0);
  }

  #turn(now: number): void {
    const isRecent = now < this.#windowEnd + WINDOW_MS;
    this.#previous = isRecent ? this.#counts : new Map();
    this.#previousTotal = isRecent ? this.#total : 0;
    this.#previousMost = isRecent ? this.#most : 0;
    this.#most = 0;
    this.#counts = new Map();
    this.#total = 0;
    this.#windowEnd = now + WINDOW_MS;
  }

  #lowerAll(): void {
    for (const [owner, count] of this.#counts) {
      if (count === 1) this.#counts.delete(owner);
      else this.#counts.set(owner, count - 1);
    }
  }
}
