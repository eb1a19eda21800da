import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { StorageError } from '@recap/storage';
import type { QueryRunner } from 'typeorm';
import { isBusy, toStorageError } from './database-errors';
import { passing, passingNow, type DriverGate } from './driver-gate';
import type { SqlRunner } from './sql-database';

const BUSY_RETRY_MS = 5_000;
/** Uninterrupted work after which the program's other work gets its turn. A statement is at most about as much again. */
const MAX_STRETCH_MS = 4;

export const PAGE_BYTES = 16_384;
/** About as many pages change for each row that is added, but for what is in the row as bytes; and that is changed anywhere. */
const PAGES_PER_ADDED_ROW = 0.1;
const PAGES_PER_CHANGED_ROW = 0.5;

/** Waits for a lock between attempts, while the program goes on. */
export async function retryingBusy<T>(name: string, gate: DriverGate, attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + BUSY_RETRY_MS;
  for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 50)) {
    try {
      return await passing(gate, attempt);
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw toStorageError(error, name);
      await delay(waitMs * (0.5 + Math.random()));
    }
  }
}

/** Gives the program's thread back when Recap has held it for a while. */
export class Turns {
  #since = performance.now();

  take(): Promise<void> | undefined {
    return performance.now() - this.#since < MAX_STRETCH_MS ? undefined : this.next();
  }

  async next(): Promise<void> {
    await nextTurn();
    this.#since = performance.now();
  }
}

interface PreparedStatement {
  run(...values: readonly unknown[]): unknown;
}

/** What is used of better-sqlite3 itself. */
interface SynchronousConnection {
  prepare(sql: string): PreparedStatement;
  exec(sql: string): void;
}

export class SqliteRunner implements SqlRunner {
  readonly dialect = 'sqlite';
  readonly queryRunner: QueryRunner;
  readonly #name: string;
  readonly #turns: Turns;
  readonly #gate: DriverGate;
  readonly #isClosed: () => boolean;
  readonly #isSynchronous: boolean;
  readonly #statements = new Map<string, PreparedStatement>();
  /** Pages changed since the last checkpoint, estimated. */
  changedPages = 0;
  lastMs = 0;

  constructor(
    name: string,
    queryRunner: QueryRunner,
    turns: Turns,
    gate: DriverGate,
    isClosed: () => boolean,
  ) {
    this.#isSynchronous = queryRunner.connection.options.type === 'better-sqlite3';
    this.#name = name;
    this.queryRunner = queryRunner;
    this.#turns = turns;
    this.#gate = gate;
    this.#isClosed = isClosed;
  }

  async query<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const { records } = await this.#run(sql, values);
    return records as Row[];
  }

  async execute(sql: string, values: readonly unknown[] = []): Promise<number> {
    const { affected = 0 } = await this.#run(sql, values);
    this.changedPages += affected * PAGES_PER_CHANGED_ROW;
    return affected;
  }

  async command(sql: string): Promise<void> {
    if (!this.#isSynchronous) {
      await this.#run(sql, []);
      return;
    }
    await this.#turns.take();
    const startedAt = performance.now();
    try {
      // TypeORM would take one step only of what gives no rows, such as one page of an incremental vacuum.
      const connection = await this.#connection();
      passingNow(this.#gate, () => {
        connection.exec(sql);
      });
    } catch (error) {
      throw toStorageError(error, this.#name);
    } finally {
      this.lastMs = performance.now() - startedAt;
    }
  }

  /**
   * Row by row with one prepared statement, past TypeORM where the driver is synchronous: measured at a third
   * less than many rows in one statement, and the thread can be given back between any two rows.
   */
  async insert(head: string, rows: readonly (readonly unknown[])[], tail = ''): Promise<void> {
    const [first] = rows;
    if (first === undefined) return;
    const sql = `${head} VALUES (${Array(first.length).fill('?').join(', ')}) ${tail}`;
    const statement = await this.#prepared(sql);
    for (const row of rows) {
      this.changedPages += pagesOf(row);
      if (statement === undefined) {
        await this.execute(sql, row);
        continue;
      }
      const turn = this.#turns.take();
      if (turn !== undefined) await turn;
      // Written out, since a closure for each row is work for the collector.
      this.#gate.enter();
      try {
        // Not as a list, of which the driver would ask for each value: an eighth of the time.
        statement.run(...row);
      } catch (error) {
        throw toStorageError(error, this.#name);
      } finally {
        this.#gate.leave();
      }
    }
  }

  async #prepared(sql: string): Promise<PreparedStatement | undefined> {
    if (!this.#isSynchronous) return undefined;
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      const connection = await this.#connection();
      statement = passingNow(this.#gate, () => connection.prepare(sql));
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  async #connection(): Promise<SynchronousConnection> {
    return (await this.queryRunner.connect()) as SynchronousConnection;
  }

  async #run(sql: string, values: readonly unknown[]): Promise<{ records: unknown[]; affected?: number }> {
    await this.#turns.take();
    if (this.#isClosed()) throw new StorageError('CLOSED', 'The entry store is closed.');
    return retryingBusy(this.#name, this.#gate, async () => {
      const startedAt = performance.now();
      try {
        return await this.queryRunner.query(sql, values as unknown[], true);
      } finally {
        this.lastMs = performance.now() - startedAt;
      }
    });
  }
}

function pagesOf(row: readonly unknown[]): number {
  let bytes = 0;
  for (const value of row) if (value instanceof Uint8Array) bytes += value.length;
  return PAGES_PER_ADDED_ROW + bytes / PAGE_BYTES;
}
