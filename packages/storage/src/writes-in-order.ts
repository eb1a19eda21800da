import { StorageError } from './errors';

/** Writes to one address that are under way together, since what they are made by keeps their order. */
export interface Run {
  readonly way: string | undefined;
  /** One of them has to be made in another way after all: what comes now waits for its end. */
  isLong: boolean;
}

/** The newest of the writes to an address that have not all ended. */
interface Last {
  readonly run: Run;
  /** Absent: it was made at once. */
  readonly begun: Promise<unknown> | undefined;
  /** Those of its run before it have, too. */
  readonly ended: Promise<unknown>;
}

/**
 * Keeps the order of a program's writes to one address where a write may take a connection of its own, or a second
 * step: what is not awaited would else be overtaken by what comes behind it.
 */
export class WritesInOrder {
  readonly #patienceMs: number;
  readonly #last = new Map<string, Last>();

  /** @param patienceMs longest wait for those ahead, of which one may never be answered; then it fails */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /**
   * Begins at once, or when it is its turn. Rejects `UNAVAILABLE` when that takes too long.
   *
   * @param way of a write to one address: waits for none of the same way, whose order is kept already
   */
  make<T>(
    addresses: readonly string[],
    way: string | undefined,
    write: (run: Run) => Promise<T>,
  ): Promise<T> {
    let run: Run = { way, isLong: false };
    let before: Promise<unknown> | undefined;
    const ahead: Promise<unknown>[] = [];
    for (const address of addresses) {
      const last = this.#last.get(address);
      if (last === undefined) continue;
      const isTogether = way !== undefined && last.run.way === way && !last.run.isLong;
      if (isTogether) [run, before] = [last.run, last.ended];
      const awaited = isTogether ? last.begun : last.ended;
      if (awaited !== undefined) ahead.push(awaited);
    }
    const begun = ahead.length === 0 ? undefined : this.#patiently(ahead);
    const made = begun === undefined ? write(run) : begun.then(() => write(run));
    const end = (): void => {
      for (const address of addresses) if (this.#last.get(address) === mine) this.#last.delete(address);
    };
    const own = made.then(end, end);
    const mine: Last = { run, begun, ended: before === undefined ? own : Promise.all([before, own]) };
    for (const address of addresses) this.#last.set(address, mine);
    return made;
  }

  async #patiently(ahead: readonly Promise<unknown>[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const text = `A write to the same key has had no answer for ${this.#patienceMs} ms; this one, behind it, was not made.`;
        reject(new StorageError('UNAVAILABLE', text));
      }, this.#patienceMs);
    });
    try {
      await Promise.race([Promise.all(ahead), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
