import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { ClosedBy, Delivery } from '../exchange';
import type { Connection } from './exchange-ending';

/** Around each chunk of a chunked answer: its length in hex and two line ends (RFC 9112, section 7.1). */
const CHUNK_FRAME_BYTES = 4;
const LAST_CHUNK_BYTES = 5;

/** Measures how an answer goes out. Costs a few numbers for each chunk, and no allocation. */
export class DeliveryMeter {
  readonly #response: ServerResponse;
  readonly #socket: Connection;
  readonly #startedTicks: number;
  readonly #writtenBefore: number;
  /** Somebody may change what is seen here before it goes out. */
  readonly #isOutermost: boolean;
  #firstByteTicks = 0;
  #lastChunkTicks = 0;
  #longestGapMs = 0;
  #chunks = 0;
  #offeredBytes = 0;
  #framingBytes = 0;

  /**
   * @param startedTicks of `performance.now()`, when the request was first seen.
   * @param isOutermost false when somebody stands between what is seen here and the network
   */
  constructor(response: ServerResponse, socket: Connection, startedTicks: number, isOutermost: boolean) {
    this.#response = response;
    this.#socket = socket;
    this.#startedTicks = startedTicks;
    this.#isOutermost = isOutermost;
    // HTTP/2 shares a connection among all answers, and does not tell this of it.
    this.#writtenBefore = socket.bytesWritten;
  }

  /** The head goes out now, unless it has gone already. */
  noteFlush(): void {
    if (this.#firstByteTicks === 0) this.#firstByteTicks = performance.now();
  }

  /** @param bytes of one chunk that the response has taken. */
  noteChunk(bytes: number): void {
    const now = performance.now();
    if (this.#firstByteTicks === 0) this.#firstByteTicks = now;
    if (bytes === 0) return;
    if (this.#chunks > 0) this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastChunkTicks);
    this.#lastChunkTicks = now;
    this.#chunks += 1;
    this.#offeredBytes += bytes;
    this.#framingBytes += hexDigits(bytes) + CHUNK_FRAME_BYTES;
  }

  /** @param isBodiless whether HTTP lets no body go out with this answer. */
  finish(closedBy: ClosedBy, isBodiless: boolean): Delivery {
    return {
      closedBy,
      offeredBytes: this.#offeredBytes,
      sentBytes: isBodiless ? 0 : this.#sentBytes(closedBy),
      firstByteMs: this.#firstByteTicks === 0 ? undefined : this.#firstByteTicks - this.#startedTicks,
      chunks: this.#chunks,
      longestGapMs: this.#chunks < 2 ? undefined : this.#longestGapMs,
    };
  }

  /** What `finish` will say when an answer that has been given whole goes out as it should. */
  soFar(isBodiless: boolean): Delivery {
    const sentBytes = isBodiless ? 0 : this.#isOutermost ? this.#offeredBytes : undefined;
    return { ...this.finish('end', isBodiless), sentBytes };
  }

  /**
   * Told only where it is exact. What the socket has taken is compared with the head, the framing and the
   * body that were offered: other bytes in between, such as a 1xx answer, make it unknown.
   */
  #sentBytes(closedBy: ClosedBy): number | undefined {
    if (closedBy === 'end' && this.#isOutermost) return this.#offeredBytes;
    const head = (this.#response as { readonly _header?: unknown })._header;
    if (typeof head !== 'string') return undefined;
    const taken = this.#socket.bytesWritten - this.#writtenBefore;
    if (taken === 0) return 0;
    const isChunked = this.#response.chunkedEncoding;
    if (closedBy !== 'end' && isWaiting(this.#socket)) return undefined;
    const framing = isChunked
      ? this.#framingBytes + (this.#response.writableEnded ? LAST_CHUNK_BYTES : 0)
      : 0;
    const sent = taken - head.length - framing;
    if (sent === this.#offeredBytes) return sent;
    // Something stood between and changed the body, such as a compressor: the head says how long that is.
    const declared = /^content-length: *(\d+)\r$/im.exec(head)?.[1];
    return closedBy === 'end' && !isChunked && Number(declared) === sent ? sent : undefined;
  }
}

function hexDigits(value: number): number {
  return value < 16 ? 1 : Math.floor((31 - Math.clz32(value)) / 4) + 1;
}

/**
 * Whether the operating system has not yet taken all that the socket was given. `bytesWritten` counts that
 * too, and after a socket is destroyed this is the one trace of it: there since Node 10; without it, unknown.
 */
function isWaiting(socket: Connection): boolean {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'lastWriteQueueSize',
  );
  return symbol === undefined || (socket as unknown as Record<symbol, unknown>)[symbol] !== 0;
}
