import { createHash, type Hash } from 'node:crypto';
import type { CapturedBody } from '../exchange';
import type { OpenBudget } from './open-budget';
import { SeenBody, type BodyChunk } from './seen-body';

/** Beyond this a body that is not kept is no longer hashed: the host's time is worth more than its digest. */
const MAX_HASHED_BYTES = 16 * 1024 * 1024;

/** Collects copies of a body's bytes as they pass, up to a cap. Never changes or holds back a chunk. */
export class BodyCollector {
  readonly #maxBytes: number;
  readonly #budget: OpenBudget;
  #chunks: BodyChunk[] = [];
  #keptBytes = 0;
  #totalBytes = 0;
  #omitted: string | undefined;
  #hash: Hash | undefined;
  #isFinished = false;

  constructor(maxBytes: number, budget: OpenBudget) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** True when no further byte will be kept, although some are. */
  get isFull(): boolean {
    return this.#keptBytes > 0 && this.#keptBytes < this.#totalBytes;
  }

  /** Keeps no bytes of this body; its size and digest are noted instead. Call before the first chunk. */
  omit(reason: string): void {
    this.#omitted = reason;
    this.#hash = createHash('sha256');
  }

  /**
   * @param chunk what a stream accepts; anything else the stream itself has refused, and it is passed over.
   * @param isLast whether the program has ended the body with it
   */
  add(chunk: unknown, encoding?: unknown, isLast = false): void {
    if (this.#isFinished) return;
    if (typeof chunk === 'string') this.#takeText(chunk, encoding, isLast);
    else if (chunk instanceof Uint8Array) {
      this.#take(chunk, chunk.byteLength);
    }
  }

  /**
   * The body as seen, or `undefined` when there was not a byte. The collected bytes no longer count as open, nor
   * are they held here; what comes later is passed over.
   */
  finish(isComplete: boolean): CapturedBody | undefined {
    const body = this.#seen(this.#chunks, isComplete);
    this.#isFinished = true;
    this.#budget.release(this.#keptBytes);
    this.#keptBytes = 0;
    this.#chunks = [];
    return body;
  }

  /** The same, while more may come. */
  soFar(isComplete: boolean): CapturedBody | undefined {
    return this.#seen([...this.#chunks], isComplete);
  }

  #seen(chunks: readonly BodyChunk[], isComplete: boolean): CapturedBody | undefined {
    const totalBytes = this.#totalBytes;
    if (totalBytes === 0) return undefined;
    if (this.#omitted === undefined) {
      return new SeenBody(chunks, this.#keptBytes, totalBytes, !isComplete || this.#keptBytes < totalBytes);
    }
    const sha256 =
      isComplete && totalBytes <= MAX_HASHED_BYTES ? this.#hash?.copy().digest('hex') : undefined;
    return {
      bytes: undefined,
      totalBytes,
      isTruncated: false,
      source: 'wire',
      omitted: this.#omitted,
      ...(sha256 === undefined ? {} : { sha256 }),
    };
  }

  #takeText(text: string, encoding: unknown, isLast: boolean): void {
    const room = this.#maxBytes - this.#keptBytes;
    const isKnown = typeof encoding === 'string' && Buffer.isEncoding(encoding);
    if (isKnown && !/^utf-?8$/i.test(encoding)) {
      const bytes = Buffer.from(text, encoding);
      this.#take(bytes, bytes.length, bytes);
      return;
    }
    const totalBytes = Buffer.byteLength(text, 'utf8');
    // A whole answer stays the text that it is. Of a part the text might be a piece of a larger one, and hold that.
    if (isLast && this.#totalBytes === 0 && totalBytes <= room && this.#omitted === undefined) {
      this.#takeWhole(text, totalBytes);
      return;
    }
    // Only the head of a huge string is copied. Each unit is a byte at least, so this covers the room.
    const head = text.length > room && this.#hash === undefined ? text.slice(0, room + 1) : text;
    const bytes = Buffer.from(head, 'utf8');
    this.#take(bytes, totalBytes, bytes);
  }

  #takeWhole(text: string, bytes: number): void {
    this.#totalBytes = bytes;
    if (bytes === 0) return;
    if (!this.#budget.reserve(bytes)) {
      this.letGo(this.#budget.refusal ?? 'open_budget');
      return;
    }
    this.#keptBytes = bytes;
    this.#chunks.push(text);
  }

  /** @param owned the bytes, if nobody else can change them; a host may reuse a buffer once it is written */
  #take(bytes: Uint8Array, totalBytes: number, owned?: Buffer): void {
    this.#totalBytes += totalBytes;
    if (this.#totalBytes <= MAX_HASHED_BYTES) this.#hash?.update(bytes);
    const wanted = Math.min(bytes.length, this.#maxBytes - this.#keptBytes);
    if (wanted <= 0 || this.#omitted !== undefined) return;
    if (!this.#budget.reserve(wanted)) {
      this.letGo(this.#budget.refusal ?? 'open_budget');
      return;
    }
    if (this.#isFinished) {
      // Room was made by closing this very record.
      this.#budget.release(wanted);
      return;
    }
    this.#keptBytes += wanted;
    this.#chunks.push(owned !== undefined && wanted === owned.length ? owned : copyOf(bytes, wanted));
  }

  /** Lets go of what was kept, and keeps no more. */
  letGo(reason: string): void {
    this.#budget.release(this.#keptBytes);
    this.#keptBytes = 0;
    this.#chunks = [];
    this.#omitted = reason;
  }
}

function copyOf(bytes: Uint8Array, length: number): Buffer {
  const copy = Buffer.allocUnsafe(length);
  copy.set(length === bytes.length ? bytes : bytes.subarray(0, length));
  return copy;
}
