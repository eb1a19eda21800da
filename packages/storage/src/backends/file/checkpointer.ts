import type { FileCalls } from './file-calls';
import type { FileTable, Slot } from './file-table';
import type { FileWriter } from './file-writer';
import type { Journal } from './journal';

export interface CheckpointerOptions {
  readonly writer: FileWriter;
  readonly calls: FileCalls;
  readonly table: FileTable;
  readonly journal: Journal;
  /** Rejects when nothing may be written any more. */
  readonly check: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** Of Node's four threads for files, one is left to the journal. */
const AT_ONCE = 3;
/** What is written again within this time is written to its file once. */
const PAUSE_MS = 500;
const RETRY_MS = 2_000;
/** Who closes waits no longer for files than this: the journal has what is left, and the next start goes on with it. */
const CLOSING_MS = 5_000;

/** Brings what is in the journal to the files of values and lists, and then lets go of the journal. */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  #dirty = new Set<Slot>();
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #deadline = Infinity;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
  }

  add(slot: Slot): void {
    this.#dirty.add(slot);
    this.#plan(PAUSE_MS);
  }

  /** Resolves when what was written before is in its files. */
  async run(): Promise<void> {
    await this.idle();
    this.#running ??= this.#checkpoint().finally(() => {
      this.#running = undefined;
      if (this.#dirty.size > 0) this.#plan(RETRY_MS);
    });
    await this.#running;
  }

  /** Resolves when nothing is being written to files of values. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  /** What cannot be brought to its file now stays in the journal for the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#deadline = performance.now() + CLOSING_MS;
    clearTimeout(this.#timer);
    await this.run().catch(this.#options.onError);
  }

  #plan(pauseMs: number): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.run().catch(this.#options.onError);
    }, pauseMs);
    this.#timer.unref();
  }

  async #checkpoint(): Promise<void> {
    const { journal, calls, check } = this.#options;
    // Whoever has the folder now has read the journal, and goes on with it.
    await check();
    const segments = await journal.seal();
    const slots = [...this.#dirty];
    this.#dirty = new Set();
    const folders = new Set<string>();
    const failures: unknown[] = [];
    const waiting = slots.values();
    const work = async (): Promise<void> => {
      for (const slot of waiting) {
        if (performance.now() > this.#deadline) {
          this.#dirty.add(slot);
          continue;
        }
        try {
          await this.#flush(slot, folders);
        } catch (error) {
          this.#dirty.add(slot);
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    try {
      for (const folder of folders) await calls.syncFolder(folder);
      const isDone = failures.length === 0 && performance.now() <= this.#deadline;
      if (isDone && segments.length > 0) {
        await check();
        await journal.remove(segments);
      }
    } catch (error) {
      for (const slot of slots) this.#dirty.add(slot);
      throw error;
    }
    if (failures.length > 0) throw failures[0];
    for (const slot of slots) this.forget(slot);
  }

  /** Drops a slot that stands for nothing. */
  forget(slot: Slot): void {
    const isGone = slot.state === undefined && slot.file === undefined && !this.#dirty.has(slot);
    if (isGone) this.#options.table.drop(slot);
  }

  async #flush(slot: Slot, folders: Set<string>): Promise<void> {
    const { journal, writer, check } = this.#options;
    await check();
    // What is not in the journal for good may yet be undone.
    await journal.whenSettled([slot], () => writer.flush(slot, folders));
  }
}
