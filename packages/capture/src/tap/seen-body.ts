import type { CapturedBody } from '../exchange';

/** A chunk of a body: bytes, or a text that stands for its UTF-8. */
export type BodyChunk = Buffer | string;

/** A body whose bytes are put together when somebody asks for them. A queue for a worker writes its chunks instead. */
export class SeenBody implements CapturedBody {
  readonly totalBytes: number;
  readonly isTruncated: boolean;
  readonly source = 'wire';
  readonly #keptBytes: number;
  #chunks: readonly BodyChunk[];

  /** @param keptBytes of all `chunks` together */
  constructor(chunks: readonly BodyChunk[], keptBytes: number, totalBytes: number, isTruncated: boolean) {
    this.#chunks = chunks;
    this.#keptBytes = keptBytes;
    this.totalBytes = totalBytes;
    this.isTruncated = isTruncated;
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  get chunks(): readonly BodyChunk[] {
    return this.#chunks;
  }

  get bytes(): Buffer {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && typeof first === 'object') return first;
    const bytes = Buffer.concat(
      this.#chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)),
    );
    this.#chunks = [bytes];
    return bytes;
  }
}

/** Bytes that are kept of a body, told without putting them together. */
export function keptBytesOf(body: CapturedBody | undefined): number {
  return body instanceof SeenBody ? body.keptBytes : (body?.bytes?.length ?? 0);
}

/** The same body, of which more is known. */
export function withMore(body: CapturedBody, more: Partial<CapturedBody>): CapturedBody {
  return { ...body, bytes: body.bytes, ...more };
}
