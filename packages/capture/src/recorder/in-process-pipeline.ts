import type { EntryStore, NewEntry } from '../entries/entry-store';
import { BatchProcessor } from './batch-processor';
import { type ExchangeBatch, ExchangeQueue, type QueuedExchange, type QueueLimits } from './exchange-queue';
import type { Pipeline } from './pipeline';

/** The pipeline on the program's own thread, in short slices. */
export function inProcessPipeline(
  store: Pick<EntryStore, 'open' | 'append'>,
  prepare: (queued: QueuedExchange) => NewEntry | Promise<NewEntry>,
  limits: QueueLimits,
): Pipeline<ExchangeBatch> {
  const processor = new BatchProcessor<QueuedExchange>({ store, prepare, idOf: ({ id }) => id });
  return {
    queue: new ExchangeQueue(limits),
    concurrency: 1,
    concurrentCommits: 1,
    newQueue: () => new ExchangeQueue(limits),
    process: (batch, tellsPlaces) => processor.process(batch, () => batch.exchanges, tellsPlaces),
    unpack: ({ exchanges }) => exchanges,
    forget: (batch) => {
      processor.forget(batch);
    },
  };
}
