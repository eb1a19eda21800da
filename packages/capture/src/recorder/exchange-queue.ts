import type { Exchange } from '../exchange';
import { keptBytesOf } from '../tap/seen-body';
import type { SpooledRecord } from './spooled-entry';

/** What is stored: an exchange as it was built, or as it was redacted already. */
export type QueuedExchange = Exchange | SpooledRecord;

/** Exchanges that are written together. */
export interface Batch {
  /** How many. */
  readonly size: number;
}

/**
 * Exchanges that wait to be written, in the order they ended, in batches. Bounded in number and in bytes; those that
 * have been taken count until they are done with.
 */
export interface BatchQueue<Taken extends Batch> {
  /** Exchanges that nobody has taken yet. */
  readonly length: number;
  /** Share of the room that is used, of places or of bytes, whichever is scarcer. */
  readonly fill: number;
  readonly bytesFill: number;
  /** Whether enough have gathered to be written at once. */
  readonly hasFullBatch: boolean;
  /** False when there is no room; the exchange is not kept then. */
  offer(exchange: QueuedExchange): boolean;
  /** The oldest, as many as make a batch; `undefined` when none wait. */
  take(): Taken | undefined;
  /** A batch that was taken needs no room any more. */
  release(batch: Taken): void;
}

export interface QueueLimits {
  readonly batchSize: number;
  readonly maxExchanges: number;
  readonly maxBytes: number;
}

/** Every batch that waits. */
export function takeAll<Taken extends Batch>(queue: BatchQueue<Taken>): Taken[] {
  const taken: Taken[] = [];
  for (let batch = queue.take(); batch !== undefined; batch = queue.take()) taken.push(batch);
  return taken;
}

/** A batch of exchanges as they were built. */
export interface ExchangeBatch extends Batch {
  readonly exchanges: readonly QueuedExchange[];
  readonly bytes: number;
}

const BATCH_BYTES = 4 * 1024 * 1024;

/** The queue for a pipeline on the program's own thread. */
export class ExchangeQueue implements BatchQueue<ExchangeBatch> {
  readonly #limits: QueueLimits;
  #items: QueuedExchange[] = [];
  #head = 0;
  #taken = 0;
  /** Of those that wait and those that were taken. */
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  get hasFullBatch(): boolean {
    return this.length >= this.#limits.batchSize;
  }

  get fill(): number {
    return Math.max((this.length + this.#taken) / this.#limits.maxExchanges, this.bytesFill);
  }

  get bytesFill(): number {
    return this.#bytes / this.#limits.maxBytes;
  }

  offer(exchange: QueuedExchange): boolean {
    const bytes = weightOf(exchange);
    const { maxExchanges, maxBytes } = this.#limits;
    if (this.length + this.#taken >= maxExchanges || this.#bytes + bytes > maxBytes) return false;
    this.#items.push(exchange);
    this.#bytes += bytes;
    return true;
  }

  take(): ExchangeBatch | undefined {
    const exchanges: QueuedExchange[] = [];
    let bytes = 0;
    while (exchanges.length < this.#limits.batchSize && bytes < BATCH_BYTES) {
      const next = this.#items[this.#head];
      if (next === undefined) break;
      exchanges.push(next);
      bytes += weightOf(next);
      this.#head += 1;
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    if (exchanges.length === 0) return undefined;
    this.#taken += exchanges.length;
    return { exchanges, bytes, size: exchanges.length };
  }

  release({ size, bytes }: ExchangeBatch): void {
    this.#taken -= size;
    this.#bytes -= bytes;
  }
}

/** Scalars and headers weigh about this much; the bodies are counted. */
const BASE_BYTES = 1_024;

export function weightOf(exchange: QueuedExchange): number {
  if ('record' in exchange) return exchange.record.length;
  const { request, response } = exchange;
  return BASE_BYTES + keptBytesOf(request.body) + keptBytesOf(response.body);
}
