import type { SweepResult } from '../entries/entry-store';
import { deleteEmptySessions, deleteEntries } from './delete-entries';
import { deleteExpiredGaps } from './gap-rows';
import { LOCK_SPACE, SWEEP_LOCK } from './session-locks';
import { SliceSize } from './slice-size';
import type { SqlDatabase, SqlRunner } from './sql-database';

const POSTGRES_ROWS = 1_000;
const SQLITE_FIRST_ROWS = 10;
const SQLITE_MAX_ROWS = 200;
/** Sessions looked at for emptiness in each sweep, besides those that lost entries in it. */
const SESSIONS_PER_SWEEP = 200;
const FIRST_PAGES = 20;
const MAX_PAGES = 500;

interface Batch {
  readonly entries: number;
  readonly sessions: number;
  /** Rows that were found; none means that nothing is left to do. */
  readonly found: number;
}

/** Deletes what has expired, in batches short enough for the program's thread and for other writers. */
export class Sweeper {
  readonly #database: SqlDatabase;
  /** Where the slow round over all sessions stands. */
  #lastSession = '';

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  async sweep(now: number, budgetMs: number): Promise<SweepResult> {
    const deadline = performance.now() + budgetMs;
    const size =
      this.#database.dialect === 'sqlite'
        ? new SliceSize(SQLITE_FIRST_ROWS, SQLITE_MAX_ROWS)
        : new SliceSize(POSTGRES_ROWS, POSTGRES_ROWS);
    let deletedEntries = 0;
    let deletedSessions = 0;
    let hasMore = true;
    // At least one batch, so that a budget of nothing still gets somewhere.
    do {
      const limit = size.rows;
      const batch = await this.#deleteExpired(now, limit, size);
      deletedEntries += batch.entries;
      deletedSessions += batch.sessions;
      hasMore = batch.found === limit;
    } while (hasMore && performance.now() < deadline);
    deletedSessions += await this.#deleteOrphans();
    await this.#database.write((sql) => deleteExpiredGaps(sql, now));
    await this.#giveBackSpace(deadline);
    return { deletedEntries, deletedSessions, hasMore };
  }

  async #deleteExpired(now: number, limit: number, size: SliceSize): Promise<Batch> {
    return this.#database.write(async (sql) => {
      if (sql.dialect === 'postgres' && !(await holdsLease(sql)))
        return { entries: 0, sessions: 0, found: 0 };
      const lock = sql.dialect === 'postgres' ? ' FOR UPDATE SKIP LOCKED' : '';
      const rows = await sql.query<{ id: string; session_id: string }>(
        `SELECT id, session_id FROM recap_entries WHERE expires_at <= ? ORDER BY expires_at LIMIT ?${lock}`,
        [Math.floor(now), limit],
      );
      const { entries, sessions, tookMs } = await deleteEntries(sql, rows);
      if (sql.dialect === 'sqlite') size.learn(rows.length, tookMs);
      return { entries, sessions, found: rows.length };
    });
  }

  /** Sessions that a crash between two steps left without entries; a few in each sweep, in turn. */
  async #deleteOrphans(): Promise<number> {
    const rows = await this.#database.read((sql) =>
      sql.query<{ id: string }>('SELECT id FROM recap_sessions WHERE id > ? ORDER BY id LIMIT ?', [
        this.#lastSession,
        SESSIONS_PER_SWEEP,
      ]),
    );
    this.#lastSession = rows.length === SESSIONS_PER_SWEEP ? (rows.at(-1)?.id ?? '') : '';
    let deleted = 0;
    for (let at = 0; at < rows.length; at += 50) {
      const ids = rows.slice(at, at + 50).map(({ id }) => id);
      deleted += await this.#database.write((sql) => deleteEmptySessions(sql, ids));
    }
    return deleted;
  }

  /** Hands free pages back to the file system. PostgreSQL's own vacuum does so by itself. */
  async #giveBackSpace(deadline: number): Promise<void> {
    if (this.#database.dialect !== 'sqlite' || !this.#database.isOwn) return;
    const size = new SliceSize(FIRST_PAGES, MAX_PAGES);
    do {
      const isDone = await this.#database.maintain(async (sql) => {
        const [row] = await sql.query<{ freelist_count: number }>('PRAGMA freelist_count');
        if (row === undefined || row.freelist_count === 0) return true;
        const pages = Math.min(size.rows, row.freelist_count);
        await sql.command(`PRAGMA incremental_vacuum(${pages})`);
        size.learn(pages, sql.lastMs);
        return row.freelist_count <= pages;
      });
      if (isDone) return;
    } while (performance.now() < deadline);
  }
}

/** One process sweeps at a time; the others have nothing to do meanwhile. */
async function holdsLease(sql: SqlRunner): Promise<boolean> {
  const [row] = await sql.query<{ is_mine: boolean }>(
    `SELECT pg_try_advisory_xact_lock(${LOCK_SPACE}, ${SWEEP_LOCK}) AS is_mine`,
  );
  return row?.is_mine === true;
}
