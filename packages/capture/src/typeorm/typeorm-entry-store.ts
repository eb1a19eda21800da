import { newId as randomId, StorageError, systemClock, type Clock } from '@recap/storage';
import type { EntryFilter } from '../entries/entry-filter';
import type { GapRange, GapRecord } from '../entries/gap';
import type {
  EntryStore,
  FindEntries,
  FindGaps,
  FindSessions,
  NewEntry,
  RecentSession,
  SweepResult,
} from '../entries/entry-store';
import { appendEntries } from './append-entries';
import { databaseBytes, evictOldest } from './database-size';
import { resolveDatabase, type DatabaseOption, type DatabaseTarget } from './database-options';
import { removeEntries } from './delete-entries';
import type { DriverGate } from './driver-gate';
import { ALL_COLUMNS, entryFromRow, type EntryRow } from './entry-columns';
import { filterSql, wholeInstant } from './filter-sql';
import { findGaps, saveGaps, sumGaps } from './gap-rows';
import { openPostgres } from './open-postgres';
import { openSqlite } from './open-sqlite';
import { postgresReads } from './postgres-reads';
import { SESSION_COLUMNS, sessionFromRow, type SessionRow } from './session-columns';
import { allOf, type SqlDatabase } from './sql-database';
import { sqliteReads } from './sqlite-reads';
import { storableKey } from './storable-text';
import { Sweeper } from './sweep-entries';

const MAX_COUNTED = 10_000;

export interface TypeOrmEntryStoreOptions extends EntryStoreSettings {
  readonly database: DatabaseOption;
  /** Consents to write into an SQLite file of the program's own, given as `DataSource` or its options. */
  readonly shareSqliteFile?: boolean;
}

export interface EntryStoreSettings {
  readonly clock?: Clock;
  /** Ids of sessions. */
  readonly newId?: () => string;
  /** No session spans more than this. */
  readonly sessionMaxAgeMs: number;
  /** Told of every call that took `slowOperationMs` or longer, with the call's name. */
  readonly onSlowOperation?: (name: string, ms: number) => void;
  /** Default 100. */
  readonly slowOperationMs?: number;
  /** A database whose commits may be lost with the power is refused by `open()`; an SQLite file is set to sync them. */
  readonly mustSync?: boolean;
  /** Of a thread that may be ended at any time. */
  readonly gate?: DriverGate;
}

/**
 * Keeps entries in SQLite or PostgreSQL over TypeORM. Options are checked here, connecting happens in
 * `open()`.
 *
 * @throws {StorageError} `CONFIG_INVALID`, `DATABASE_UNSUPPORTED`, `DATABASE_NOT_SHAREABLE`; `open()` rejects
 *   with `SQLITE_NOT_BUILT`, `DRIVER_MISSING`, `UNAVAILABLE` or, with `mustSync`, `DURABILITY_MISMATCH`
 */
export function createTypeOrmEntryStore(options: TypeOrmEntryStoreOptions): EntryStore {
  return createEntryStoreAt(resolveDatabase(options.database, options.shareSqliteFile), options);
}

/** The same for a database option that has been resolved, perhaps in another thread. */
export function createEntryStoreAt(target: DatabaseTarget, options: EntryStoreSettings): EntryStore {
  const { sessionMaxAgeMs } = options;
  if (!Number.isFinite(sessionMaxAgeMs) || sessionMaxAgeMs <= 0) {
    throw new StorageError('CONFIG_INVALID', `sessionMaxAgeMs must be above 0, not ${sessionMaxAgeMs}.`);
  }
  return new TypeOrmEntryStore(options, target);
}

interface OpenDatabase {
  readonly sql: SqlDatabase;
  readonly sweeper: Sweeper;
}

class TypeOrmEntryStore implements EntryStore {
  readonly kind: string;
  readonly #options: EntryStoreSettings;
  readonly #target: DatabaseTarget;
  readonly #reads;
  readonly #clock: Clock;
  readonly #newId: () => string;
  #opening: Promise<OpenDatabase> | undefined;
  #open: OpenDatabase | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: EntryStoreSettings, target: DatabaseTarget) {
    this.kind = target.dialect;
    this.#options = options;
    this.#target = target;
    this.#reads = target.dialect === 'postgres' ? postgresReads : sqliteReads;
    this.#clock = options.clock ?? systemClock;
    this.#newId = options.newId ?? randomId;
  }

  async open(): Promise<void> {
    if (this.#closing !== undefined) throw closed();
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    await this.#opening;
  }

  async close(): Promise<void> {
    this.#closing ??= this.#disconnect();
    await this.#closing;
  }

  append(entries: readonly NewEntry[]) {
    // Copied before the first wait: what the caller changes afterwards is not meant.
    const taken = [...entries];
    const placing = { maxAgeMs: this.#options.sessionMaxAgeMs, newId: this.#newId };
    return this.#timed('append', async ({ sql }) =>
      taken.length === 0 ? [] : appendEntries(sql, taken, placing),
    );
  }

  find(query: FindEntries) {
    return this.#timed('find', ({ sql }) =>
      sql.read((runner) => this.#reads.find(runner, query, this.#clock.now())),
    );
  }

  count(filter: EntryFilter, limit: number) {
    return this.#timed('count', ({ sql }) =>
      sql.read((runner) => this.#reads.count(runner, filter, limit, this.#clock.now())),
    );
  }

  get(id: string, filter: Pick<EntryFilter, 'owner'>) {
    return this.#timed('get', ({ sql }) =>
      sql.read(async (runner) => {
        const where = allOf(filterSql(sql.dialect, filter, this.#clock.now()));
        const [row] = await runner.query<EntryRow>(
          `SELECT ${ALL_COLUMNS} FROM recap_entries WHERE id = ? AND ${where.sql}`,
          [storableKey(id), ...where.values],
        );
        return row === undefined ? undefined : entryFromRow(row);
      }),
    );
  }

  findSessions(query: FindSessions) {
    return this.#timed('findSessions', ({ sql }) =>
      sql.read((runner) => this.#reads.findSessions(runner, query, this.#clock.now())),
    );
  }

  countSessions(filter: EntryFilter, limit: number) {
    return this.#timed('countSessions', ({ sql }) =>
      sql.read((runner) => this.#reads.countSessions(runner, filter, limit, this.#clock.now())),
    );
  }

  remove(ids: readonly string[], options: { readonly force: boolean; readonly isDryRun: boolean }) {
    const wanted = new Map(ids.map((id) => [id, storableKey(id)]));
    return this.#timed('remove', ({ sql }) =>
      removeEntries(sql, wanted, { ...options, now: this.#clock.now() }),
    );
  }

  sweep(budgetMs: number): Promise<SweepResult> {
    return this.#timed('sweep', ({ sweeper }) => sweeper.sweep(this.#clock.now(), budgetMs), budgetMs);
  }

  evictOldest(maxBytes: number) {
    return this.#timed('evictOldest', ({ sql }) => evictOldest(sql, maxBytes));
  }

  sizes() {
    return this.#timed('sizes', async ({ sql }) => {
      const { total, isCapped } = await sql.read((runner) =>
        this.#reads.count(runner, {}, MAX_COUNTED, this.#clock.now()),
      );
      return { databaseBytes: await databaseBytes(sql), entries: total, entriesIsCapped: isCapped };
    });
  }

  ping() {
    return this.#timed('ping', async ({ sql }) => {
      await sql.read((runner) => runner.query('SELECT 1 AS alive'));
    });
  }

  saveGaps(gaps: readonly GapRecord[]) {
    const taken = gaps.map((gap) => ({ ...gap }));
    return this.#timed('saveGaps', async ({ sql }) => {
      if (taken.length > 0) await sql.write((runner) => saveGaps(runner, taken));
    });
  }

  findGaps(query: FindGaps) {
    return this.#timed('findGaps', ({ sql }) =>
      sql.read((runner) => findGaps(runner, query, this.#clock.now())),
    );
  }

  sumGaps(range: GapRange) {
    return this.#timed('sumGaps', ({ sql }) =>
      sql.read((runner) => sumGaps(runner, range, this.#clock.now())),
    );
  }

  recentSessions(since: number, limit: number): Promise<readonly RecentSession[]> {
    return this.#timed('recentSessions', ({ sql }) =>
      sql.read(async (runner) => {
        const rows = await runner.query<SessionRow>(
          `SELECT ${SESSION_COLUMNS} FROM recap_sessions WHERE last_activity_at >= ?
            ORDER BY last_activity_at DESC, id DESC LIMIT ?`,
          [wholeInstant(since), limit],
        );
        return rows.map(sessionFromRow).map(({ id, key, createdAt, lastActivityAt, timeoutMs }) => ({
          id,
          key,
          createdAt,
          lastActivityAt,
          timeoutMs,
        }));
      }),
    );
  }

  async #connect(): Promise<OpenDatabase> {
    const { mustSync = false, gate } = this.#options;
    const sql =
      this.#target.dialect === 'postgres'
        ? await openPostgres(this.#target, mustSync)
        : await openSqlite(this.#target, mustSync, gate);
    this.#open = { sql, sweeper: new Sweeper(sql) };
    return this.#open;
  }

  async #disconnect(): Promise<void> {
    // An attempt to open that fails by itself leaves nothing to close.
    await this.#opening?.catch(() => undefined);
    await this.#open?.sql.close();
  }

  /** @param expectedMs what the call may take on purpose, not to be told of as slow */
  async #timed<T>(name: string, work: (open: OpenDatabase) => Promise<T>, expectedMs = 0): Promise<T> {
    if (this.#closing !== undefined) throw closed();
    if (this.#open === undefined) {
      throw new StorageError('UNAVAILABLE', 'The entry store is not open. Call open() first.');
    }
    const startedAt = performance.now();
    try {
      return await work(this.#open);
    } finally {
      const tookMs = performance.now() - startedAt;
      if (tookMs - expectedMs >= (this.#options.slowOperationMs ?? 100)) {
        this.#options.onSlowOperation?.(name, tookMs);
      }
    }
  }
}

function closed(): StorageError {
  return new StorageError('CLOSED', 'The entry store is closed.');
}
