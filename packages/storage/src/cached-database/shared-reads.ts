import type { Content } from './content';

/** What a read found, or why it cannot be answered for this key alone. */
export type ReadAnswer = Content | { readonly failure: Error };

/**
 * @param reading has to be called right before the database is asked, with the marks that are in the cache then
 */
export type ReadMany = (
  keys: readonly string[],
  reading: (marks: ReadonlyMap<string, string>) => void,
) => Promise<ReadonlyMap<string, ReadAnswer>>;

interface Flight {
  readonly answer: Promise<ReadAnswer>;
  /** When the database was asked; absent: it is yet to be. */
  readingSince?: number;
  /** What was in the cache then. While it still is, no write has ended in between. */
  mark?: string | undefined;
}

/** One read of the database for all who want the same key at the same time. */
export class SharedReads {
  readonly #flights = new Map<string, Flight>();
  #ticks = 0;

  /** The present, for `join`. */
  now(): number {
    return ++this.#ticks;
  }

  /**
   * The answer of a read that is under way, unless a write may have ended between this read and whoever wants to join.
   *
   * @param since when the one who wants to join began
   * @param mark what has been in the cache since
   */
  join(key: string, since: number, mark: string | undefined): Promise<ReadAnswer> | undefined {
    const flight = this.#flights.get(key);
    if (flight === undefined) return undefined;
    const { readingSince } = flight;
    const isFresh = readingSince === undefined || readingSince > since;
    return isFresh || (mark !== undefined && mark === flight.mark) ? flight.answer : undefined;
  }

  start(keys: readonly string[], read: ReadMany): Promise<ReadonlyMap<string, ReadAnswer>> {
    const flights = new Map<string, Flight>();
    const reading = (marks: ReadonlyMap<string, string>): void => {
      const readingSince = this.now();
      for (const [key, flight] of flights) Object.assign(flight, { readingSince, mark: marks.get(key) });
    };
    // Not before the flights are there: it may tell at once that it reads.
    const answers = Promise.resolve().then(() => read(keys, reading));
    for (const key of keys) {
      const flight = { answer: answers.then((all) => all.get(key)!) };
      const end = (): void => {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
      };
      void flight.answer.then(end, end);
      flights.set(key, flight);
      this.#flights.set(key, flight);
    }
    return answers;
  }

  /** Whoever comes from now on reads anew. */
  forget(keys: Iterable<string>): void {
    for (const key of keys) this.#flights.delete(key);
  }

  forgetAll(): void {
    this.#flights.clear();
  }
}
