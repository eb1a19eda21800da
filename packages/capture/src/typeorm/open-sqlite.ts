import { DataSource, type DataSourceOptions } from 'typeorm';
import { durabilityMismatch, toStorageError } from './database-errors';
import { describeTarget, type SqliteTarget } from './database-options';
import { OPEN_GATE, passing, type DriverGate } from './driver-gate';
import { Lanes } from './lanes';
import { MIGRATIONS, MIGRATIONS_TABLE, runMigrations } from './migrations/run-migrations';
import type { SqlDatabase, SqlRunner } from './sql-database';
import { loadSqliteDriver, type SqliteDriver } from './sqlite-driver';
import { prepareSqliteFile } from './sqlite-folder';
import { PAGE_BYTES, retryingBusy, SqliteRunner, Turns } from './sqlite-runner';

/** SQLite's own wait would sleep on the thread, and ending a thread within it ends the process: waiting is done between attempts. */
const BUSY_TIMEOUT_MS = 0;

/** Pages in the log after which they go to the file: about 15 ms on a common disk, most of it the sync. */
const CHECKPOINT_PAGES = 200;
/** Pages that a transaction changes in any case, one of the table and one of each index. */
const PAGES_PER_TRANSACTION = 8;

/**
 * Before anything is written: the first two have no effect later, and WAL is already a write. A row with two bodies of
 * 1 KB is as large as half of SQLite's usual page, which then holds one of them and nothing else.
 */
const OWN_FILE_PRAGMAS = [`page_size = ${PAGE_BYTES}`, 'auto_vacuum = INCREMENTAL', 'journal_mode = WAL'];
/**
 * NORMAL syncs at checkpoints only: a power cut may cost the last commits, never the database. SQLite's own
 * checkpoint would come within a COMMIT, at one stretch with it; ours comes sooner and in a turn of its own.
 */
const WRITER_PRAGMAS = ['synchronous = NORMAL', 'cache_size = -16384', 'wal_autocheckpoint = 500'];
/** FULL syncs at every commit; on macOS a sync reaches the disk itself only so. @see https://sqlite.org/pragma.html#pragma_fullfsync */
const SYNC_PRAGMAS = ['synchronous = FULL', 'fullfsync = ON'];
const FULL = 2;
/** In which a commit is in a file. */
const SYNCED_JOURNALS = new Set(['wal', 'delete', 'truncate', 'persist']);

/**
 * Opens an SQLite database with one connection that writes and one that only reads, so that a read neither
 * sees nor waits for a transaction that has not ended.
 */
export async function openSqlite(
  target: SqliteTarget,
  mustSync = false,
  gate: DriverGate = OPEN_GATE,
): Promise<SqlDatabase> {
  const hasOwnBinary = target.connection['nativeBinding'] !== undefined;
  const driver = await passing(gate, () => loadSqliteDriver(target.driver, hasOwnBinary));
  const name = describeTarget(target);
  const opened: DataSource[] = [];
  try {
    if (target.isOwn && target.path !== ':memory:') await prepareSqliteFile(target.path);
    const writer = await connect(target, driver, gate, false);
    opened.push(writer);
    const database = new SqliteDatabase(name, target, writer, gate);
    await database.prepare(mustSync);
    if (target.path !== ':memory:') {
      const reader = await connect(target, driver, gate, true);
      opened.push(reader);
      database.readFrom(reader);
    }
    return database;
  } catch (error) {
    for (const dataSource of opened) await passing(gate, () => dataSource.destroy());
    throw toStorageError(error, name);
  }
}

async function connect(
  target: SqliteTarget,
  driver: SqliteDriver,
  gate: DriverGate,
  isReader: boolean,
): Promise<DataSource> {
  const readonly =
    driver.name === 'better-sqlite3'
      ? { readonly: isReader, timeout: BUSY_TIMEOUT_MS }
      : { busyTimeout: BUSY_TIMEOUT_MS, ...(isReader ? { flags: 1 /* SQLITE_OPEN_READONLY */ } : {}) };
  const options = {
    ...target.connection,
    type: driver.typeormType,
    driver: driver.package,
    database: target.path,
    entities: [],
    migrations: isReader ? [] : MIGRATIONS,
    migrationsTableName: MIGRATIONS_TABLE,
    logging: false,
    statementCacheSize: 200,
    ...readonly,
  };
  // One shape for both drivers, of which TypeORM 1 knows one by its types.
  const dataSource = new DataSource(options as unknown as DataSourceOptions);
  return passing(gate, () => dataSource.initialize());
}

class SqliteDatabase implements SqlDatabase {
  readonly dialect = 'sqlite';
  readonly isOwn: boolean;
  readonly #name: string;
  readonly #writer: DataSource;
  readonly #writeLane = new Lanes(1);
  readonly #writing: SqliteRunner;
  readonly #turns = new Turns();
  readonly #gate: DriverGate;
  #reader: DataSource | undefined;
  #reading: SqliteRunner;
  #isClosed = false;

  constructor(name: string, target: SqliteTarget, writer: DataSource, gate: DriverGate) {
    this.#name = name;
    this.#gate = gate;
    this.isOwn = target.isOwn;
    this.#writer = writer;
    this.#writing = new SqliteRunner(name, writer.createQueryRunner(), this.#turns, gate, () => false);
    this.#reading = this.#writing;
  }

  /** @throws {StorageError} `DURABILITY_MISMATCH` when it must sync and cannot */
  async prepare(mustSync: boolean): Promise<void> {
    // One after another and not in a transaction, in which both are without effect.
    if (this.isOwn) for (const pragma of OWN_FILE_PRAGMAS) await this.#retrying(`PRAGMA ${pragma}`);
    const pragmas = mustSync ? [...WRITER_PRAGMAS, ...SYNC_PRAGMAS] : WRITER_PRAGMAS;
    for (const pragma of pragmas) await this.#retrying(`PRAGMA ${pragma}`);
    if (mustSync) await this.#refuseUnsynced();
    await this.write(() => passing(this.#gate, () => runMigrations(this.#writer, this.#writing.queryRunner)));
  }

  readFrom(reader: DataSource): void {
    this.#reader = reader;
    this.#reading = new SqliteRunner(
      this.#name,
      reader.createQueryRunner(),
      this.#turns,
      this.#gate,
      () => this.#isClosed,
    );
  }

  async read<T>(work: (sql: SqlRunner) => Promise<T>): Promise<T> {
    if (this.#reader !== undefined) return work(this.#reading);
    // With one connection only, a read in the middle of a transaction would see its half.
    return this.#writeLane.run(() => work(this.#reading));
  }

  async write<T>(work: (sql: SqlRunner) => Promise<T>): Promise<T> {
    // A transaction gives way between its statements, so nothing else may use its connection meanwhile.
    return this.#writeLane.run(async () => {
      await this.#retrying('BEGIN IMMEDIATE');
      try {
        const result = await work(this.#writing);
        this.#writing.changedPages += PAGES_PER_TRANSACTION;
        await this.#retrying('COMMIT');
        await this.#checkpoint();
        return result;
      } catch (error) {
        await this.#rollBack();
        throw error;
      }
    });
  }

  async maintain<T>(work: (sql: SqlRunner) => Promise<T>): Promise<T> {
    return this.#writeLane.run(async () => {
      const result = await work(this.#writing);
      await this.#checkpoint();
      return result;
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writeLane.drain();
    await passing(this.#gate, async () => {
      await this.#reader?.destroy();
      await this.#writer.destroy();
    });
  }

  async #refuseUnsynced(): Promise<void> {
    const [level] = await this.#writing.query<{ synchronous: number }>('PRAGMA synchronous');
    const [journal] = await this.#writing.query<{ journal_mode: string }>('PRAGMA journal_mode');
    if ((level?.synchronous ?? 0) < FULL) throw durabilityMismatch(this.#name, 'synchronous is below FULL');
    const mode = journal?.journal_mode ?? 'unknown';
    if (!SYNCED_JOURNALS.has(mode)) throw durabilityMismatch(this.#name, `the journal mode is ${mode}`);
  }

  async #checkpoint(): Promise<void> {
    if (this.#writing.changedPages < CHECKPOINT_PAGES || !this.isOwn) return;
    this.#writing.changedPages = 0;
    await this.#retrying('PRAGMA wal_checkpoint(PASSIVE)');
  }

  /** In a turn of its own: COMMIT and checkpoints write what has gathered. */
  async #retrying(sql: string): Promise<void> {
    await this.#turns.next();
    await retryingBusy(this.#name, this.#gate, () => this.#writing.queryRunner.query(sql));
  }

  async #rollBack(): Promise<void> {
    try {
      await passing(this.#gate, () => this.#writing.queryRunner.query('ROLLBACK'));
    } catch (error) {
      // A full disk makes SQLite roll back by itself; it says so by refusing ours.
      if (!/no transaction is active/.test(String(error))) throw toStorageError(error, this.#name);
    }
  }
}
