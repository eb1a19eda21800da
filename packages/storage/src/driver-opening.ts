import type { Driver } from './driver';
import { StorageError } from './errors';

/** Opens a driver, attempt by attempt, and leaves nothing open of those that fail, or succeed when nobody waits any more. */
export class DriverOpening {
  readonly #driver: Pick<Driver, 'name' | 'open' | 'close'>;
  /** Counts closings: what was begun before one is nobody's. */
  #turn = 0;
  /** An attempt failed, and what it had is not released. */
  #isLeft = false;
  /** The last attempt has ended, and what it left at a late end is released. */
  #ended: Promise<void> | undefined;

  constructor(driver: Pick<Driver, 'name' | 'open' | 'close'>) {
    this.#driver = driver;
  }

  /** @returns makes one attempt; `CLOSED` once the driver was closed */
  begin(): () => Promise<void> {
    const turn = this.#turn;
    return async () => {
      // What ends late is closed then, and must not take the next attempt along.
      await this.#ended;
      if (this.#isLeft) await this.#release();
      this.#check(turn);
      const attempt = this.#attempt(turn);
      const noteEnd = (): void => undefined;
      this.#ended = attempt.then(noteEnd, noteEnd);
      await attempt;
    };
  }

  async #attempt(turn: number): Promise<void> {
    this.#isLeft = true;
    try {
      await this.#driver.open();
    } catch (error) {
      if (turn !== this.#turn) await this.#driver.close();
      throw error;
    }
    if (turn !== this.#turn) await this.#driver.close();
    this.#check(turn);
    this.#isLeft = false;
  }

  async close(): Promise<void> {
    this.#turn += 1;
    await this.#release();
  }

  async #release(): Promise<void> {
    this.#isLeft = false;
    await this.#driver.close();
  }

  #check(turn: number): void {
    if (turn === this.#turn) return;
    throw new StorageError(
      'CLOSED',
      `The ${this.#driver.name} backend was closed while it was being opened.`,
    );
  }
}
