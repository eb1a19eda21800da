import { existsSync } from 'node:fs';
import type { EntryStore } from '../entries/entry-store';
import type { QueueLimits } from '../recorder/exchange-queue';
import type { Pipeline } from '../recorder/pipeline';
import { EncodedQueue, unpackBatch, type EncodedBatch } from './encoded-queue';
import type { WorkerSpec } from './messages';
import { threadedStore } from './threaded-store';
import { WORKER_FILE, WorkerLink, type WorkerLinkOptions } from './worker-link';

/** Batches that are under way at one time: while the program's thread is busy the worker finds more to do. */
const CONCURRENCY = 4;

/** While one is being synced the next is on its way; more would only make the groups smaller. */
const CONCURRENT_COMMITS = 2;

export type WorkerPlan = Omit<WorkerSpec, 'counters'>;

/** Why these settings cannot go to a worker; `undefined` when they can. */
export function obstacleToWorker(plan: WorkerPlan): string | undefined {
  if (plan.target.dialect === 'sqlite' && plan.target.path === ':memory:') {
    return 'a database in memory lives within one thread';
  }
  try {
    structuredClone(plan);
  } catch {
    return 'the options of the database or of redaction hold functions, which cannot be given to another thread';
  }
  // Under a permission model threads need a permission of their own.
  const { permission } = process as { readonly permission?: { has(scope: string): boolean } };
  if (permission?.has('worker') === false) return 'the permission model allows no threads (--allow-worker)';
  // Bundlers leave it out.
  return existsSync(WORKER_FILE) ? undefined : 'its file is not beside the package’s other files';
}

/** A store and a pipeline that both live in one worker. It is started when it is first needed. */
export function workerPipeline(
  plan: WorkerPlan,
  limits: QueueLimits,
  told: Pick<WorkerLinkOptions, 'onDeath' | 'onSlowOperation' | 'onFailure'>,
): { readonly store: EntryStore; readonly pipeline: Pipeline<EncodedBatch> } {
  const tainted = new WeakSet<SharedArrayBuffer>();
  const newQueue = (): EncodedQueue => new EncodedQueue(limits, (memory) => !tainted.has(memory));
  const link = new WorkerLink({
    spec: plan,
    ...told,
    onTainted: (memory) => {
      tainted.add(memory);
    },
  });
  return {
    store: threadedStore(plan.target.dialect, link),
    pipeline: {
      queue: newQueue(),
      concurrency: CONCURRENCY,
      concurrentCommits: CONCURRENT_COMMITS,
      newQueue,
      process: (batch, tellsPlaces) => link.process(batch, tellsPlaces),
      forget: (batch) => {
        link.forget(batch);
      },
      unpack: (batch) => [...unpackBatch(batch)],
      handOver: (begin, timeoutMs) => link.handOver(begin, timeoutMs),
      standStill: () => {
        link.standStill();
      },
    },
  };
}
