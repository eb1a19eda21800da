/** An exchange whose record can be closed before its end, to give its bytes back. */
export interface Yielding {
  /** False when it keeps them, since it is too young. */
  giveWay(): boolean;
}

/**
 * Bytes that all exchanges in progress may hold together. Beyond it the records of streams that have gone on for
 * long are closed, the oldest first; then bodies are let go, not the exchanges.
 */
export class OpenBudget {
  readonly #maxBytes: number;
  /** In the order in which they began. */
  readonly #streams = new Set<Yielding>();
  #usedBytes = 0;
  /** Why no bytes are granted at the moment, whatever is free. */
  refusal: string | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** True when the bytes were granted; they have to be given back with {@link release}. */
  reserve(bytes: number): boolean {
    if (this.refusal !== undefined) return false;
    if (this.#usedBytes + bytes > this.#maxBytes) this.#makeRoom(bytes);
    if (this.#usedBytes + bytes > this.#maxBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  addStream(stream: Yielding): void {
    this.#streams.add(stream);
  }

  removeStream(stream: Yielding): void {
    this.#streams.delete(stream);
  }

  #makeRoom(bytes: number): void {
    for (const stream of this.#streams) {
      // Those that follow are younger still.
      if (!stream.giveWay()) return;
      if (this.#usedBytes + bytes <= this.#maxBytes) return;
    }
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }
}
