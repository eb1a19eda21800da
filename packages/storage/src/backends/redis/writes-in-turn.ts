interface Waiting {
  readonly isTry: boolean;
  readonly begin: () => void;
}

/** What is tried for one key, and what waits for its end. */
export interface Tried {
  calls: number;
  /** One of them has, and is made in the other way now. */
  hasFailed: boolean;
  readonly waiting: Waiting[];
}

/**
 * Keeps the order of a program's writes to one key where some are first tried in a way that may fail, and then made in
 * another: what comes behind such a one waits for its end. Another that is tried waits for nothing: the server answers
 * in order, and so they are made in order as well.
 */
export class WritesInTurn {
  readonly #tried = new Map<string, Tried>();

  /** Whether a write may have to wait, whatever its key. */
  get areAny(): boolean {
    return this.#tried.size > 0;
  }

  has(name: string): boolean {
    return this.#tried.has(name);
  }

  /** Begins a write at once, or when it is its turn. */
  make<T>(name: string, isTry: boolean, write: () => Promise<T>): Promise<T> {
    const ahead = this.#ahead(name, isTry);
    if (ahead === undefined) return write();
    return new Promise((resolve) => ahead.waiting.push({ isTry, begin: () => resolve(write()) }));
  }

  try(name: string): Tried {
    const tried = this.#tried.get(name) ?? { calls: 0, hasFailed: false, waiting: [] };
    this.#tried.set(name, tried);
    tried.calls += 1;
    return tried;
  }

  /** When it is made, one way or the other, or has failed. */
  end(name: string, tried: Tried): void {
    tried.calls -= 1;
    if (tried.calls > 0) return;
    this.#tried.delete(name);
    for (const [place, { isTry, begin }] of tried.waiting.entries()) {
      const ahead = this.#ahead(name, isTry);
      if (ahead !== undefined) {
        ahead.waiting.push(...tried.waiting.slice(place));
        return;
      }
      begin();
    }
  }

  #ahead(name: string, isTry: boolean): Tried | undefined {
    const tried = this.#tried.get(name);
    if (tried === undefined) return undefined;
    return isTry && !tried.hasFailed && tried.waiting.length === 0 ? undefined : tried;
  }
}
