import { open, type FileHandle } from 'node:fs/promises';

/**
 * Brings the log of an SQLite file to the disk, away from the thread: a sync within COMMIT (`synchronous = FULL`) would
 * hold it for as long as the disk likes. What SQLite itself syncs with `NORMAL` keeps the file sound in any case.
 * The log is open for as long as the database is, since the last connection removes it; it carries no locks, which
 * closing a file would drop.
 */
export class WalSync {
  readonly #log: FileHandle;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  private constructor(log: FileHandle) {
    this.#log = log;
  }

  static async open(databasePath: string): Promise<WalSync> {
    return new WalSync(await open(`${databasePath}-wal`, 'r+'));
  }

  /** Resolves when all that was committed before the call is on the disk; calls share a sync. */
  sync(): Promise<void> {
    if (this.#running === undefined) return this.#start();
    // The one under way may have passed what was committed since.
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  #start(): Promise<void> {
    this.#next = undefined;
    const running = this.#log.datasync().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
