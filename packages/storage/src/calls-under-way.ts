/** Knows when all that has begun has ended, whatever came of it. */
export class CallsUnderWay {
  #count = 0;
  #wake: (() => void) | undefined;

  async add<T>(call: Promise<T>): Promise<T> {
    this.#count += 1;
    try {
      return await call;
    } finally {
      this.#count -= 1;
      if (this.#count === 0) this.#wake?.();
    }
  }

  /** To be asked once nothing begins any more. */
  async ended(): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}
