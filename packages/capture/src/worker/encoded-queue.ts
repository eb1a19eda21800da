import type { Batch, BatchQueue, QueuedExchange, QueueLimits } from '../recorder/exchange-queue';
import { keptBytesOf } from '../tap/seen-body';
import { ExchangeDecoder, type BodyBytes } from './exchange-decoder';
import { ExchangeEncoder } from './exchange-encoder';

/** Exchanges as bytes in memory that the worker can read. */
export interface EncodedBatch extends Batch {
  readonly id: number;
  readonly memory: SharedArrayBuffer;
  /** Where the first exchange begins: after 0, when the front of the batch was split off. */
  readonly from: number;
  readonly bytes: number;
}

/** Bytes that make a batch: large enough that a transaction's own cost is shared by many, small enough to start early. */
const BATCH_BYTES = 512 * 1024;
const MEMORY_BYTES = 640 * 1024;
/** Of all queues, so that batches of several can be told apart. */
let lastId = 0;
/** Memory blocks kept to be written again; fresh ones cost a page fault every 4 KiB. */
const MAX_KEPT_BLOCKS = 8;

/** The queue for a pipeline in a worker: an exchange is copied once, when it is over, and lets go of all else. */
export class EncodedQueue implements BatchQueue<EncodedBatch> {
  readonly #limits: QueueLimits;
  readonly #mayReuse: (memory: SharedArrayBuffer) => boolean;
  readonly #blocks: SharedArrayBuffer[] = [];
  readonly #full: EncodedBatch[] = [];
  #current: ExchangeEncoder | undefined;
  #currentSize = 0;
  #length = 0;
  /** Exchanges and bytes that wait or are under way. */
  #heldExchanges = 0;
  #heldBytes = 0;

  constructor(limits: QueueLimits, mayReuse: (memory: SharedArrayBuffer) => boolean) {
    this.#limits = limits;
    this.#mayReuse = mayReuse;
  }

  get length(): number {
    return this.#length;
  }

  get hasFullBatch(): boolean {
    return this.#full.length > 0;
  }

  get fill(): number {
    return Math.max(this.#heldExchanges / this.#limits.maxExchanges, this.bytesFill);
  }

  get bytesFill(): number {
    return (this.#heldBytes + (this.#current?.length ?? 0)) / this.#limits.maxBytes;
  }

  offer(exchange: QueuedExchange): boolean {
    const { maxExchanges, maxBytes, batchSize } = this.#limits;
    if (this.#heldExchanges >= maxExchanges) return false;
    const encoder = (this.#current ??= new ExchangeEncoder(
      this.#blocks.pop() ?? new SharedArrayBuffer(MEMORY_BYTES),
    ));
    const start = encoder.length;
    if (this.#heldBytes + start + bodyBytes(exchange) > maxBytes) return false;
    encoder.add(exchange);
    this.#currentSize += 1;
    this.#length += 1;
    this.#heldExchanges += 1;
    if (this.#currentSize >= batchSize || encoder.length >= BATCH_BYTES) this.#full.push(this.#seal(encoder));
    return true;
  }

  take(): EncodedBatch | undefined {
    const batch = this.#full.shift() ?? (this.#current && this.#currentSize > 0 && this.#seal(this.#current));
    if (!batch) return undefined;
    this.#length -= batch.size;
    return batch;
  }

  release(batch: EncodedBatch): void {
    this.#heldExchanges -= batch.size;
    this.#heldBytes -= batch.bytes;
    const { memory } = batch;
    const isKept = memory.byteLength === MEMORY_BYTES && this.#blocks.length < MAX_KEPT_BLOCKS;
    if (isKept && this.#mayReuse(memory)) this.#blocks.push(memory);
  }

  #seal(encoder: ExchangeEncoder): EncodedBatch {
    const { memory, length: bytes } = encoder;
    const batch = { id: (lastId += 1), memory, from: 0, bytes, size: this.#currentSize };
    this.#heldBytes += bytes;
    this.#current = undefined;
    this.#currentSize = 0;
    return batch;
  }
}

function bodyBytes(exchange: QueuedExchange): number {
  if ('record' in exchange) return exchange.record.length;
  const { request, response } = exchange;
  return keptBytesOf(request.body) + keptBytesOf(response.body);
}

/** What was queued, again, one by one. */
export function* unpackBatch(
  { memory, from, size }: Pick<EncodedBatch, 'memory' | 'from' | 'size'>,
  bodyBytes?: BodyBytes,
): Generator<QueuedExchange, void> {
  const decoder = new ExchangeDecoder(memory, from, bodyBytes);
  for (let read = 0; read < size; read += 1) yield decoder.next();
}
