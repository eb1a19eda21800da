const SWEEP_LIMIT = 500;

export interface SweepTimerOptions {
  readonly sweepIntervalMs?: number;
  readonly onError?: (error: unknown, operation: 'sweep') => void;
}

/** Sweeps from time to time in small steps, and keeps no process alive. */
export class SweepTimer {
  readonly #sweep: (limit: number) => Promise<number>;
  readonly #intervalMs: number;
  readonly #onError: (error: unknown, operation: 'sweep') => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(
    sweep: (limit: number) => Promise<number>,
    { sweepIntervalMs = 60_000, onError = () => undefined }: SweepTimerOptions,
  ) {
    this.#sweep = sweep;
    this.#intervalMs = sweepIntervalMs;
    this.#onError = onError;
  }

  start(): void {
    if (this.#intervalMs <= 0) return;
    this.#timer = setInterval(() => {
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined;
      });
    }, this.#intervalMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#timer !== undefined && (await this.#sweep(SWEEP_LIMIT)) === SWEEP_LIMIT)
        // Others' work comes between two steps.
        await new Promise((resolve) => setImmediate(resolve));
    } catch (error) {
      this.#onError(error, 'sweep');
    }
  }
}
