/** The clock of this process that only goes forward, for a test that lets an hour pass on it. */
export class SteadyClock {
  #aheadMs = 0;
  readonly #spy: jest.SpyInstance;

  constructor() {
    const now = performance.now.bind(performance);
    this.#spy = jest.spyOn(performance, 'now').mockImplementation(() => now() + this.#aheadMs);
  }

  advance(durationMs: number): void {
    this.#aheadMs += durationMs;
  }

  restore(): void {
    this.#spy.mockRestore();
  }
}
