/** The worker's side: it prepares and stores batches and answers for the store. Started by `WorkerLink`. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { EntryStore } from '../entries/entry-store';
import { BatchProcessor } from '../recorder/batch-processor';
import { createEntryTools } from '../recorder/entry-tools';
import type { QueuedExchange } from '../recorder/exchange-queue';
import { prepareQueued } from '../recorder/prepare-queued';
import { createEntryStoreAt } from '../typeorm';
import { unpackBatch } from './encoded-queue';
import { exitGate } from './exit-gate';
import { COUNTERS, type FromWorker, type ToWorker, type WorkerSpec } from './messages';
import { toPlainError } from './plain-error';

const HEARTBEAT_MS = 500;

if (parentPort !== null) serve(parentPort, workerData as WorkerSpec);

function serve(port: MessagePort, spec: WorkerSpec): void {
  const counters = new Int32Array(spec.counters);
  const tell = (message: FromWorker): void => {
    port.postMessage(message);
  };
  const store = createEntryStoreAt(spec.target, {
    sessionMaxAgeMs: spec.sessionMaxAgeMs,
    slowOperationMs: spec.slowOperationMs,
    mustSync: spec.mustSync,
    gate: exitGate(counters),
    onSlowOperation: (operation, durationMs) => {
      tell({ kind: 'slow', operation, durationMs });
    },
  });
  const tools = createEntryTools(spec.entries, (error, where) => {
    tell({ kind: 'failure', error: toPlainError(error), where });
  });
  const processor = new BatchProcessor<QueuedExchange>({
    store,
    prepare: (queued) => prepareQueued(queued, tools),
    idOf: ({ id }) => id,
  });
  let previous: Promise<void> = Promise.resolve();
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'call') void call(store, message, tell);
    else if (message.kind === 'forget') processor.forget(message.id);
    else {
      // One after another: each is a transaction, and the oldest comes first.
      previous = previous.then(async () => {
        if (!(await storeBatch(processor, message, tell))) Atomics.add(counters, COUNTERS.batchesFailed, 1);
        Atomics.add(counters, COUNTERS.batchesEnded, 1);
        Atomics.notify(counters, COUNTERS.batchesEnded);
      });
    }
  });
  setInterval(() => {
    Atomics.add(counters, COUNTERS.heartbeats, 1);
  }, HEARTBEAT_MS);
  tell({ kind: 'ready' });
}

async function storeBatch(
  processor: BatchProcessor<QueuedExchange>,
  batch: Extract<ToWorker, { kind: 'batch' }>,
  tell: (message: FromWorker) => void,
): Promise<boolean> {
  const { id, tellsPlaces } = batch;
  try {
    // Its memory is not written again before the batch is answered for.
    const outcome = await processor.process(id, () => unpackBatch(batch, 'lent'), tellsPlaces);
    const failures = outcome.failures.map(({ error, where }) => ({ error: toPlainError(error), where }));
    tell({ kind: 'batch', id, outcome: { ...outcome, failures } });
    return true;
  } catch (error) {
    tell({ kind: 'failed', of: 'batch', id, error: toPlainError(error) });
    return false;
  }
}

async function call(
  store: EntryStore,
  { id, name, args }: Extract<ToWorker, { kind: 'call' }>,
  tell: (message: FromWorker) => void,
): Promise<void> {
  try {
    // A worker that takes another's place is asked for more than it was told to open.
    if (name !== 'open' && name !== 'close') await store.open();
    const result: unknown = await (store[name] as (...given: readonly unknown[]) => Promise<unknown>)(
      ...args,
    );
    tell({ kind: 'call', id, result });
  } catch (error) {
    tell({ kind: 'failed', of: 'call', id, error: toPlainError(error) });
  }
}
