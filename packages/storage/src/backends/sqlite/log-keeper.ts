import { Checkpointer } from './checkpointer';
import { WalSync } from './wal-sync';

export interface LogKeeperOptions {
  /** As SQLite names it, behind symbolic links. */
  readonly path: string;
  /** Of the module that the thread for checkpoints loads. */
  readonly driverPath: string;
  /** What is written is answered only once it is on the disk. */
  readonly syncs: boolean;
  readonly onError: (error: unknown) => void;
}

/** So much is brought to the file in one step, beside the writing. */
const STEP_BYTES = 4 * 2 ** 20;
/** At this size the writing waits: SQLite begins the log anew only when all of it is in the file. */
const MAX_BYTES = 16 * 2 ** 20;
/** A thread costs more than bringing less than this to the file when it is closed. */
const WORTH_A_THREAD_BYTES = 2 ** 18;

/** Syncs and empties the log of an SQLite file, on other threads than the program's. */
export class LogKeeper {
  readonly #options: LogKeeperOptions;
  readonly #sync: WalSync | undefined;
  #checkpointer: Checkpointer | undefined;
  #step: Promise<void> | undefined;
  #bytes = 0;
  #doneBytes = 0;

  private constructor(options: LogKeeperOptions, sync: WalSync | undefined) {
    this.#options = options;
    this.#sync = sync;
  }

  static async open(options: LogKeeperOptions): Promise<LogKeeper> {
    return new LogKeeper(options, options.syncs ? await WalSync.open(options.path) : undefined);
  }

  /** Resolves when what is committed is as durable as it shall be. */
  async sync(): Promise<void> {
    await this.#sync?.sync();
  }

  /** To be awaited before more is written. */
  async wrote(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes < MAX_BYTES) {
      if (this.#bytes - this.#doneBytes > STEP_BYTES) this.#step ??= this.#checkpoint();
      return;
    }
    await this.#step;
    await this.#checkpoint();
    this.#bytes = 0;
    this.#doneBytes = 0;
  }

  /** @param closeDatabase the last connection to a file empties its log and removes it */
  async close(closeDatabase: () => void): Promise<void> {
    await this.#step;
    if (this.#bytes - this.#doneBytes > WORTH_A_THREAD_BYTES) await this.#checkpoint();
    await this.#sync?.close();
    closeDatabase();
    await this.#checkpointer?.close();
  }

  async #checkpoint(): Promise<void> {
    const upTo = this.#bytes;
    try {
      this.#checkpointer ??= new Checkpointer(this.#options.driverPath, this.#options.path);
      await this.#checkpointer.checkpoint();
    } catch (error) {
      // SQLite does it by itself within a COMMIT when the log has grown to a few times this size.
      this.#options.onError(error);
    }
    this.#doneBytes = upTo;
    this.#step = undefined;
  }
}
