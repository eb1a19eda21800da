import type { StoreSizes } from '../entries/entry-store';

export interface StatsView {
  readonly recorder: Readonly<Record<string, unknown>>;
  readonly store: {
    readonly kind: string;
    readonly database_bytes: number;
    readonly entries: number;
    readonly entries_is_capped: boolean;
  };
}

export function toStatsView(
  counters: Readonly<Record<string, unknown>>,
  kind: string,
  sizes: StoreSizes,
): StatsView {
  return {
    recorder: inSnakeCase(counters),
    store: {
      kind,
      database_bytes: sizes.databaseBytes,
      entries: sizes.entries,
      entries_is_capped: sizes.entriesIsCapped,
    },
  };
}

/** Names at every depth; the counters are the recorder's own, a few levels deep. */
function inSnakeCase(counters: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(counters).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      isRecord(value) ? inSnakeCase(value) : value,
    ]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
