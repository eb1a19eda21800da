import type { BatchOutcome } from './batch-processor';
import type { Batch, BatchQueue, QueuedExchange } from './exchange-queue';

/** Where exchanges go once they are over: they gather in a queue, and what works on its batches stores them. */
export interface Pipeline<Taken extends Batch = Batch> {
  readonly queue: BatchQueue<Taken>;
  /** Batches that may be under way at one time. */
  readonly concurrency: number;
  /** The same of batches for whose commit somebody waits. */
  readonly concurrentCommits: number;
  /** Another queue with the same limits, whose batches `process` takes as well. */
  newQueue(): BatchQueue<Taken>;
  /**
   * Redacts, packs and stores a batch; again with the same batch it goes on where it stopped.
   *
   * @throws {StorageError} when the store fails in a way that may pass
   */
  process(batch: Taken, tellsPlaces: boolean): Promise<BatchOutcome>;
  /** A batch that failed is not processed again. */
  forget(batch: Taken): void;
  /** What a batch was made of. */
  unpack(batch: Taken): readonly QueuedExchange[];
  /**
   * The program is about to exit: waits for at most `timeoutMs`, without giving the thread back, until all that is under
   * way is stored.
   *
   * @param begin called first, to have all others processed as well; not called where nobody could do so
   * @returns whether all is stored
   */
  handOver?(begin: () => void, timeoutMs: number): boolean;
  /** The last call before the program exits: what runs beside it comes to a place where it can be ended. */
  standStill?(): void;
}
