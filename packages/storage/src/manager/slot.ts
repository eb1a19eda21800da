import type { Half } from './open-half';

interface Opened<T> {
  readonly half: Half;
  /** What the program works with. */
  readonly role: T;
}

/** One of the two: opened once, forgotten when that failed, and closed whatever state it is in. */
export class Slot<T extends { connect(): Promise<void> }> {
  readonly #open: () => Promise<Half>;
  readonly #play: (half: Half) => T;
  #opening: Promise<Opened<T>> | undefined;
  #opened: Opened<T> | undefined;
  #isOpenedAlone = false;

  constructor(open: () => Promise<Half>, play: (half: Half) => T) {
    this.#open = open;
    this.#play = play;
  }

  get opened(): Opened<T> | undefined {
    return this.#opened;
  }

  /** Whether somebody has it, or is about to, who needs no other. */
  get isOpenedAlone(): boolean {
    return this.#isOpenedAlone;
  }

  open(): Promise<Opened<T>> {
    if (this.#opening !== undefined) return this.#opening;
    const opening = this.#attempt();
    this.#opening = opening;
    opening.catch(() => {
      if (this.#opening === opening) this.#forget();
    });
    return opening;
  }

  openAlone(): Promise<Opened<T>> {
    this.#isOpenedAlone = true;
    return this.open();
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#forget();
    if (opening === undefined) return;
    await Promise.allSettled([opening]);
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.half.backend.close();
  }

  #forget(): void {
    this.#opening = undefined;
    this.#isOpenedAlone = false;
  }

  async #attempt(): Promise<Opened<T>> {
    const half = await this.#open();
    const role = this.#play(half);
    await role.connect();
    this.#opened = { half, role };
    return this.#opened;
  }
}
