import { StorageError } from '@recap/storage';
import type { EntryFilter } from '../entries/entry-filter';
import type { Position } from '../entries/entry-store';
import { filterSql, isUnindexed, wholeInstant } from './filter-sql';
import { SliceSize } from './slice-size';
import { allOf, type SqlFragment, type SqlRunner } from './sql-database';
import { storableKey } from './storable-text';

/** How a filter is read on SQLite: an index that drives, and what is asked of each of its rows. */
export interface EntryScan {
  readonly index: string;
  /** The range of the index, but for its upper end in time. */
  readonly range: SqlFragment;
  readonly createdBefore: number | undefined;
  readonly residual: SqlFragment;
  readonly isUnindexed: boolean;
}

export interface ScannedRow {
  readonly id: string;
  readonly created_at: number;
  readonly is_match: number;
  /** With `columns` that name them. */
  readonly endpoint?: string | null;
  readonly is_error?: number;
}

export interface ScanBudget {
  readonly maxRows: number;
  readonly maxMs: number;
}

/** Most selective first. */
const DRIVERS = [
  ['sessionId', 'recap_entries_by_session'],
  ['traceId', 'recap_entries_by_trace'],
  ['owner', 'recap_entries_by_owner'],
  ['endpointKey', 'recap_entries_by_endpoint'],
] as const;

export function planScan(filter: EntryFilter, now: number): EntryScan {
  const conditions = filterSql('sqlite', filter, now);
  const [driver, index] = DRIVERS.find(([field]) => filter[field] !== undefined) ?? [
    undefined,
    'recap_entries_by_time',
  ];
  const drives = (field: string): boolean => field === driver || field === 'createdFrom';
  return {
    index,
    range: allOf(conditions.filter(({ field }) => drives(field))),
    createdBefore: filter.createdBefore === undefined ? undefined : wholeInstant(filter.createdBefore),
    residual: allOf(conditions.filter(({ field }) => !drives(field) && field !== 'createdBefore')),
    isUnindexed: isUnindexed(conditions),
  };
}

/**
 * Reads the index range newest first, in slices short enough for the program's thread, and hands each row
 * to `onRow` until that returns false. Resolves to whether the range was read to its end (or to where
 * `onRow` stopped), false when the budget ran out before.
 *
 * @param columns SQL of further columns, such as `, status`
 */
export async function scanEntries(
  sql: SqlRunner,
  scan: EntryScan,
  options: {
    readonly after?: Position | undefined;
    readonly columns?: string;
    readonly budget: ScanBudget;
    readonly onRow: (row: ScannedRow) => boolean;
  },
): Promise<boolean> {
  const { columns = '', budget, onRow } = options;
  const size = new SliceSize(100, 4_000);
  const deadline = performance.now() + budget.maxMs;
  let upper = upperEnd(scan, options.after);
  for (let read = 0; read < budget.maxRows && performance.now() < deadline;) {
    const limit = size.rows;
    const rows = await sql.query<ScannedRow>(
      `SELECT id, created_at, (${scan.residual.sql}) AS is_match${columns}
         FROM recap_entries INDEXED BY ${scan.index}
        WHERE ${scan.range.sql} AND ${upper.sql}
        ORDER BY created_at DESC, id DESC LIMIT ?`,
      [...scan.residual.values, ...scan.range.values, ...upper.values, limit],
    );
    size.learn(rows.length, sql.lastMs);
    for (const row of rows) if (!onRow(row)) return true;
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return true;
    read += rows.length;
    upper = below({ at: last.created_at, id: last.id });
  }
  return false;
}

/** One upper bound only: of two, SQLite might seek by the wrong one and read the passed rows again. */
function upperEnd({ createdBefore }: EntryScan, after: Position | undefined): SqlFragment {
  if (after !== undefined && (createdBefore === undefined || after.at < createdBefore)) return below(after);
  if (createdBefore === undefined) return { sql: '1 = 1', values: [] };
  return { sql: 'created_at < ?', values: [createdBefore] };
}

function below({ at, id }: Position): SqlFragment {
  return { sql: '(created_at, id) < (?, ?)', values: [wholeInstant(at), storableKey(id)] };
}

export function scanTooLong(): StorageError {
  return new StorageError(
    'UNAVAILABLE',
    'The query had to read too many entries to answer in time. Narrow it by owner, endpoint, session or date.',
  );
}
