import type { EntryStore } from '../entries/entry-store';
import type { BatchOutcome } from '../recorder/batch-processor';
import type { EntrySpec } from '../recorder/entry-tools';
import type { DatabaseTarget } from '../typeorm';

/** What a worker is made with. Plain data throughout: it is copied to another thread. */
export interface WorkerSpec {
  readonly target: DatabaseTarget;
  readonly entries: EntrySpec;
  readonly sessionMaxAgeMs: number;
  readonly slowOperationMs: number;
  /** See `EntryStoreSettings`. */
  readonly mustSync: boolean;
  /** Counters that both threads see, see `COUNTERS`. */
  readonly counters: SharedArrayBuffer;
}

export const COUNTERS = {
  batchesEnded: 0,
  /** Of the worker's heart. */
  heartbeats: 1,
  /** Of those that ended. */
  batchesFailed: 2,
  /** Calls of the database's driver that the worker is in. */
  driverCalls: 3,
  /** 1 when it is to begin no other, see `exitGate`. */
  isShut: 4,
} as const;

/** The calls of the store that are passed on as they are. */
export type StoreCall = Exclude<keyof EntryStore, 'kind'>;

export type ToWorker =
  /** A batch that failed is not sent again. */
  | { readonly kind: 'forget'; readonly id: number }
  | {
      readonly kind: 'batch';
      readonly id: number;
      readonly memory: SharedArrayBuffer;
      readonly from: number;
      readonly size: number;
      readonly tellsPlaces: boolean;
    }
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly name: StoreCall;
      readonly args: readonly unknown[];
    };

export type FromWorker =
  /** It has loaded. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'batch'; readonly id: number; readonly outcome: BatchOutcome }
  | { readonly kind: 'call'; readonly id: number; readonly result: unknown }
  | {
      readonly kind: 'failed';
      readonly of: 'batch' | 'call';
      readonly id: number;
      readonly error: PlainError;
    }
  /** Nothing was lost by it, or what was is told with the batch. */
  | { readonly kind: 'failure'; readonly error: PlainError; readonly where: string }
  | { readonly kind: 'slow'; readonly operation: string; readonly durationMs: number };

/** An error as it travels between threads, which keep no class and no `code`. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly stack: string | undefined;
  readonly cause: PlainError | undefined;
}
