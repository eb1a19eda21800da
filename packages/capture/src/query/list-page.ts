import type { CountResult, Position } from '../entries/entry-store';
import { decodeCursor, encodeCursor } from './cursor';
import { invalidFields } from './query-error';

/** Rows that may be passed over by number; further on only a cursor leads. */
export const MAX_OFFSET = 10_000;
/** Totals are counted up to here. */
export const MAX_TOTAL = 10_000;

/** Which part of a list. */
export interface Paging {
  /** From 1. */
  readonly page?: number | undefined;
  /** 1 to 100; default 20. */
  readonly pageSize?: number | undefined;
  /** Where a list ended; wins over `page`. */
  readonly cursor?: string | undefined;
  /** Default true. */
  readonly includeTotal?: boolean | undefined;
}

/** Part of a list, as the wire shows it. */
export interface ListPage<Item> {
  readonly items: readonly Item[];
  /** Null when it was not asked for. */
  readonly total: number | null;
  /** True when there are more than `total`; null when it was not asked for. */
  readonly total_is_capped: boolean | null;
  /** Null after a cursor. */
  readonly page: number | null;
  readonly page_size: number;
  readonly has_more: boolean;
  /** Continues after the last item; null when there is nothing more. */
  readonly cursor: string | null;
}

/** {@link Paging} as the store wants it. `limit` is one more than a page, which tells whether there is more. */
export interface Window {
  readonly page: number | null;
  readonly pageSize: number;
  readonly limit: number;
  readonly offset: number;
  readonly after: Position | undefined;
}

/** @throws {QueryError} `VALIDATION_FAILED` for a page too far on, `CURSOR_INVALID`. */
export function toWindow({ page = 1, pageSize = 20, cursor }: Paging): Window {
  const limit = pageSize + 1;
  if (cursor !== undefined) return { page: null, pageSize, limit, offset: 0, after: decodeCursor(cursor) };
  const offset = (page - 1) * pageSize;
  if (offset > MAX_OFFSET) {
    const message = `leads past ${MAX_OFFSET} rows; follow the cursor of each page instead`;
    throw invalidFields([{ field: 'page', message }]);
  }
  return { page, pageSize, limit, offset, after: undefined };
}

/** The rows of a page, and the page around their items. */
export function takePage<Row>(
  rows: readonly Row[],
  window: Window,
): { shown: readonly Row[]; hasMore: boolean } {
  return { shown: rows.slice(0, window.pageSize), hasMore: rows.length > window.pageSize };
}

export function toListPage<Item>(
  items: readonly Item[],
  window: Window,
  count: CountResult | undefined,
  next: Position | undefined,
): ListPage<Item> {
  return {
    items,
    total: count?.total ?? null,
    total_is_capped: count?.isCapped ?? null,
    page: window.page,
    page_size: window.pageSize,
    has_more: next !== undefined,
    cursor: next === undefined ? null : encodeCursor(next),
  };
}
