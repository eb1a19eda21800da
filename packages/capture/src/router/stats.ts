import type { GapTotals } from '../entries/gap';
import type { StoreSizes } from '../entries/entry-store';

export interface StatsView {
  readonly recorder: Readonly<Record<string, unknown>>;
  readonly store: {
    readonly kind: string;
    readonly status: StoreStatus;
    /** Null, as the rest, unless the store answers. */
    readonly database_bytes: number | null;
    readonly entries: number | null;
    readonly entries_is_capped: boolean | null;
  };
  /** Sums over the gaps in the database. */
  readonly gaps: {
    readonly total: number;
    readonly total_is_capped: boolean;
    readonly exchanges: number;
    readonly bodies: number;
    readonly headers: number;
  } | null;
}

export const STORE_STATUSES = ['open', 'not_open', 'not_answering'] as const;
export type StoreStatus = (typeof STORE_STATUSES)[number];

/** What only the store knows. */
export interface StoreFigures {
  readonly sizes: StoreSizes;
  readonly gaps: GapTotals;
}

/** @param figures why there are none, where there are none */
export function toStatsView(
  counters: object,
  kind: string,
  figures: StoreFigures | Exclude<StoreStatus, 'open'>,
): StatsView {
  const recorder = inSnakeCase(counters);
  if (typeof figures === 'string') {
    const unknown = { database_bytes: null, entries: null, entries_is_capped: null };
    return { recorder, store: { kind, status: figures, ...unknown }, gaps: null };
  }
  const { sizes, gaps } = figures;
  return {
    recorder,
    store: {
      kind,
      status: 'open',
      database_bytes: sizes.databaseBytes,
      entries: sizes.entries,
      entries_is_capped: sizes.entriesIsCapped,
    },
    gaps: {
      total: gaps.gaps,
      total_is_capped: gaps.isCapped,
      exchanges: gaps.exchanges,
      bodies: gaps.bodies,
      headers: gaps.headers,
    },
  };
}

/** Names at every depth; the counters are the recorder's own, a few levels deep. */
function inSnakeCase(counters: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(counters).map(([name, value]: [string, unknown]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      isObject(value) ? inSnakeCase(value) : value,
    ]),
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
