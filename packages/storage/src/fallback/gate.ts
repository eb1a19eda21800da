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
