import type { EntryFilter } from '../entries/entry-filter';
import type { EntryRecord } from '../entries/entry-record';
import type { CountResult, FindEntries } from '../entries/entry-store';
import { COLUMNS_WITHOUT_BODIES, entryFromRow, type EntryRow } from './entry-columns';
import type { EntryReads } from './entry-reads';
import { planScan, scanEntries, scanTooLong } from './entry-scan';
import { matchesNothing } from './filter-sql';
import { isAnyOf, type SqlRunner } from './sql-database';
import { countSqliteSessions, findSqliteSessions } from './sqlite-sessions';

const COUNT_BUDGET = { maxRows: 1_000_000, maxMs: 5_000 };
/** A page must be right or fail, so looking for it may take longer than counting. */
export const FIND_BUDGET = { maxRows: 20_000_000, maxMs: 30_000 };
const ROWS_PER_READ = 25;
const BODY_BYTES_PER_READ = 1024 * 1024;

export const sqliteReads: EntryReads = {
  find,
  count,
  findSessions: findSqliteSessions,
  countSessions: countSqliteSessions,
};

async function find(sql: SqlRunner, query: FindEntries, now: number): Promise<EntryRecord[]> {
  const { filter, limit, after, offset = 0, includeBodies } = query;
  if (limit <= 0 || matchesNothing(filter)) return [];
  const ids: string[] = [];
  let toSkip = offset;
  const isComplete = await scanEntries(sql, planScan(filter, now), {
    after,
    budget: FIND_BUDGET,
    onRow: (row) => {
      if (row.is_match !== 1) return true;
      if (toSkip > 0) toSkip -= 1;
      else ids.push(row.id);
      return ids.length < limit;
    },
  });
  if (!isComplete) throw scanTooLong();
  const entries = await readEntries(sql, ids);
  if (includeBodies) await addBodies(sql, entries);
  return entries;
}

async function count(sql: SqlRunner, filter: EntryFilter, limit: number, now: number): Promise<CountResult> {
  const scan = planScan(filter, now);
  if (matchesNothing(filter)) return { total: 0, isCapped: false, isUnindexed: false };
  let found = 0;
  const isComplete = await scanEntries(sql, scan, {
    budget: COUNT_BUDGET,
    onRow: (row) => {
      if (row.is_match === 1) found += 1;
      return found <= limit;
    },
  });
  return {
    total: Math.min(found, limit),
    isCapped: !isComplete || found > limit,
    isUnindexed: scan.isUnindexed,
  };
}

async function readEntries(sql: SqlRunner, ids: readonly string[]): Promise<EntryRecord[]> {
  const found = new Map<string, EntryRecord>();
  for (let at = 0; at < ids.length; at += ROWS_PER_READ) {
    const wanted = isAnyOf('sqlite', 'id', ids.slice(at, at + ROWS_PER_READ));
    const rows = await sql.query<EntryRow>(
      `SELECT ${COLUMNS_WITHOUT_BODIES} FROM recap_entries WHERE ${wanted.sql}`,
      wanted.values,
    );
    for (const row of rows) found.set(row.id, entryFromRow(row));
  }
  return ids.map((id) => found.get(id)).filter((entry) => entry !== undefined);
}

/** Bodies in groups of bounded size, since each group is read at one stretch. */
export async function addBodies(sql: SqlRunner, entries: readonly EntryRecord[]): Promise<void> {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  let ids: string[] = [];
  let bytes = 0;
  const readGroup = async (): Promise<void> => {
    const wanted = isAnyOf('sqlite', 'id', ids);
    const rows = await sql.query<{ id: string; request_body: Buffer | null; response_body: Buffer | null }>(
      `SELECT id, request_body, response_body FROM recap_entries WHERE ${wanted.sql}`,
      wanted.values,
    );
    for (const row of rows) {
      const entry = byId.get(row.id);
      if (entry !== undefined)
        Object.assign(entry, { requestBody: row.request_body, responseBody: row.response_body });
    }
    ids = [];
    bytes = 0;
  };
  for (const entry of entries) {
    const size = entry.requestStoredBytes + entry.responseStoredBytes;
    if (ids.length > 0 && (bytes + size > BODY_BYTES_PER_READ || ids.length === ROWS_PER_READ))
      await readGroup();
    ids.push(entry.id);
    bytes += size;
  }
  if (ids.length > 0) await readGroup();
}
