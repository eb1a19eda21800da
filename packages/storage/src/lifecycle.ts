import { StorageError } from './errors';

type State = 'new' | 'opening' | 'open' | 'closed';

/** Opens once, shares the pending attempt, forgets a failed one, and refuses after closing. */
export class Lifecycle {
  readonly #name: string;
  readonly #open: () => Promise<void>;
  readonly #close: () => Promise<void>;
  #state: State = 'new';
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** @param close also called after an `open` that failed */
  constructor(name: string, open: () => Promise<void>, close: () => Promise<void>) {
    this.#name = name;
    this.#open = open;
    this.#close = close;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  async open(): Promise<void> {
    if (this.#state === 'closed') throw this.#closed();
    this.#opening ??= this.#attempt();
    await this.#opening;
  }

  /** Resolves when calls may be made: at once, or when the attempt that is under way has succeeded. */
  async ready(): Promise<void> {
    if (this.#state === 'closed') throw this.#closed();
    if (this.#opening === undefined)
      throw new StorageError('NOT_OPEN', `The ${this.#name} backend is not open. Await open() before.`);
    await this.#opening;
  }

  async close(): Promise<void> {
    this.#closing ??= this.#end();
    await this.#closing;
  }

  async #attempt(): Promise<void> {
    this.#state = 'opening';
    try {
      await this.#open();
    } catch (error) {
      this.#opening = undefined;
      if (this.#now() !== 'closed') this.#state = 'new';
      await this.#close();
      throw error;
    }
    if (this.#now() === 'closed') throw this.#closed();
    this.#state = 'open';
  }

  async #end(): Promise<void> {
    const opening = this.#opening;
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    if (wasOpen) return this.#close();
    if (opening === undefined) return;
    // An attempt that fails releases what it has; one that succeeds finds out, and leaves it to this.
    const failed = await opening.then(
      () => false,
      (error: unknown) => !(error instanceof StorageError && error.code === 'CLOSED'),
    );
    if (!failed) await this.#close();
  }

  /** Read anew: while something was awaited, another call may have changed it. */
  #now(): State {
    return this.#state;
  }

  #closed(): StorageError {
    return new StorageError('CLOSED', `The ${this.#name} backend is closed.`);
  }
}
