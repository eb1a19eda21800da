import type { EntryStore } from '../entries/entry-store';
import { createEntryTools } from './entry-tools';
import type { QueueLimits } from './exchange-queue';
import { inProcessPipeline } from './in-process-pipeline';
import type { Pipeline } from './pipeline';
import { prepareQueued } from './prepare-queued';
import { RECORDER_DEFAULTS, type RecorderOptions } from './recorder-options';

/** Batches of a queue whose oldest one is shed: the fewer there are, the more goes at one time. */
const MIN_BATCHES = 20;

/** Limits of a recorder's queue. */
export function queueLimits(options: RecorderOptions, batchSize: number): QueueLimits {
  const maxExchanges = options.maxQueuedExchanges ?? RECORDER_DEFAULTS.maxQueuedExchanges;
  const isShedByBatches = options.overload?.shed === 'oldest';
  return {
    batchSize: isShedByBatches ? Math.min(batchSize, Math.ceil(maxExchanges / MIN_BATCHES)) : batchSize,
    maxExchanges,
    maxBytes: options.maxQueuedBytes ?? RECORDER_DEFAULTS.maxQueuedBytes,
  };
}

/** A pipeline in this thread, into `store`. */
export function pipelineHere(
  options: RecorderOptions,
  store: EntryStore,
  onFailure: (error: unknown, where: string) => void,
): Pipeline {
  const tools = createEntryTools(options, onFailure);
  const { batchSize, embeddedBatchSize } = RECORDER_DEFAULTS;
  const limits = queueLimits(options, store.kind === 'sqlite' ? embeddedBatchSize : batchSize);
  return inProcessPipeline(store, (queued) => prepareQueued(queued, tools), limits);
}
