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

  /** @param patienceMs longest time for a write that has to wait: one of those ahead may never be answered */
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
    let begun: Promise<unknown> | undefined;
    let performed: Promise<T>;
    let made: Promise<T>;
    if (ahead.length === 0) made = performed = write(run);
    else {
      // One time for both: whoever waits for half of it has the other half for the write.
      const { late, clear } = this.#late();
      begun = Promise.race([Promise.all(ahead), late]);
      performed = begun.then(() => write(run));
      made = Promise.race([performed, late]).finally(clear);
    }
    const end = (): void => {
      for (const address of addresses) if (this.#last.get(address) === mine) this.#last.delete(address);
    };
    const own = performed.then(end, end);
    const mine: Last = { run, begun, ended: before === undefined ? own : Promise.all([before, own]) };
    for (const address of addresses) this.#last.set(address, mine);
    return made;
  }

  #late(): { readonly late: Promise<never>; readonly clear: () => void } {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const text = `Writes to one key were not answered within ${this.#patienceMs} ms: this one, and those ahead of it.`;
        reject(new StorageError('UNAVAILABLE', text));
      }, this.#patienceMs);
    });
    return { late, clear: () => clearTimeout(timer) };
  }
}
