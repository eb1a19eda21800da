import type { FindGaps } from '../entries/entry-store';
import type { GapRange, GapRecord, GapTotals, Missing } from '../entries/gap';
import { wholeInstant } from './filter-sql';
import { allOf, type SqlFragment, type SqlRunner } from './sql-database';
import { storableJson, storableKey } from './storable-text';

const COLUMNS = 'id, missing, started_at, ended_at, exchanges, reasons, expires_at';
const MAX_SUMMED = 10_000;
const SWEEP_ROWS = 200;

/** PostgreSQL hands bigints over as text. */
interface GapRow {
  readonly id: string;
  readonly missing: string;
  readonly started_at: number | string;
  readonly ended_at: number | string;
  readonly exchanges: number | string;
  readonly reasons: string;
  readonly expires_at: number | string | null;
}

export async function saveGaps(sql: SqlRunner, gaps: readonly GapRecord[]): Promise<void> {
  // One statement cannot change a row twice; of two the last one counts that does not count less: a gap only grows.
  const byId = new Map<string, GapRecord>();
  for (const gap of gaps) {
    const key = storableKey(gap.id);
    if ((byId.get(key)?.exchanges ?? 0) <= gap.exchanges) byId.set(key, gap);
  }
  const rows = [...byId].map(([id, gap]) => [
    id,
    gap.missing,
    Math.trunc(gap.startedAt),
    Math.trunc(gap.endedAt),
    gap.exchanges,
    storableJson(gap.reasons),
    gap.expiresAt === null ? null : Math.trunc(gap.expiresAt),
  ]);
  await sql.insert(
    `INSERT INTO recap_gaps (${COLUMNS})`,
    rows,
    `ON CONFLICT (id) DO UPDATE SET started_at = excluded.started_at, ended_at = excluded.ended_at,
       exchanges = excluded.exchanges, reasons = excluded.reasons, expires_at = excluded.expires_at
       WHERE excluded.exchanges >= recap_gaps.exchanges`,
  );
}

export async function findGaps(
  sql: SqlRunner,
  { range, limit, after, offset = 0 }: FindGaps,
  now: number,
): Promise<GapRecord[]> {
  const conditions = inRange(range, now);
  if (after !== undefined) {
    const at = wholeInstant(after.at);
    conditions.push({ sql: '(started_at, id) < (?, ?)', values: [at, storableKey(after.id)] });
  }
  const where = allOf(conditions);
  const rows = await sql.query<GapRow>(
    `SELECT ${COLUMNS} FROM recap_gaps WHERE ${where.sql} ORDER BY started_at DESC, id DESC LIMIT ? OFFSET ?`,
    [...where.values, limit, offset],
  );
  return rows.map(gapFromRow);
}

export async function sumGaps(sql: SqlRunner, range: GapRange, now: number): Promise<GapTotals> {
  const where = allOf(inRange(range, now));
  const rows = await sql.query<{
    missing: string;
    gaps: number | string;
    exchanges: number | string;
  }>(
    `SELECT missing, count(*) AS gaps, sum(exchanges) AS exchanges FROM
       (SELECT missing, exchanges FROM recap_gaps WHERE ${where.sql}
         ORDER BY started_at DESC, id DESC LIMIT ${MAX_SUMMED + 1}) AS newest GROUP BY missing`,
    where.values,
  );
  const sums: Record<Missing, number> = { exchanges: 0, bodies: 0, headers: 0 };
  let gaps = 0;
  for (const row of rows) {
    sums[row.missing as Missing] = Number(row.exchanges);
    gaps += Number(row.gaps);
  }
  return { gaps: Math.min(gaps, MAX_SUMMED), isCapped: gaps > MAX_SUMMED, ...sums };
}

/** A few in each sweep. @returns how many were deleted */
export function deleteExpiredGaps(sql: SqlRunner, now: number): Promise<number> {
  return sql.execute(
    `DELETE FROM recap_gaps WHERE id IN (SELECT id FROM recap_gaps WHERE expires_at <= ? LIMIT ${SWEEP_ROWS})`,
    [Math.floor(now)],
  );
}

function inRange({ from, before }: GapRange, now: number): SqlFragment[] {
  const conditions: SqlFragment[] = [
    { sql: '(expires_at IS NULL OR expires_at > ?)', values: [Math.floor(now)] },
  ];
  if (from !== undefined) conditions.push({ sql: 'ended_at >= ?', values: [wholeInstant(from)] });
  if (before !== undefined) conditions.push({ sql: 'started_at < ?', values: [wholeInstant(before)] });
  return conditions;
}

function gapFromRow(row: GapRow): GapRecord {
  return {
    id: row.id,
    missing: row.missing as Missing,
    startedAt: Number(row.started_at),
    endedAt: Number(row.ended_at),
    exchanges: Number(row.exchanges),
    reasons: JSON.parse(row.reasons) as Record<string, number>,
    expiresAt: row.expires_at === null ? null : Number(row.expires_at),
  };
}
