import { StorageError } from './errors';

/** Opens once, shares the pending attempt, forgets a failed one, and refuses after closing. */
export class Lifecycle {
  readonly #name: string;
  readonly #open: () => Promise<void>;
  readonly #close: () => Promise<void>;
  #isClosed = false;
  #isHeld = false;
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** @param close also called after an `open` that failed */
  constructor(name: string, open: () => Promise<void>, close: () => Promise<void>) {
    this.#name = name;
    this.#open = open;
    this.#close = close;
  }

  get isOpen(): boolean {
    return this.#isHeld && !this.#isClosed;
  }

  async open(): Promise<void> {
    if (this.#isClosed) throw this.#closedError();
    this.#opening ??= this.#attempt();
    await this.#opening;
  }

  /** Resolves when calls may be made: at once, or when the attempt that is under way has succeeded. */
  async ready(): Promise<void> {
    if (this.#isClosed) throw this.#closedError();
    if (this.#opening === undefined)
      throw new StorageError('NOT_OPEN', `The ${this.#name} backend is not open. Await open() before.`);
    await this.#opening;
  }

  async close(): Promise<void> {
    this.#closing ??= this.#end();
    await this.#closing;
  }

  async #attempt(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      // What failed is released before the next attempt may begin; why it failed matters more than how that goes.
      await this.#close().catch(() => undefined);
      this.#opening = undefined;
      throw error;
    }
    this.#isHeld = true;
    if (this.#isClosed) throw this.#closedError();
  }

  async #end(): Promise<void> {
    this.#isClosed = true;
    await this.#opening?.catch(() => undefined);
    if (!this.#isHeld) return;
    this.#isHeld = false;
    await this.#close();
  }

  #closedError(): StorageError {
    return new StorageError('CLOSED', `The ${this.#name} backend is closed.`);
  }
}
