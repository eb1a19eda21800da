import { errorCode } from '@recap/storage';
import type { EntryFilter } from '../entries/entry-filter';
import type { EntryRecord } from '../entries/entry-record';
import type { CountResult, FindEntries, FindSessions, Position, SessionRecord } from '../entries/entry-store';
import { ALL_COLUMNS, COLUMNS_WITHOUT_BODIES, entryFromRow, type EntryRow } from './entry-columns';
import { MAX_SESSION_ENDPOINTS, MAX_SESSION_ENTRIES, type EntryReads } from './entry-reads';
import { filterSql, isUnindexed, matchesNothing, wholeInstant } from './filter-sql';
import { sessionFromRow, type SessionRow } from './session-columns';
import { allOf, type SqlFragment, type SqlRunner } from './sql-database';
import { sessionRecord } from './sqlite-sessions';
import { storableKey } from './storable-text';

/** `statement_timeout` ended it. */
const QUERY_CANCELED = '57014';

export const postgresReads: EntryReads = { find, count, findSessions, countSessions };

async function find(sql: SqlRunner, query: FindEntries, now: number): Promise<EntryRecord[]> {
  const { filter, limit, after, offset = 0, includeBodies } = query;
  if (limit <= 0 || matchesNothing(filter)) return [];
  const where = allOf([...filterSql('postgres', filter, now), ...belowPosition('created_at', after)]);
  const rows = await sql.query<EntryRow>(
    `SELECT ${includeBodies ? ALL_COLUMNS : COLUMNS_WITHOUT_BODIES} FROM recap_entries
      WHERE ${where.sql} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`,
    [...where.values, limit, offset],
  );
  return rows.map(entryFromRow);
}

async function count(sql: SqlRunner, filter: EntryFilter, limit: number, now: number): Promise<CountResult> {
  const conditions = filterSql('postgres', filter, now);
  const where = allOf(conditions);
  return countUpTo(sql, filter, limit, isUnindexed(conditions), {
    sql: `SELECT 1 FROM recap_entries WHERE ${where.sql}`,
    values: where.values,
  });
}

async function countSessions(
  sql: SqlRunner,
  filter: EntryFilter,
  limit: number,
  now: number,
): Promise<CountResult> {
  const where = sessionsWhere(filter, now);
  return countUpTo(sql, filter, limit, isUnindexed(filterSql('postgres', filter, now)), {
    sql: `SELECT 1 FROM recap_sessions AS s WHERE ${where.sql}`,
    values: where.values,
  });
}

async function countUpTo(
  sql: SqlRunner,
  filter: EntryFilter,
  limit: number,
  isUnindexed: boolean,
  rows: SqlFragment,
): Promise<CountResult> {
  if (matchesNothing(filter)) return { total: 0, isCapped: false, isUnindexed: false };
  try {
    const [row] = await sql.query<{ found: string }>(
      `SELECT count(*) AS found FROM (${rows.sql} LIMIT ?) AS counted`,
      [...rows.values, limit + 1],
    );
    const found = Number(row?.found ?? 0);
    return { total: Math.min(found, limit), isCapped: found > limit, isUnindexed };
  } catch (error) {
    if (errorCode((error as Error).cause) !== QUERY_CANCELED) throw error;
    return { total: 0, isCapped: true, isUnindexed };
  }
}

interface SessionFigures extends SessionRow {
  readonly total: string;
  readonly errors: string;
  readonly endpoints: string[] | null;
}

async function findSessions(
  sql: SqlRunner,
  { filter, limit, after, offset = 0 }: FindSessions,
  now: number,
): Promise<SessionRecord[]> {
  if (limit <= 0 || matchesNothing(filter)) return [];
  const where = allOf([sessionsWhere(filter, now), ...belowPosition('last_activity_at', after)]);
  const rows = await sql.query<SessionFigures>(
    `SELECT page.*, figures.* FROM (
        SELECT * FROM recap_sessions AS s WHERE ${where.sql}
         ORDER BY last_activity_at DESC, id DESC LIMIT ? OFFSET ?) AS page
      CROSS JOIN LATERAL (
        SELECT count(*) AS total,
               count(*) FILTER (WHERE outcome <> 'completed' OR status >= 500) AS errors,
               (array_agg(DISTINCT endpoint) FILTER (WHERE endpoint IS NOT NULL))[1:${MAX_SESSION_ENDPOINTS}] AS endpoints
          FROM (SELECT outcome, status, endpoint FROM recap_entries
                 WHERE session_id = page.id AND (expires_at IS NULL OR expires_at > ?)
                 ORDER BY created_at DESC, id DESC LIMIT ${MAX_SESSION_ENTRIES}) AS own) AS figures
      ORDER BY page.last_activity_at DESC, page.id DESC`,
    [...where.values, limit, offset, Math.floor(now)],
  );
  return rows.map((row) =>
    sessionRecord(sessionFromRow(row), row.endpoints ?? [], Number(row.total), Number(row.errors)),
  );
}

/** Sessions with a matching entry; what is known of the session itself is said too, so that its indexes serve. */
function sessionsWhere(filter: EntryFilter, now: number): SqlFragment {
  const matching = allOf(filterSql('postgres', filter, now));
  const conditions: SqlFragment[] = [
    {
      sql: `EXISTS (SELECT 1 FROM recap_entries WHERE recap_entries.session_id = s.id AND ${matching.sql})`,
      values: matching.values,
    },
  ];
  if (filter.owner !== undefined)
    conditions.push({ sql: 's.owner = ?', values: [storableKey(filter.owner)] });
  if (filter.sessionId !== undefined)
    conditions.push({ sql: 's.id = ?', values: [storableKey(filter.sessionId)] });
  if (filter.createdFrom !== undefined) {
    conditions.push({ sql: 's.last_activity_at >= ?', values: [wholeInstant(filter.createdFrom)] });
  }
  return allOf(conditions);
}

function belowPosition(column: string, position: Position | undefined): SqlFragment[] {
  if (position === undefined) return [];
  const values = [wholeInstant(position.at), storableKey(position.id)];
  return [{ sql: `(${column}, id) < (?, ?)`, values }];
}
