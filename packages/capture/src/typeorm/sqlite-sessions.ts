import type { EntryFilter } from '../entries/entry-filter';
import type { CountResult, FindSessions, Position, SessionRecord } from '../entries/entry-store';
import type { SessionSpan } from '../sessions/place-entries';
import { byBytes, MAX_SESSION_ENDPOINTS, MAX_SESSION_ENTRIES } from './entry-reads';
import { planScan, scanEntries, scanTooLong } from './entry-scan';
import { filterSql, matchesNothing, wholeInstant } from './filter-sql';
import { SESSION_COLUMNS, sessionFromRow, type SessionRow } from './session-columns';
import { SliceSize } from './slice-size';
import { allOf, type SqlFragment, type SqlRunner } from './sql-database';
import { storableKey } from './storable-text';

/** Entries looked at per session within the statement that walks the sessions; the rest one session at a time. */
const ENTRIES_AT_ONCE = 50;
const COUNT_BUDGET_MS = 5_000;
const FIND_BUDGET_MS = 30_000;

interface WalkedRow extends SessionRow {
  /** 1 a match among the newest, 0 none at all, 2 none among the newest but there are more. */
  readonly verdict: 0 | 1 | 2;
}

export async function findSqliteSessions(
  sql: SqlRunner,
  { filter, limit, after, offset = 0 }: FindSessions,
  now: number,
): Promise<SessionRecord[]> {
  if (limit <= 0 || matchesNothing(filter)) return [];
  const found: SessionSpan[] = [];
  let toSkip = offset;
  const isComplete = await walkSessions(sql, filter, now, FIND_BUDGET_MS, after, (session) => {
    if (toSkip > 0) toSkip -= 1;
    else found.push(session);
    return found.length < limit;
  });
  if (!isComplete) throw scanTooLong();
  const records: SessionRecord[] = [];
  for (const session of found) records.push(await withFigures(sql, session, now));
  return records;
}

export async function countSqliteSessions(
  sql: SqlRunner,
  filter: EntryFilter,
  limit: number,
  now: number,
): Promise<CountResult> {
  if (matchesNothing(filter)) return { total: 0, isCapped: false, isUnindexed: false };
  let found = 0;
  const isComplete = await walkSessions(sql, filter, now, COUNT_BUDGET_MS, undefined, () => {
    found += 1;
    return found <= limit;
  });
  return {
    total: Math.min(found, limit),
    isCapped: !isComplete || found > limit,
    isUnindexed: planScan(filter, now).isUnindexed,
  };
}

/** Hands sessions with a matching entry to `onSession`, latest activity first, until that returns false. */
async function walkSessions(
  sql: SqlRunner,
  filter: EntryFilter,
  now: number,
  budgetMs: number,
  after: Position | undefined,
  onSession: (session: SessionSpan) => boolean,
): Promise<boolean> {
  const deadline = performance.now() + budgetMs;
  const size = new SliceSize(4, 500);
  const range = sessionRange(filter);
  const matching = allOf(filterSql('sqlite', withoutSession(filter), now));
  for (let position = after; performance.now() < deadline;) {
    const limit = size.rows;
    const below = belowPosition(position);
    const newest = `FROM recap_entries INDEXED BY recap_entries_by_session
      WHERE session_id = s.id ORDER BY created_at DESC, id DESC LIMIT ${ENTRIES_AT_ONCE}`;
    const rows = await sql.query<WalkedRow>(
      `SELECT ${SESSION_COLUMNS}, CASE
          WHEN EXISTS (SELECT 1 FROM (SELECT (${matching.sql}) AS is_match ${newest}) WHERE is_match = 1) THEN 1
          WHEN (SELECT count(*) FROM (SELECT 1 ${newest})) < ${ENTRIES_AT_ONCE} THEN 0 ELSE 2 END AS verdict
         FROM recap_sessions AS s INDEXED BY ${range.index}
        WHERE ${range.where.sql} AND ${below.sql} ORDER BY last_activity_at DESC, id DESC LIMIT ?`,
      [...matching.values, ...range.where.values, ...below.values, limit],
    );
    size.learn(rows.length, sql.lastMs);
    for (const row of rows) {
      const isMatch = row.verdict === 1 || (row.verdict === 2 && (await hasMatch(sql, filter, row.id, now)));
      if (isMatch && !onSession(sessionFromRow(row))) return true;
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return true;
    position = { at: Number(last.last_activity_at), id: last.id };
  }
  return false;
}

/** Within a session its own range of the index stands for the filter's session, owner and trace. */
function withoutSession({ sessionId: _, ...filter }: EntryFilter): EntryFilter {
  return filter;
}

function sessionRange(filter: EntryFilter): { index: string; where: SqlFragment } {
  const conditions: SqlFragment[] = [];
  if (filter.owner !== undefined) conditions.push({ sql: 'owner = ?', values: [storableKey(filter.owner)] });
  // An entry is never later than its session's last activity, nor earlier than its start.
  if (filter.createdFrom !== undefined) {
    conditions.push({ sql: 'last_activity_at >= ?', values: [wholeInstant(filter.createdFrom)] });
  }
  if (filter.createdBefore !== undefined) {
    conditions.push({ sql: 'created_at < ?', values: [wholeInstant(filter.createdBefore)] });
  }
  if (filter.sessionId !== undefined)
    conditions.push({ sql: 'id = ?', values: [storableKey(filter.sessionId)] });
  const index =
    filter.sessionId !== undefined
      ? 'sqlite_autoindex_recap_sessions_1'
      : filter.owner !== undefined
        ? 'recap_sessions_by_owner'
        : 'recap_sessions_by_time';
  return { index, where: allOf(conditions) };
}

function belowPosition(position: Position | undefined): SqlFragment {
  if (position === undefined) return { sql: '1 = 1', values: [] };
  return {
    sql: '(last_activity_at, id) < (?, ?)',
    values: [wholeInstant(position.at), storableKey(position.id)],
  };
}

async function hasMatch(
  sql: SqlRunner,
  filter: EntryFilter,
  sessionId: string,
  now: number,
): Promise<boolean> {
  let isFound = false;
  const isComplete = await scanEntries(sql, planScan({ ...filter, sessionId }, now), {
    budget: { maxRows: 1_000_000, maxMs: FIND_BUDGET_MS },
    onRow: (row) => {
      isFound = row.is_match === 1;
      return !isFound;
    },
  });
  if (!isComplete) throw scanTooLong();
  return isFound;
}

async function withFigures(sql: SqlRunner, session: SessionSpan, now: number): Promise<SessionRecord> {
  const endpoints = new Set<string>();
  let totalEntries = 0;
  let errorEntries = 0;
  await scanEntries(sql, planScan({ sessionId: session.id }, now), {
    columns: ", endpoint, (outcome <> 'completed' OR coalesce(status, 0) >= 500) AS is_error",
    budget: { maxRows: 10 * MAX_SESSION_ENTRIES, maxMs: FIND_BUDGET_MS },
    onRow: (row) => {
      if (row.is_match !== 1) return true;
      totalEntries += 1;
      errorEntries += row.is_error ?? 0;
      if (typeof row.endpoint === 'string') endpoints.add(row.endpoint);
      return totalEntries < MAX_SESSION_ENTRIES;
    },
  });
  return sessionRecord(session, [...endpoints], totalEntries, errorEntries);
}

export function sessionRecord(
  { id, owner, group, createdAt, lastActivityAt, timeoutMs }: SessionSpan,
  endpoints: readonly string[],
  totalEntries: number,
  errorEntries: number,
): SessionRecord {
  return {
    id,
    owner,
    group,
    createdAt,
    lastActivityAt,
    timeoutMs,
    endpoints: [...endpoints].sort(byBytes).slice(0, MAX_SESSION_ENDPOINTS),
    totalEntries,
    errorEntries,
  };
}
