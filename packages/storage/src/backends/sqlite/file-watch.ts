import { statSync, type BigIntStats } from 'node:fs';
import { StorageError } from '../../errors';

/** A look takes some µs; what is written between two looks into a file that is gone is lost. */
const INTERVAL_MS = 250;

/** Notices that another file is at the path than the one that was opened, or none: what is written goes nowhere then. */
export class FileWatch {
  readonly #path: string;
  readonly #opened: BigIntStats | undefined;
  #lookedAt = performance.now();
  #isGone = false;

  /** @param path of a file that was just opened */
  constructor(path: string) {
    this.#path = path;
    this.#opened = look(path);
  }

  /** To be called before each write. @throws {StorageError} `UNAVAILABLE` until the same file is back */
  check(): void {
    const now = performance.now();
    if (!this.#isGone && now - this.#lookedAt < INTERVAL_MS) return;
    this.#lookedAt = now;
    const found = look(this.#path);
    this.#isGone = found === undefined || found.ino !== this.#opened?.ino || found.dev !== this.#opened.dev;
    if (!this.#isGone) return;
    throw new StorageError(
      'UNAVAILABLE',
      `The SQLite database ${this.#path} was ${found === undefined ? 'deleted' : 'replaced'} while it was open. What is written since is lost. Close this backend, see to the file, and make another.`,
    );
  }

  /** To be called before each read, which looks itself only once a write has found the file gone. */
  checkKnown(): void {
    if (this.#isGone) this.check();
  }
}

function look(path: string): BigIntStats | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false });
}
