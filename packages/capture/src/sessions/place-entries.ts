import type { RecordedWarning, SessionClaim } from '../exchange';

/** A session as far as placing needs it. Instants in ms since the epoch. */
export interface SessionSpan {
  readonly id: string;
  readonly key: string;
  readonly owner: string;
  readonly group: string | null;
  /** Start of its first entry. */
  readonly createdAt: number;
  /** Largest `createdAt + durationMs` of its entries. */
  readonly lastActivityAt: number;
  /** The largest timeout asked for within it. */
  readonly timeoutMs: number;
}

export interface EntryToPlace {
  readonly id: string;
  readonly owner: string;
  readonly createdAt: number;
  readonly durationMs: number;
  readonly session: SessionClaim;
}

export interface PlacementPlan {
  /** Entry id to session id. */
  readonly placements: ReadonlyMap<string, string>;
  /** Entry id to what has to be said of its placement. */
  readonly warnings: ReadonlyMap<string, RecordedWarning>;
  /** Sessions that are new or changed, in their new form. */
  readonly sessions: readonly SessionSpan[];
  /** Sessions that turned out to be one, since a long exchange that ended late bridges them: entries of `from` move to `into`, and `from` goes. */
  readonly merged: readonly { readonly from: string; readonly into: string }[];
}

export interface PlacementOptions {
  /** No session spans more than this from its first start to an entry's start. */
  readonly maxAgeMs: number;
  readonly newId: () => string;
}
