import type { BatchOutcome } from './batch-processor';
import type { Batch } from './exchange-queue';
import type { ExchangeSpool } from './exchange-spool';
import type { Pipeline } from './pipeline';
import type { RetryBreaker } from './retry-breaker';
import type { ShedPolicy } from './shed-policy';

export interface EntryWriterOptions<Taken extends Batch> {
  readonly pipeline: Pipeline<Taken>;
  readonly flushIntervalMs: number;
  readonly onFailure: (error: unknown, where: string) => void;
  readonly onDone: (outcome: BatchOutcome, tookMs: number) => void;
  /** Told whenever an exchange, or a part of one, is not kept. */
  readonly onLoss: () => void;
  readonly policy: ShedPolicy;
  /** Says when a store that failed is tried again. */
  readonly breaker: RetryBreaker;
  /** Whether an outcome has to say where its entries went. */
  readonly tellsPlaces: () => boolean;
  /** Takes what the queue has no room for, and everything when `spoolsAll`. */
  readonly spool?: ExchangeSpool | undefined;
  /** Whether each exchange goes to the disk before it goes into the queue. */
  readonly spoolsAll?: boolean;
  /** How long an exchange may wait for its commit; `undefined`: nobody waits for commits. */
  readonly commitTimeoutMs?: number | undefined;
}
