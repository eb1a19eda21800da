import type { Item } from '../../backend';
import type { SqlDialect, SqlRow } from '../sql/sql-contract';
import { decodeColumns, toKind, toText } from '../sql/sql-rows';

/**
 * Of the small values of a page, as the server keeps them, and of its large ones, about as they are. One item comes
 * however large it is.
 */
const PAGE_BYTES = 4 * 2 ** 20;

/** What most JSON is compressed by. How far a value really is, up to 90 times, the server knows only once it has read it. */
const COMPRESSION = 4;

/** Most bytes of a value that comes with the others: so many of them fill a page. */
export const mostTogether = (limit: number): number => Math.floor(PAGE_BYTES / (limit + 1));

/**
 * Of an item in a page. A value of more than `most` is left out, and only its size comes: the server knows it without
 * reading the value. A sum over all of them would take it a third longer.
 */
export function pageColumns({ jsonText }: SqlDialect, most: string): string {
  return `key, kind, version, expires_at,
    CASE WHEN pg_column_size(json) <= ${most} THEN ${jsonText('json')} END AS json,
    CASE WHEN octet_length(bytes) <= ${most} THEN bytes END AS bytes,
    CASE WHEN pg_column_size(json) > ${most} THEN
        pg_column_size(json) * CASE WHEN pg_column_compression(json) IS NULL THEN 1 ELSE ${COMPRESSION} END
      WHEN octet_length(bytes) > ${most} THEN octet_length(bytes) END AS left_out`;
}

/** The first rows of what was found, as many as a page holds, and those whose values are still to be read. */
export function takePage(
  found: readonly SqlRow[],
  limit: number,
): { readonly rows: readonly SqlRow[]; readonly leftOut: readonly SqlRow[]; readonly hasMore: boolean } {
  const leftOut: SqlRow[] = [];
  let bytes = 0;
  for (const [index, row] of found.entries()) {
    if (index === limit) return { rows: found.slice(0, limit), leftOut, hasMore: true };
    const { left_out: size } = row;
    if (size === null) continue;
    bytes += Number(size);
    // The others are here already, and take no more than a page does.
    if (index > 0 && bytes > PAGE_BYTES) return { rows: found.slice(0, index), leftOut, hasMore: true };
    leftOut.push(row);
  }
  return { rows: found, leftOut, hasMore: false };
}

export function decodeRow({ key, kind, json, bytes, version, expires_at: expiresAt }: SqlRow): Item {
  return decodeColumns({
    key: toText(key),
    kind: toKind(kind),
    json,
    bytes,
    version: version as string,
    // The driver hands over 64-bit integers as text.
    expiresAt: expiresAt === null ? null : Number(expiresAt),
  });
}
