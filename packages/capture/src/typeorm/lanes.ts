import { StorageError } from '@recap/storage';

interface Waiter {
  readonly enter: () => void;
}

/** Lets a fixed number of pieces of work run at once; the others wait in the order in which they came. */
export class Lanes {
  readonly #maxWaitMs: number | undefined;
  readonly #waiting = new Set<Waiter>();
  readonly #count: number;
  #free: number;
  #onIdle: (() => void)[] = [];

  constructor(count: number, maxWaitMs?: number) {
    this.#count = count;
    this.#free = count;
    this.#maxWaitMs = maxWaitMs;
  }

  /** @throws {StorageError} `POOL_EXHAUSTED` when no lane came free in time. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Resolves once nothing runs and nothing waits. */
  async drain(): Promise<void> {
    if (this.#free === this.#count) return;
    await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        enter: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.#waiting.add(waiter);
      const giveUp = (): void => {
        this.#waiting.delete(waiter);
        const message = `No database connection came free within ${this.#maxWaitMs} ms. Narrow the queries or run fewer at once.`;
        reject(new StorageError('POOL_EXHAUSTED', message));
      };
      const timer = this.#maxWaitMs === undefined ? undefined : setTimeout(giveUp, this.#maxWaitMs);
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next !== undefined) {
      this.#waiting.delete(next);
      next.enter();
      return;
    }
    this.#free += 1;
    if (this.#free < this.#count) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}
