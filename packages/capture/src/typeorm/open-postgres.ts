import { errorCode, loadDriver } from '@recap/storage';
import { DataSource, type DataSourceOptions, type QueryRunner } from 'typeorm';
import { driverCode, durabilityMismatch, toStorageError } from './database-errors';
import { describeTarget, type PostgresTarget } from './database-options';
import { Lanes } from './lanes';
import { MIGRATIONS, MIGRATIONS_TABLE, runMigrations } from './migrations/run-migrations';
import { LOCK_SPACE, MIGRATION_LOCK, ROW_WAIT_MS } from './session-locks';
import type { SqlDatabase, SqlRunner } from './sql-database';

const WRITERS = 2;
const READERS = 2;
const READER_WAIT_MS = 1_000;
const WRITER_WAIT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 4_000;
/** The server gives up first, unless it cannot be heard. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 1_000;
const INSERT_ROWS = [200, 50, 10, 1];
const INSERT_BYTES = 4 * 1024 * 1024;
/** Serialisation failure and deadlock: the transaction was undone, and may be run again. */
const RETRIED_CODES = new Set(['40001', '40P01']);
const MAX_ATTEMPTS = 3;

/** Opens a pool of Recap's own on PostgreSQL: two connections that write and two that read. */
export async function openPostgres(target: PostgresTarget, mustSync = false): Promise<SqlDatabase> {
  const driver = await loadDriver('pg', async () => require('pg') as unknown);
  const name = describeTarget(target);
  let dataSource: DataSource | undefined;
  try {
    dataSource = new DataSource(dataSourceOptions(target, driver));
    await dataSource.initialize();
    if (mustSync) await refuseUnsynced(dataSource, name);
    await migrate(dataSource);
    return new PostgresDatabase(name, dataSource);
  } catch (error) {
    if (dataSource?.isInitialized === true) await dataSource.destroy();
    throw toStorageError(error, name);
  }
}

function dataSourceOptions(target: PostgresTarget, driver: unknown): DataSourceOptions {
  const { extra, ...connection } = target.connection as { extra?: object };
  const options = {
    ...connection,
    type: 'postgres',
    driver,
    entities: [],
    migrations: MIGRATIONS,
    migrationsTableName: MIGRATIONS_TABLE,
    logging: false,
    installExtensions: false,
    applicationName: 'recap',
    connectTimeoutMS: 3_000,
    poolSize: WRITERS + READERS,
    // The pool has dropped the connection by then, and the next query opens another.
    poolErrorHandler: () => undefined,
    extra: {
      ...extra,
      keepAlive: true,
      // A program that has nothing else to do may end.
      allowExitOnIdle: true,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: ROW_WAIT_MS,
      idle_in_transaction_session_timeout: 10_000,
      query_timeout: ANSWER_TIMEOUT_MS,
      ...(target.schema === undefined ? {} : { options: `-c search_path=${searchPath(target.schema)}` }),
    },
  };
  return options as DataSourceOptions;
}

/** A quoted identifier, in which the server's option parser would stop at a space. */
function searchPath(schema: string): string {
  return `"${schema.replaceAll('"', '""')}"`.replace(/[\\ ]/g, '\\$&');
}

/** What the server or the role is set to holds for every connection of the pool. */
async function refuseUnsynced(dataSource: DataSource, name: string): Promise<void> {
  for (const setting of ['synchronous_commit', 'fsync']) {
    const [row] = await dataSource.query<Record<string, string>[]>(`SHOW ${setting}`);
    if (row?.[setting] === 'off') throw durabilityMismatch(name, `${setting} is off`);
  }
}

/** In one transaction on one connection, so that it also works through a pooler that hands connections around. */
async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('START TRANSACTION');
    await runner.query(
      "SELECT set_config('lock_timeout', '60000', true), set_config('statement_timeout', '0', true)",
    );
    await runner.query('SELECT pg_advisory_xact_lock($1, $2)', [LOCK_SPACE, MIGRATION_LOCK]);
    await runMigrations(dataSource, runner);
    await runner.query('COMMIT');
  } catch (error) {
    await destroyConnection(runner, error);
    throw error;
  }
  await runner.release();
}

class PostgresDatabase implements SqlDatabase {
  readonly dialect = 'postgres';
  readonly isOwn = false;
  readonly #name: string;
  readonly #dataSource: DataSource;
  readonly #writers = new Lanes(WRITERS, WRITER_WAIT_MS);
  readonly #readers = new Lanes(READERS, READER_WAIT_MS);

  constructor(name: string, dataSource: DataSource) {
    this.#name = name;
    this.#dataSource = dataSource;
  }

  async read<T>(work: (sql: SqlRunner) => Promise<T>): Promise<T> {
    return this.#readers.run(() =>
      this.#withConnection((runner) => work(new PostgresRunner(this.#name, runner))),
    );
  }

  async maintain<T>(work: (sql: SqlRunner) => Promise<T>): Promise<T> {
    return this.#writers.run(() =>
      this.#withConnection((runner) => work(new PostgresRunner(this.#name, runner))),
    );
  }

  async write<T>(work: (sql: SqlRunner) => Promise<T>): Promise<T> {
    return this.#writers.run(async () => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await this.#withConnection((runner) => this.#transaction(runner, work));
        } catch (error) {
          const code = errorCode((error as Error).cause);
          if (code === undefined || !RETRIED_CODES.has(code) || attempt === MAX_ATTEMPTS) throw error;
        }
      }
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#writers.drain(), this.#readers.drain()]);
    await this.#dataSource.destroy();
  }

  async #transaction<T>(runner: QueryRunner, work: (sql: SqlRunner) => Promise<T>): Promise<T> {
    const sql = new PostgresRunner(this.#name, runner);
    await sql.query('START TRANSACTION');
    try {
      const result = await work(sql);
      await sql.query('COMMIT');
      return result;
    } catch (error) {
      // Where the server did not answer, it would not answer this either; the transaction ends with its connection.
      if (isAnswer(error)) {
        await runner.query('ROLLBACK').catch((cause: unknown) => destroyConnection(runner, cause));
      }
      throw error;
    }
  }

  async #withConnection<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const runner = this.#dataSource.createQueryRunner();
    try {
      const result = await work(runner);
      await runner.release();
      return result;
    } catch (error) {
      // The statement may still run, and the next user would get its result.
      if (isAnswer(error)) await runner.release();
      else await destroyConnection(runner, (error as Error).cause ?? error);
      throw error;
    }
  }
}

/** A SQLSTATE is the server's own; without one it was not heard. */
function isAnswer(error: unknown): boolean {
  return /^[0-9A-Z]{5}$/.test(driverCode((error as Error).cause ?? error) ?? '');
}

/** Ends the connection instead of handing it to the next user. TypeORM has this for connection errors only, unpublished. */
async function destroyConnection(runner: QueryRunner, cause: unknown): Promise<void> {
  const { releasePostgresConnection } = runner as unknown as {
    releasePostgresConnection?: (error: Error) => Promise<void>;
  };
  const error = cause instanceof Error ? cause : new Error('The connection is in an unknown state.');
  if (releasePostgresConnection === undefined) await runner.release();
  else await releasePostgresConnection.call(runner, error);
}

class PostgresRunner implements SqlRunner {
  readonly dialect = 'postgres';
  readonly #name: string;
  readonly #runner: QueryRunner;
  lastMs = 0;

  constructor(name: string, runner: QueryRunner) {
    this.#name = name;
    this.#runner = runner;
  }

  async query<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#run(sql, values)).records as Row[];
  }

  async execute(sql: string, values: readonly unknown[] = []): Promise<number> {
    return (await this.#run(sql, values)).affected ?? 0;
  }

  async command(sql: string): Promise<void> {
    await this.#run(sql, []);
  }

  async insert(head: string, rows: readonly (readonly unknown[])[], tail = ''): Promise<void> {
    for (let at = 0; at < rows.length;) {
      const taken = chunkAt(rows, at);
      const values = rows.slice(at, at + taken).flat();
      const row = `(${Array(values.length / taken)
        .fill('?')
        .join(', ')})`;
      await this.execute(`${head} VALUES ${Array(taken).fill(row).join(', ')} ${tail}`, values);
      at += taken;
    }
  }

  async #run(sql: string, values: readonly unknown[]): Promise<{ records: unknown[]; affected?: number }> {
    const startedAt = performance.now();
    try {
      return await this.#runner.query(numbered(sql), values as unknown[], true);
    } catch (error) {
      throw toStorageError(error, this.#name);
    } finally {
      this.lastMs = performance.now() - startedAt;
    }
  }
}

/** Rows of one INSERT: few sizes, so that few texts are ever made, and bounded bytes. */
function chunkAt(rows: readonly (readonly unknown[])[], at: number): number {
  const most = Math.min(rows.length - at, INSERT_ROWS[0] ?? 1);
  let fitting = 0;
  for (let bytes = 0; fitting < most; fitting += 1) {
    for (const value of rows[at + fitting] ?? []) if (Buffer.isBuffer(value)) bytes += value.length;
    if (bytes > INSERT_BYTES) break;
  }
  return INSERT_ROWS.find((size) => size <= fitting) ?? 1;
}

const numberedTexts = new Map<string, string>();

/** `?` to `$1`, `$2`, …; remembered, since a bulk insert has thousands. */
function numbered(sql: string): string {
  const known = numberedTexts.get(sql);
  if (known !== undefined) return known;
  let next = 0;
  const text = sql.replace(/\?/g, () => `$${(next += 1)}`);
  if (numberedTexts.size >= 500) numberedTexts.clear();
  numberedTexts.set(sql, text);
  return text;
}
