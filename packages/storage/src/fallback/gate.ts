/** Lets calls through, and can wait until none is within and let none in meanwhile. */
export class Gate {
  #within = 0;
  #closed: Promise<void> | undefined;
  #left: (() => void) | undefined;

  /** Passes when the gate is open; a call that has entered leaves with `leave`. */
  async enter(): Promise<void> {
    while (this.#closed !== undefined) await this.#closed;
    this.#within += 1;
  }

  leave(): void {
    this.#within -= 1;
    if (this.#within === 0) this.#left?.();
  }

  /** Runs `work` with nobody within. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed !== undefined) await this.#closed;
    let open = (): void => undefined;
    this.#closed = new Promise((resolve) => (open = resolve));
    try {
      if (this.#within > 0) await new Promise<void>((resolve) => (this.#left = resolve));
      return await work();
    } finally {
      this.#left = undefined;
      this.#closed = undefined;
      open();
    }
  }
}

/** Counts what is under way, from its very first moment. */
export class UnderWay {
  #count = 0;
  #ended: (() => void)[] = [];

  async track<T>(work: () => Promise<T>): Promise<T> {
    this.#count += 1;
    try {
      return await work();
    } finally {
      this.#count -= 1;
      if (this.#count === 0) for (const tell of this.#ended.splice(0)) tell();
    }
  }

  async end(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#ended.push(resolve));
  }
}
