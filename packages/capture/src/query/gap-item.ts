import type { GapRecord, Missing } from '../entries/gap';
import { toInstant } from './entry-item';

/** A time in which not all was kept, as the wire shows it. */
export interface GapItem {
  readonly id: string;
  readonly missing: Missing;
  readonly started_at: string;
  readonly ended_at: string;
  /** How many exchanges something is missing of. */
  readonly exchanges: number;
  readonly reasons: Readonly<Record<string, number>>;
  /** The instant of expiry. */
  readonly ttl: string | null;
}

export function toGapItem(gap: GapRecord): GapItem {
  return {
    id: gap.id,
    missing: gap.missing,
    started_at: toInstant(gap.startedAt),
    ended_at: toInstant(gap.endedAt),
    exchanges: gap.exchanges,
    reasons: gap.reasons,
    ttl: gap.expiresAt === null ? null : toInstant(gap.expiresAt),
  };
}
