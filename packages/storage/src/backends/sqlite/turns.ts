import type { Awaitable } from '../../driver';

/** Uninterrupted work after which the rest of the program gets its turn. One statement is at most about as much again. */
const MAX_STRETCH_MS = 4;

/** Gives the thread back when it was held for a while, and lets what waits for it go on in order. */
export class Turns {
  #since: number | undefined;
  readonly #waiting: (() => void)[] = [];

  /** The thread was held for long enough, by this and whatever else has run in this turn. */
  get isOver(): boolean {
    if (this.#since === undefined) {
      this.#begin();
      return false;
    }
    return performance.now() - this.#since > MAX_STRETCH_MS;
  }

  /** Works at once, or in a later turn if this one is over. */
  run<T>(work: () => T): Awaitable<T> {
    if (this.#waiting.length === 0 && !this.isOver) return work();
    return new Promise<T>((resolve) => {
      // In a promise of its own, which what is thrown in there rejects.
      this.#waiting.push(() => resolve(new Promise<T>((done) => done(work()))));
    });
  }

  #begin(): void {
    this.#since = performance.now();
    setImmediate(() => {
      this.#since = undefined;
      let done = 0;
      while (done < this.#waiting.length && !this.isOver) this.#waiting[done++]?.();
      this.#waiting.splice(0, done);
    });
  }
}
