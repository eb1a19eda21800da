import type { DeleteOutcome } from '../entries/entry-store';
import { lockSessionKeys } from './session-locks';
import { isAnyOf, type SqlDatabase, type SqlRunner } from './sql-database';

/** Ids of one transaction of {@link removeEntries}: deleting a row with its index entries and pages costs SQLite up to 0.2 ms. */
const REMOVE_ROWS = 25;

interface DeletedRow {
  readonly id: string;
  readonly session_id: string;
}

/**
 * Deletes rows by id, and the sessions that are empty without them; within the transaction of `sql`.
 * `tookMs` is the time of the one statement that deletes the rows, the longest.
 */
export async function deleteEntries(
  sql: SqlRunner,
  rows: readonly DeletedRow[],
): Promise<{ entries: number; sessions: number; tookMs: number }> {
  if (rows.length === 0) return { entries: 0, sessions: 0, tookMs: 0 };
  const wanted = isAnyOf(
    sql.dialect,
    'id',
    rows.map(({ id }) => id),
  );
  const entries = await sql.execute(`DELETE FROM recap_entries WHERE ${wanted.sql}`, wanted.values);
  const tookMs = sql.lastMs;
  const sessions = await deleteEmptySessions(sql, [...new Set(rows.map((row) => row.session_id))]);
  return { entries, sessions, tookMs };
}

/**
 * Deletes those of the sessions that have no entry. Under the locks that placing takes, so that an append
 * in another process is either seen with its entry, or comes later and makes the session anew.
 */
export async function deleteEmptySessions(sql: SqlRunner, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const wanted = isAnyOf(sql.dialect, 'id', ids);
  const isEmpty =
    'NOT EXISTS (SELECT 1 FROM recap_entries WHERE recap_entries.session_id = recap_sessions.id)';
  const empty = await sql.query<{ id: string; session_key: string }>(
    `SELECT id, session_key FROM recap_sessions WHERE ${wanted.sql} AND ${isEmpty}`,
    wanted.values,
  );
  if (empty.length === 0) return 0;
  await lockSessionKeys(
    sql,
    empty.map((row) => row.session_key),
  );
  const stillEmpty = isAnyOf(
    sql.dialect,
    'id',
    empty.map(({ id }) => id),
  );
  return sql.execute(`DELETE FROM recap_sessions WHERE ${stillEmpty.sql} AND ${isEmpty}`, stillEmpty.values);
}

export async function removeEntries(
  database: SqlDatabase,
  ids: ReadonlyMap<string, string>,
  options: { readonly force: boolean; readonly isDryRun: boolean; readonly now: number },
): Promise<Map<string, DeleteOutcome>> {
  const stored = new Map<string, DeleteOutcome>();
  const all = [...new Set(ids.values())];
  for (let at = 0; at < all.length; at += REMOVE_ROWS) {
    const some = all.slice(at, at + REMOVE_ROWS);
    const outcomes = options.isDryRun
      ? await database.read((sql) => judge(sql, some, options))
      : await database.write((sql) => judge(sql, some, options));
    for (const [id, outcome] of outcomes) stored.set(id, outcome);
  }
  return new Map([...ids].map(([asked, id]) => [asked, stored.get(id) ?? 'not_found']));
}

async function judge(
  sql: SqlRunner,
  ids: readonly string[],
  { force, isDryRun, now }: { readonly force: boolean; readonly isDryRun: boolean; readonly now: number },
): Promise<Map<string, DeleteOutcome>> {
  const wanted = isAnyOf(sql.dialect, 'id', ids);
  const lock = sql.dialect === 'postgres' && !isDryRun ? ' FOR UPDATE' : '';
  const rows = await sql.query<DeletedRow & { expires_at: number | string | null }>(
    `SELECT id, session_id, expires_at FROM recap_entries WHERE ${wanted.sql} ORDER BY id${lock}`,
    wanted.values,
  );
  const mayGo = rows.filter((row) => force || (row.expires_at !== null && Number(row.expires_at) <= now));
  if (!isDryRun) await deleteEntries(sql, mayGo);
  const going = new Set(mayGo.map(({ id }) => id));
  return new Map(rows.map(({ id }) => [id, going.has(id) ? 'deleted' : 'protected']));
}
