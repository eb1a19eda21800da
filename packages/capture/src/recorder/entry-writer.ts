import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorCode } from '@recap/storage';
import type { EntryStore, NewEntry, Placement } from '../entries/entry-store';
import type { Exchange } from '../exchange';
import { ExchangeQueue } from './exchange-queue';

export interface EntryWriterOptions {
  readonly store: EntryStore;
  readonly prepare: (exchange: Exchange) => Promise<NewEntry>;
  readonly flushIntervalMs: number;
  readonly batchSize: number;
  readonly maxQueuedExchanges: number;
  readonly maxQueuedBytes: number;
  readonly onFailure: (error: unknown, where: string) => void;
  readonly onStored: (entries: readonly NewEntry[], placements: readonly Placement[]) => void;
}

/** Why an exchange was not stored. */
export type ShedReason = 'queue_full' | 'disk_full' | 'poison' | 'internal_error' | 'closed';

/** Uninterrupted work after which the program's requests get their turn. */
const SLICE_MS = 4;
const BATCH_BYTES = 4 * 1024 * 1024;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 30_000;
/** Failures of the surroundings, which pass; any other is blamed on the batch. */
const TRANSIENT = new Set(['UNAVAILABLE', 'POOL_EXHAUSTED', 'SQLITE_NOT_BUILT', 'DRIVER_MISSING']);

/**
 * Writes exchanges to the store in batches, in the order they ended. The one place that knows which of
 * them are queued, stored or shed: `captured = stored + queued + shed` holds at any moment.
 */
export class EntryWriter {
  readonly #options: EntryWriterOptions;
  readonly #queue: ExchangeQueue;
  readonly #shed = new Map<ShedReason, number>();
  #captured = 0;
  #stored = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  /** Prepared entries that the store has not taken yet. */
  #batch: NewEntry[] = [];
  /** Exchanges taken from the queue that are being prepared. */
  #inPreparation = 0;
  #failedAttempts = 0;
  #pausedFor: ShedReason | undefined;
  #lastFailure: { readonly error: unknown } | undefined;
  #isClosed = false;
  #isAbandoned = false;

  constructor(options: EntryWriterOptions) {
    this.#options = options;
    this.#queue = new ExchangeQueue(options.maxQueuedExchanges, options.maxQueuedBytes);
  }

  get counts(): {
    captured: number;
    queued: number;
    stored: number;
    shed: Partial<Record<ShedReason, number>>;
  } {
    return {
      captured: this.#captured,
      queued: this.#queue.length + this.#inPreparation + this.#batch.length,
      stored: this.#stored,
      shed: Object.fromEntries(this.#shed),
    };
  }

  /** True while the last attempt to write failed. */
  get isFailing(): boolean {
    return this.#failedAttempts > 0;
  }

  get pausedFor(): ShedReason | undefined {
    return this.#pausedFor;
  }

  add(exchange: Exchange): void {
    this.#captured += 1;
    const refusal = this.#isClosed ? 'closed' : this.#pausedFor;
    if (refusal !== undefined) this.#countShed(refusal);
    else if (!this.#queue.offer(exchange)) this.#countShed('queue_full');
    else if (this.#queue.length >= this.#options.batchSize && this.#failedAttempts === 0) void this.#start();
    else this.#schedule(this.#options.flushIntervalMs);
  }

  /** Counts an exchange that never came to be one. */
  lose(reason: ShedReason): void {
    this.#captured += 1;
    this.#countShed(reason);
  }

  /** New exchanges are shed for this reason until told otherwise; what is queued is still written. */
  pause(reason: ShedReason | undefined): void {
    this.#pausedFor = reason;
  }

  /**
   * Writes what is queued now without waiting for the interval.
   *
   * @throws what the store failed with; the exchanges stay queued then.
   */
  async flush(): Promise<void> {
    while (this.counts.queued > 0) {
      await this.#start();
      if (this.#lastFailure !== undefined) throw this.#lastFailure.error;
    }
  }

  /** Takes no more, writes what is queued for at most `timeoutMs`, and sheds the rest. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    const deadline = performance.now() + timeoutMs;
    for (let wait = FIRST_RETRY_MS; this.counts.queued > 0; wait *= 2) {
      const left = deadline - performance.now();
      if (left <= 0) break;
      await within(left, this.#start());
      if (this.#lastFailure === undefined) continue;
      await within(Math.min(wait, deadline - performance.now()), undefined);
    }
    clearTimeout(this.#timer);
    // A write that still hangs may succeed yet, but it has been counted as lost by then.
    this.#isAbandoned = true;
    this.#countShed('closed', this.#queue.take(Infinity, Infinity).length + this.#batch.length);
    this.#batch = [];
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== undefined || this.#running !== undefined) return;
    this.#timer = setTimeout(() => {
      void this.#start();
    }, delayMs);
    // A program that has nothing else to do may end; its `beforeExit` writes what is left.
    this.#timer.unref();
  }

  /** Runs until the queue is empty or the store fails; never rejects. */
  #start(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running ??= this.#runAndReschedule();
    return this.#running;
  }

  async #runAndReschedule(): Promise<void> {
    await this.#run();
    this.#running = undefined;
    if (this.counts.queued > 0 && !this.#isClosed) {
      this.#schedule(this.#failedAttempts > 0 ? retryDelay(this.#failedAttempts) : 0);
    }
  }

  async #run(): Promise<void> {
    this.#lastFailure = undefined;
    while (this.counts.queued > 0) {
      try {
        if (this.#batch.length === 0) await this.#fillBatch();
        if (this.#batch.length > 0) await this.#writeBatch();
        this.#failedAttempts = 0;
      } catch (error) {
        this.#failedAttempts += 1;
        this.#lastFailure = { error };
        this.#options.onFailure(error, 'store.append');
        return;
      }
    }
  }

  async #fillBatch(): Promise<void> {
    const exchanges = this.#queue.take(this.#options.batchSize, BATCH_BYTES);
    this.#inPreparation = exchanges.length;
    const preparing: Promise<NewEntry | undefined>[] = [];
    let sliceStart = performance.now();
    for (const exchange of exchanges) {
      // Redaction is done within this call, compression beside the program's thread: all of them at once.
      preparing.push(this.#prepare(exchange));
      if (performance.now() - sliceStart < SLICE_MS) continue;
      await nextTurn();
      sliceStart = performance.now();
    }
    const prepared = await Promise.all(preparing);
    this.#inPreparation = 0;
    for (const entry of prepared) {
      if (entry === undefined) this.#countShed('internal_error');
      else this.#batch.push(entry);
    }
  }

  async #prepare(exchange: Exchange): Promise<NewEntry | undefined> {
    try {
      return await this.#options.prepare(exchange);
    } catch (error) {
      this.#options.onFailure(error, 'prepare');
      return undefined;
    }
  }

  async #writeBatch(): Promise<void> {
    await this.#options.store.open();
    const poison = await this.#append(this.#batch);
    this.#countShed('poison', poison);
    this.#batch = [];
  }

  /** Resolves to how many entries the store refuses for what they are. */
  async #append(entries: readonly NewEntry[]): Promise<number> {
    try {
      const placements = await this.#options.store.append(entries);
      if (!this.#isAbandoned) this.#noteStored(entries, placements);
      return 0;
    } catch (error) {
      if (TRANSIENT.has(errorCode(error) ?? '')) throw error;
      if (entries.length === 1) {
        this.#options.onFailure(error, 'store.append');
        return 1;
      }
      const half = Math.ceil(entries.length / 2);
      const first = await this.#append(entries.slice(0, half));
      return first + (await this.#append(entries.slice(half)));
    }
  }

  #noteStored(entries: readonly NewEntry[], placements: readonly Placement[]): void {
    this.#stored += entries.length;
    // Taken out at once: a later part of the batch may fail, and these must not be counted again.
    const stored = new Set(entries);
    this.#batch = this.#batch.filter((entry) => !stored.has(entry));
    try {
      this.#options.onStored(entries, placements);
    } catch (error) {
      this.#options.onFailure(error, 'stored');
    }
  }

  #countShed(reason: ShedReason, count = 1): void {
    if (count > 0) this.#shed.set(reason, (this.#shed.get(reason) ?? 0) + count);
  }
}

/** Doubles up to a limit, with full jitter so that many processes do not come back at one moment. */
function retryDelay(failedAttempts: number): number {
  const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failedAttempts, 20));
  return FIRST_RETRY_MS + Math.random() * (ceiling - FIRST_RETRY_MS);
}

/** Waits for `work` or until the time is up, whichever is first; without work, for the time. */
async function within(ms: number, work: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms));
  });
  await Promise.race(work === undefined ? [timeUp] : [timeUp, work]);
  clearTimeout(timer);
}
