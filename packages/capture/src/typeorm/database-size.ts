import { deleteEntries } from './delete-entries';
import { SliceSize } from './slice-size';
import type { SqlDatabase, SqlRunner } from './sql-database';

const SAMPLE_ROWS = 200;
const COUNT_EXACTLY_UP_TO = 100_000;
/** Of a row besides its bodies: its other columns and its part of the indexes, as measured. */
const ROW_OVERHEAD_BYTES = 1_500;
const EVICT_MAX_ROWS = 200;

/** Bytes of the tables and their indexes; without free pages where the database can tell. */
export async function databaseBytes(database: SqlDatabase): Promise<number> {
  return database.read(async (sql) => {
    if (sql.dialect === 'sqlite') return database.isOwn ? usedPageBytes(sql) : estimatedBytes(sql);
    const [row] = await sql.query<{ bytes: string }>(
      `SELECT pg_total_relation_size('recap_entries') + pg_total_relation_size('recap_sessions') AS bytes`,
    );
    return Number(row?.bytes ?? 0);
  });
}

/**
 * Deletes oldest entries until at most `maxBytes` are used. Files of PostgreSQL do not shrink by deleting,
 * so there the rows themselves are estimated, and what is deleted is taken off.
 */
export async function evictOldest(database: SqlDatabase, maxBytes: number): Promise<number> {
  const size = new SliceSize(10, EVICT_MAX_ROWS);
  const isMeasured = database.dialect === 'sqlite' && database.isOwn;
  let bytes = await database.read(isMeasured ? usedPageBytes : estimatedBytes);
  let evicted = 0;
  while (bytes > maxBytes) {
    const batch = await database.write(async (sql) => {
      const rows = await sql.query<{ id: string; session_id: string; bytes: number | string }>(
        `SELECT id, session_id, request_stored_bytes + response_stored_bytes + ${ROW_OVERHEAD_BYTES} AS bytes
           FROM recap_entries ORDER BY created_at, id LIMIT ?`,
        [size.rows],
      );
      const going = upTo(rows, bytes - maxBytes);
      const deleted = await deleteEntries(sql, going);
      size.learn(going.length, deleted.tookMs);
      return { deleted: deleted.entries, bytes: going.reduce((sum, row) => sum + Number(row.bytes), 0) };
    });
    if (batch.deleted === 0) break;
    evicted += batch.deleted;
    bytes = isMeasured ? await database.read(usedPageBytes) : bytes - batch.bytes;
  }
  return evicted;
}

function upTo<Row extends { readonly bytes: number | string }>(rows: readonly Row[], bytes: number): Row[] {
  const taken: Row[] = [];
  for (let left = bytes, at = 0; left > 0 && at < rows.length; at += 1) {
    const row = rows[at];
    if (row === undefined) break;
    taken.push(row);
    left -= Number(row.bytes);
  }
  return taken;
}

async function usedPageBytes(sql: SqlRunner): Promise<number> {
  const [row] = await sql.query<{ bytes: number }>(
    `SELECT (page_count - freelist_count) * page_size AS bytes
       FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
  );
  return row?.bytes ?? 0;
}

/** Rows times the mean of the newest, where the size of the file says nothing about them. */
async function estimatedBytes(sql: SqlRunner): Promise<number> {
  const [sample] = await sql.query<{ mean: number | string | null }>(
    `SELECT avg(request_stored_bytes + response_stored_bytes + ${ROW_OVERHEAD_BYTES}) AS mean FROM (
       SELECT request_stored_bytes, response_stored_bytes FROM recap_entries
        ORDER BY created_at DESC, id DESC LIMIT ${SAMPLE_ROWS}) AS newest`,
  );
  return Number(sample?.mean ?? 0) * (await (sql.dialect === 'sqlite' ? sqliteRows : postgresRows)(sql));
}

/** Rowids are given in ascending order and deleted at the low end, so their span is about the number of rows. */
async function sqliteRows(sql: SqlRunner): Promise<number> {
  const [row] = await sql.query<{ span: number | null }>(
    'SELECT (SELECT max(rowid) FROM recap_entries) - (SELECT min(rowid) FROM recap_entries) + 1 AS span',
  );
  return row?.span ?? 0;
}

async function postgresRows(sql: SqlRunner): Promise<number> {
  const [counted] = await sql.query<{ rows: string }>(
    `SELECT count(*) AS rows FROM (SELECT 1 FROM recap_entries LIMIT ${COUNT_EXACTLY_UP_TO}) AS counted`,
  );
  const exact = Number(counted?.rows ?? 0);
  if (exact < COUNT_EXACTLY_UP_TO) return exact;
  const [estimated] = await sql.query<{ rows: string }>(
    `SELECT pg_stat_get_live_tuples('recap_entries'::regclass) AS rows`,
  );
  return Math.max(exact, Number(estimated?.rows ?? 0));
}
