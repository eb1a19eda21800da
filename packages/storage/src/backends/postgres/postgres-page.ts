import type { SqlDialect, SqlRow } from '../sql/sql-contract';

/** Of a page, as the server keeps it: JSON and long texts are smaller there. One item comes however large it is. */
const PAGE_BYTES = 4 * 2 ** 20;

/** Most bytes of a value that comes with the others: so many of them fill a page. */
export const mostTogether = (limit: number): number => Math.floor(PAGE_BYTES / (limit + 1));

/**
 * Of an item in a page. A value of more than `most` is left out, and only its size comes: the server knows it without
 * reading the value. A sum over all of them would take it a third longer.
 */
export function pageColumns({ jsonText }: SqlDialect, most: string): string {
  return `key, kind, version, expires_at, COALESCE(pg_column_size(json), octet_length(bytes)) AS size,
    CASE WHEN pg_column_size(json) <= ${most} THEN ${jsonText('json')} END AS json,
    CASE WHEN octet_length(bytes) <= ${most} THEN bytes END AS bytes`;
}

/** The first rows of what was found, as many as a page holds, and those whose values are still to be read. */
export function takePage(
  found: readonly SqlRow[],
  limit: number,
): { readonly rows: readonly SqlRow[]; readonly leftOut: readonly SqlRow[]; readonly hasMore: boolean } {
  const most = mostTogether(limit);
  const rows: SqlRow[] = [];
  const leftOut: SqlRow[] = [];
  let bytes = 0;
  for (const row of found) {
    const size = Number(row['size'] ?? 0);
    bytes += size;
    if (rows.length === limit || (rows.length > 0 && bytes > PAGE_BYTES))
      return { rows, leftOut, hasMore: true };
    rows.push(row);
    if (size > most) leftOut.push(row);
  }
  return { rows, leftOut, hasMore: false };
}
