import type { Address, BackendStats, Capabilities } from '../../backend';
import type { ByteRange } from '../../byte-range';
import type {
  Awaitable,
  Driver,
  DriverPage,
  DriverScan,
  DriverWrite,
  SetWrite,
  ReadItem,
  StoredItem,
  StoredRange,
  Verdict,
} from '../../driver';
import { StorageError } from '../../errors';
import type { JsonFilter } from '../../json-filter';
import { isPlainSet } from '../../plain-set';
import { driveNow } from '../sql/drive-steps';
import type { SqlSteps } from '../sql/sql-contract';
import { toColumns, toKey } from '../sql/sql-rows';
import { isAccepted, SqlOperations } from '../sql/sql-operations';
import { openSqlite, type OpenSqlite, type SqliteTarget } from './open-sqlite';
import type { SqliteConnection } from './sqlite-connection';
import { explainSqliteError } from './sqlite-errors';
import type { SqliteReader } from './sqlite-reader';
import { sqliteDialect } from './sqlite-schema';
import { sweepSteps } from './sqlite-sweep';
import type { SqliteWriter } from './sqlite-writer';

/** No messages: SQLite has none that reach another process. */
export class SqliteDriver implements Driver {
  readonly name = 'sqlite';
  readonly capabilities: Capabilities;
  readonly #target: SqliteTarget;
  readonly #operations = new SqlOperations(sqliteDialect);
  #opened: OpenSqlite | undefined;

  constructor(target: SqliteTarget, maxValueBytes: number) {
    this.#target = target;
    this.capabilities = { transact: true, query: true, publish: false, maxValueBytes };
  }

  async open(): Promise<void> {
    this.#opened = await openSqlite(this.#target);
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.close();
  }

  explain(error: unknown): StorageError {
    return explainSqliteError(error, this.#target.title);
  }

  get(partition: string, key: string, now: number): Awaitable<StoredItem | undefined> {
    return this.#reader.get(partition, key, now);
  }

  getMany(addresses: readonly Address[], now: number): Promise<(StoredItem | undefined)[]> {
    return this.#reader.getMany(addresses, now);
  }

  scan(partition: string, scan: DriverScan, now: number): Awaitable<DriverPage<ReadItem>> {
    return this.#reader.scan(partition, scan, now);
  }

  keys(partition: string, scan: DriverScan, now: number): Promise<DriverPage<string>> {
    return this.#reader.keys(partition, scan, now);
  }

  partitions(range: ByteRange, limit: number, now: number): Promise<DriverPage<string>> {
    return this.#reader.partitions(range, limit, now);
  }

  range(partition: string, key: string, start: number, end: number, now: number): Promise<StoredRange> {
    return this.#reader.range(partition, key, start, end, now);
  }

  length(partition: string, key: string, now: number): Promise<number | undefined> {
    return this.#reader.length(partition, key, now);
  }

  write(write: DriverWrite, now: number): Promise<Verdict> {
    if (isPlainSet(write)) return this.#set(write);
    // The others are one statement that changes something.
    const isWhole = write.type === 'append';
    return this.#writer.write(
      driving(() => this.#operations.write(write, now)),
      { isWhole },
    );
  }

  batch(writes: readonly DriverWrite[], now: number): Promise<(Verdict | Error)[]> {
    return Promise.all(
      writes.map((write) => this.write(write, now).catch((error: unknown) => error as Error)),
    );
  }

  transact(writes: readonly DriverWrite[], now: number): Promise<Verdict[]> {
    return this.#writer.write(
      driving(() => this.#operations.transact(writes, now)),
      { isWhole: true, isKept: isAccepted },
    );
  }

  query(
    partition: string,
    filter: JsonFilter,
    scan: DriverScan,
    now: number,
  ): Promise<DriverPage<StoredItem>> {
    return this.#reader.query(partition, filter, scan, now);
  }

  async sweep(limit: number, now: number): Promise<number> {
    for (let swept = 0; ;) {
      const { count, isDone } = await this.#writer.write(driving(() => sweepSteps(limit - swept, now)));
      swept += count;
      if (isDone) return swept;
    }
  }

  stats(now: number): Promise<BackendStats> {
    return this.#reader.stats(now);
  }

  /** The most frequent write, without the steps. */
  #set({ partition, key, value, version, expiresAt }: SetWrite): Promise<Verdict> {
    const query = {
      statement: this.#operations.statements.set,
      values: [toKey(partition), toKey(key), ...toColumns(value, sqliteDialect), version, expiresAt ?? null],
    };
    return this.#writer.write((connection) => {
      connection.ask(query);
      return { status: 'written' };
    });
  }

  get #reader(): SqliteReader {
    const { reader, watch } = this.#open();
    watch?.checkKnown();
    return reader;
  }

  get #writer(): SqliteWriter {
    const { writer, watch } = this.#open();
    watch?.check();
    return writer;
  }

  #open(): OpenSqlite {
    if (this.#opened === undefined) throw new StorageError('CLOSED', 'The sqlite backend is closed.');
    return this.#opened;
  }
}

function driving<T>(begin: () => SqlSteps<T>): (connection: SqliteConnection) => T {
  return (connection) => driveNow(begin(), (query) => connection.ask(query));
}
