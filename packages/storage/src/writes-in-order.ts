import { StorageError } from './errors';

/** Writes to one address that are under way together, since what they are made by keeps their order. */
export class Run {
  /** One of them has to be made in another way after all: what comes now waits for its end. */
  isLong = false;
  /** Resolves when it is their turn. Absent: all of them have been begun. */
  turn: Promise<unknown> | undefined;
  #open = 0;
  #waiting = 0;
  /** When the last of them was begun. */
  #begunAt: number | undefined;
  #onOver: (() => void) | undefined;
  #over: Promise<void> | undefined;

  constructor(readonly way: string | undefined) {}

  /**
   * Resolves when all of them have ended, or the last that was begun has had no answer for so long. Made for those who
   * wait, of whom there are few.
   */
  over(timeoutMs: number): Promise<void> {
    return (this.#over ??= new Promise((resolve) => {
      let timer: NodeJS.Timeout;
      const look = (): void => {
        const leftMs =
          this.#begunAt === undefined ? timeoutMs : this.#begunAt + timeoutMs - performance.now();
        if (leftMs <= 0) resolve();
        else timer = setTimeout(look, Math.ceil(leftMs)).unref();
      };
      this.#onOver = () => {
        clearTimeout(timer);
        resolve();
      };
      look();
    }));
  }

  enter(): void {
    this.#open += 1;
  }

  begin(): void {
    this.#begunAt = performance.now();
  }

  wait(): void {
    this.#waiting += 1;
  }

  /** Called by those who waited, right before they begin. */
  goOn(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.turn = undefined;
  }

  /** @returns whether it was the last one */
  leave(): boolean {
    this.#open -= 1;
    if (this.#open > 0) return false;
    this.#onOver?.();
    return true;
  }
}

/**
 * Keeps the order of a program's writes to one address where a write may take a connection of its own, or a second
 * step: what is not awaited would else be overtaken by what comes behind it.
 */
export class WritesInOrder {
  readonly #timeoutMs: number;
  readonly #patienceMs: number;
  /** The newest of those that have not ended. */
  readonly #last = new Map<string, Run>();

  /** @param timeoutMs how long a write may take; nothing waits for one longer */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#patienceMs = timeoutMs * PATIENCE;
  }

  /**
   * Begins at once, or when it is its turn. Rejects `POOL_EXHAUSTED` when that takes too long, and then is not begun;
   * `UNAVAILABLE` when it was begun, and is not answered in time.
   *
   * @param way of a write to one address: waits for none of the same way, whose order is kept already
   */
  make<T>(
    addresses: readonly string[],
    way: string | undefined,
    write: (run: Run) => Promise<T>,
  ): Promise<T> {
    // Almost always nothing is under way to what is written.
    const ahead = addresses.some((address) => this.#last.has(address)) ? this.#ahead(addresses) : NONE;
    const [last] = ahead;
    const isTogether = last !== undefined && way !== undefined && last.way === way && !last.isLong;
    const run = isTogether ? last : new Run(way);
    run.enter();
    if (!isTogether) {
      for (const address of addresses) this.#last.set(address, run);
      if (ahead.length > 0) {
        run.turn = Promise.all(ahead.map((each) => each.over(this.#timeoutMs)));
      }
    }
    if (run.turn !== undefined) return this.#performLater(addresses, run, run.turn, write);
    run.begin();
    return this.#perform(addresses, run, write);
  }

  #ahead(addresses: readonly string[]): readonly Run[] {
    const runs = new Set<Run>();
    for (const address of addresses) {
      const last = this.#last.get(address);
      if (last !== undefined) runs.add(last);
    }
    return [...runs];
  }

  #perform<T>(addresses: readonly string[], run: Run, write: (run: Run) => Promise<T>): Promise<T> {
    const performed = write(run);
    const leave = (): void => {
      if (run.leave())
        for (const address of addresses) if (this.#last.get(address) === run) this.#last.delete(address);
    };
    // Not awaited, since this stands on the way of every write.
    performed.then(leave, leave);
    return performed;
  }

  #performLater<T>(
    addresses: readonly string[],
    run: Run,
    turn: Promise<unknown>,
    write: (run: Run) => Promise<T>,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let isRefused = false;
      let hasBegun = false;
      // One time for both: whoever waits for half of it has the other half for the write.
      const timer = setTimeout(() => {
        isRefused = true;
        reject(hasBegun ? this.#notAnswered() : this.#notBegun());
      }, this.#patienceMs);
      run.wait();
      const performed = this.#perform(addresses, run, async () => {
        await turn;
        run.goOn();
        // What is refused stays in its place until then: what waits behind it would else overtake those ahead.
        if (isRefused) throw this.#notBegun();
        hasBegun = true;
        run.begin();
        return write(run);
      });
      performed.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  /** That says nothing of the engine, which may answer each of those ahead in time. */
  #notBegun(): StorageError {
    const text = `Writes to one key, made without awaiting each other, took ${this.#patienceMs} ms; this one was not begun. Await them, or write several at once.`;
    const error = new StorageError('POOL_EXHAUSTED', text);
    refused.add(error);
    return error;
  }

  #notAnswered(): StorageError {
    const text = `A write and those ahead of it to the same key were not answered within ${this.#patienceMs} ms.`;
    return new StorageError('UNAVAILABLE', text);
  }
}

const NONE: readonly Run[] = [];
const refused = new WeakSet();

/** Whether a write was refused since those ahead of it took too long. Made again, it would come behind what was made after it. */
export function hasLostItsTurn(error: unknown): boolean {
  return typeof error === 'object' && error !== null && refused.has(error);
}

/** Of the time that a call may take: less, so that it is told why, and before what it waits for is given up. */
const PATIENCE = 0.9;
