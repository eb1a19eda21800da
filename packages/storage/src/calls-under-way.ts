/** Knows when all that has begun has ended. */
export class CallsUnderWay {
  #count = 0;
  #wake: (() => void) | undefined;

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#wake?.();
  }

  /** To be asked once nothing begins any more. */
  async ended(): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}
