/** Most that the time doubles to. */
const MOST = 16;

/**
 * Decides when a backend that was away is used again: once it has answered without a failure for a while. The while
 * doubles each time it goes away soon after it came back, so that one that flaps causes few switches.
 */
export class Stability {
  readonly #stableMs: number;
  #factor = 1;
  #goodSince: number | undefined;
  #backSince: number | undefined;

  constructor(stableMs: number) {
    this.#stableMs = stableMs;
  }

  /** How long it has to answer now. */
  get neededMs(): number {
    return this.#stableMs * this.#factor;
  }

  left(now: number): void {
    const isSoon =
      this.#backSince !== undefined && now - this.#backSince < Math.max(this.neededMs, this.#stableMs) * 2;
    this.#factor = isSoon ? Math.min(MOST, this.#factor * 2) : 1;
    this.#backSince = undefined;
    this.#goodSince = undefined;
  }

  /** @returns whether it may be used again */
  probed(isGood: boolean, now: number): boolean {
    if (!isGood) {
      this.#goodSince = undefined;
      return false;
    }
    this.#goodSince ??= now;
    return now - this.#goodSince >= this.neededMs;
  }

  cameBack(now: number): void {
    this.#backSince = now;
    this.#goodSince = undefined;
  }
}
