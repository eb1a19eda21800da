import type { CommitLane } from './commit-lane';
import type { Batch } from './exchange-queue';
import type { ExchangeSpool } from './exchange-spool';
import type { LossCounts } from './loss-counts';
import type { RecorderStats } from './recorder';

export type EntryCounts = Pick<
  RecorderStats,
  | 'captured'
  | 'queued'
  | 'spooled'
  | 'stored'
  | 'replayed'
  | 'spoolCorrupt'
  | 'shed'
  | 'reduced'
  | 'strictFailures'
>;

/** What is counted of exchanges, and by whom. */
export interface CountedEntries<Taken extends Batch> {
  readonly captured: number;
  readonly queued: number;
  readonly stored: number;
  readonly losses: LossCounts;
  readonly spool: ExchangeSpool | undefined;
  readonly lane: CommitLane<Taken> | undefined;
}

/** The sums over all who have exchanges: what the spool took over, stored or lost is in them. */
export function entryCounts<Taken extends Batch>(counted: CountedEntries<Taken>): EntryCounts {
  const { losses, lane } = counted;
  const { spooled, recovered, replayed, corrupt, shed } = counted.spool?.counts ?? NOTHING_SPOOLED;
  const allShed = losses.of('exchanges');
  for (const [reason, count] of Object.entries(shed)) allShed[reason] = (allShed[reason] ?? 0) + count;
  return {
    captured: counted.captured + recovered,
    queued: counted.queued,
    spooled,
    stored: counted.stored + replayed,
    replayed,
    spoolCorrupt: corrupt,
    shed: allShed,
    reduced: { bodies: losses.of('bodies'), headers: losses.of('headers') },
    strictFailures: lane?.failures ?? {},
  };
}

const NOTHING_SPOOLED = { spooled: 0, recovered: 0, replayed: 0, corrupt: 0, shed: {} } as const;
