/** What is missing of the exchanges of a gap: they themselves, or of their entries bodies or headers. */
export type Missing = 'exchanges' | 'bodies' | 'headers';

/** A time in which not all was kept. */
export interface GapRecord {
  id: string;
  missing: Missing;
  /** The exchanges ended between these two; ms since the epoch. */
  startedAt: number;
  endedAt: number;
  /** How many exchanges. */
  exchanges: number;
  /** How many of them for which reason. */
  reasons: Readonly<Record<string, number>>;
  expiresAt: number | null;
}

/** Gaps that reach into this time. */
export interface GapRange {
  /** Inclusive, ms since the epoch. */
  readonly from?: number;
  /** Exclusive, ms since the epoch. */
  readonly before?: number;
}

/** Sums over gaps; the newest 10,000 when there are more. */
export interface GapTotals {
  readonly gaps: number;
  readonly isCapped: boolean;
  readonly exchanges: number;
  readonly bodies: number;
  readonly headers: number;
}
