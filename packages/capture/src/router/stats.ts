import type { GapTotals } from '../entries/gap';
import type { StoreSizes } from '../entries/entry-store';

export interface StatsView {
  readonly recorder: Readonly<Record<string, unknown>>;
  readonly store: {
    readonly kind: string;
    readonly database_bytes: number;
    readonly entries: number;
    readonly entries_is_capped: boolean;
  };
  /** Sums over the gaps in the database. */
  readonly gaps: {
    readonly total: number;
    readonly total_is_capped: boolean;
    readonly exchanges: number;
    readonly bodies: number;
    readonly headers: number;
  };
}

export function toStatsView(
  counters: object,
  kind: string,
  sizes: StoreSizes,
  { gaps, isCapped, exchanges, bodies, headers }: GapTotals,
): StatsView {
  return {
    recorder: inSnakeCase(counters),
    store: {
      kind,
      database_bytes: sizes.databaseBytes,
      entries: sizes.entries,
      entries_is_capped: sizes.entriesIsCapped,
    },
    gaps: { total: gaps, total_is_capped: isCapped, exchanges, bodies, headers },
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
