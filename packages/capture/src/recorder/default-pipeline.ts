import type { EntryStore } from '../entries/entry-store';
import { createEntryTools } from './entry-tools';
import type { QueueLimits } from './exchange-queue';
import { inProcessPipeline } from './in-process-pipeline';
import type { Pipeline } from './pipeline';
import { prepareQueued } from './prepare-queued';
import { RECORDER_DEFAULTS, type RecorderOptions } from './recorder-options';

/** Limits of a recorder's queue. */
export function queueLimits(options: RecorderOptions, batchSize: number): QueueLimits {
  return {
    batchSize,
    maxExchanges: options.maxQueuedExchanges ?? RECORDER_DEFAULTS.maxQueuedExchanges,
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
