import { setImmediate as nextTurn } from 'node:timers/promises';
import { retryWhileBusy } from './busy-retry';
import type { SqliteConnection } from './sqlite-connection';

export interface SqliteWriterOptions {
  readonly busyTimeoutMs: number;
  /** Resolves when what is committed is as durable as it shall be. */
  readonly sync: () => Promise<void> | undefined;
  /** To be awaited before more is written; how much this was is an estimate. */
  readonly wrote: (bytes: number) => Promise<void> | undefined;
  readonly onError: (error: unknown) => void;
}

export interface WriteSettings<T> {
  /** Several statements, which must all happen or none. */
  readonly isWhole?: boolean;
  /** Tells of a result whether what was done is kept. */
  readonly isKept?: (result: T) => boolean;
}

interface Job {
  readonly perform: (connection: SqliteConnection) => () => void;
  readonly reject: (error: unknown) => void;
  /** Where it fails halfway, all of its transaction has to go. */
  readonly isWhole: boolean;
  readonly deadline: number;
  /** What was in a transaction with others that failed is tried by itself. */
  isAlone: boolean;
  settle: () => void;
}

/** Beside the COMMIT, which takes about as long again. */
const MAX_GROUP_MS = 4;
const PAGE_BYTES = 4_096;
/** Of tables and indexes, about: in any case, and for each write. */
const PAGES_PER_GROUP = 2;
const PAGES_PER_WRITE = 0.75;

/**
 * Writes what comes in one turn of the event loop in one transaction, in its order, and answers when that is
 * committed: a sync for each write would cost ten times what the write does. No transaction is left open over a turn.
 */
export class SqliteWriter {
  readonly #connection: SqliteConnection;
  readonly #options: SqliteWriterOptions;
  readonly #jobs: Job[] = [];
  #running: Promise<void> | undefined;

  constructor(connection: SqliteConnection, options: SqliteWriterOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** @param work at once; called again when a transaction with other writes in it failed */
  write<T>(work: (connection: SqliteConnection) => T, settings: WriteSettings<T> = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#jobs.push({
        perform: (connection) => {
          const result = perform(connection, work, settings);
          return () => resolve(result);
        },
        reject,
        isWhole: settings.isWhole ?? false,
        deadline: performance.now() + this.#options.busyTimeoutMs,
        isAlone: false,
        settle: () => undefined,
      });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when all that was asked for has been answered. */
  async drain(): Promise<void> {
    await this.#running;
    await this.#options.sync();
  }

  async #run(): Promise<void> {
    for (let first: Job | undefined; ;) {
      await nextTurn();
      first = this.#jobs[0];
      if (first === undefined) break;
      try {
        await retryWhileBusy(() => this.#begin(), first.deadline);
      } catch (error) {
        this.#jobs.shift();
        first.reject(error);
        continue;
      }
      const group = this.#commitGroup();
      if (group.length === 0) continue;
      void this.#answer(group);
      const pages = PAGES_PER_GROUP + PAGES_PER_WRITE * group.length;
      await this.#options.wrote(this.#connection.givenBytes + pages * PAGE_BYTES);
    }
    this.#running = undefined;
  }

  #begin(): void {
    // Of the owner of a database that was handed in; ours ends within a turn.
    if (this.#connection.inTransaction)
      throw Object.assign(new Error('A transaction is open.'), { code: 'SQLITE_BUSY' });
    this.#connection.command('BEGIN IMMEDIATE');
  }

  #commitGroup(): Job[] {
    const startedAt = performance.now();
    const group: Job[] = [];
    this.#connection.givenBytes = 0;
    try {
      for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
        if (group.length > 0 && (job.isAlone || performance.now() - startedAt > MAX_GROUP_MS)) break;
        this.#jobs.shift();
        group.push(job);
        this.#perform(job);
        if (job.isAlone) break;
      }
      this.#connection.command('COMMIT');
    } catch (error) {
      this.#rollBack();
      if (group.length === 1) group[0]!.reject(error);
      else this.#jobs.unshift(...group.map((job) => Object.assign(job, { isAlone: true })));
      return [];
    }
    return group;
  }

  #perform(job: Job): void {
    try {
      job.settle = job.perform(this.#connection);
    } catch (error) {
      // A full disk, say: then all that was written before is gone as well.
      if (!this.#connection.inTransaction || job.isWhole) throw error;
      job.settle = () => job.reject(error);
    }
  }

  #rollBack(): void {
    if (!this.#connection.inTransaction) return;
    try {
      this.#connection.command('ROLLBACK');
    } catch (error) {
      this.#options.onError(error);
    }
  }

  async #answer(group: readonly Job[]): Promise<void> {
    try {
      await this.#options.sync();
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const { settle } of group) settle();
  }
}

function perform<T>(
  connection: SqliteConnection,
  work: (connection: SqliteConnection) => T,
  { isKept }: WriteSettings<T>,
): T {
  if (isKept === undefined) return work(connection);
  connection.command('SAVEPOINT recap');
  const result = work(connection);
  if (!isKept(result)) connection.command('ROLLBACK TO recap');
  connection.command('RELEASE recap');
  return result;
}
