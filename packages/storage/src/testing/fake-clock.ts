import type { Clock } from '../clock';

/** A clock that moves only when told to. */
export class FakeClock implements Clock {
  #now: number;

  /** @param startAt ms since the epoch; the default is 2026-01-01T00:00:00Z. */
  constructor(startAt = Date.UTC(2026, 0, 1)) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  /** Moves on by `durationMs` (negative: back) and returns the new instant. */
  advance(durationMs: number): number {
    this.#now += durationMs;
    return this.#now;
  }
}
