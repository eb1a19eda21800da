import type { CapturedBody, Delivery, Exchange, ExchangeSide, HeaderList, SessionClaim } from '../exchange';
import type { QueuedExchange } from '../recorder/exchange-queue';
import type { SpooledRecord } from '../recorder/spooled-entry';
import { listHeaders } from '../tap/seen-side';
import {
  BODY_BITS,
  FLAT_HEADERS,
  IS_CORRECTION,
  NO_TEXT,
  RENDERED_HEAD,
  SPOOLED_MARK,
  UTF16_MARK,
} from './exchange-encoder';
import { RecentTexts } from './recent-texts';

/**
 * How bytes of bodies are given: as copies, or as they stand in the memory, for one who is done with them before it is
 * written again.
 */
export type BodyBytes = 'copied' | 'lent';

/** Above it a string is as soon made. Below what marks a length as something else. */
const MAX_RECURRING = 64;
const recentTexts = new RecentTexts();

/** Reads what `ExchangeEncoder` wrote. */
export class ExchangeDecoder {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #bodyBytes: BodyBytes;
  #at: number;
  #flags = 0;

  constructor(memory: SharedArrayBuffer, from = 0, bodyBytes: BodyBytes = 'copied') {
    this.#bytes = Buffer.from(memory);
    this.#view = new DataView(memory);
    this.#bodyBytes = bodyBytes;
    this.#at = from;
  }

  /** Where the next exchange begins. */
  get position(): number {
    return this.#at;
  }

  next(): QueuedExchange {
    if (this.#view.getUint32(this.#at, true) === SPOOLED_MARK) return this.#record();
    return this.#exchange();
  }

  #record(): SpooledRecord {
    this.#at += 4;
    const id = this.#text() ?? '';
    const durationMs = this.#number();
    return { id, durationMs, record: this.#bytesOfBody() };
  }

  #exchange(): Exchange {
    // In the order in which they were written, which is the order of evaluation here.
    const exchange: Exchange = {
      id: this.#text() ?? '',
      parentId: this.#text(),
      storageType: this.#recurring() as Exchange['storageType'],
      method: this.#recurring(),
      endpoint: this.#recurring(),
      path: this.#text(),
      query: this.#text(),
      pathParameters: this.#json({}),
      status: this.#optionalNumber(),
      outcome: this.#recurring() as Exchange['outcome'],
      error: this.#error(),
      startedAt: this.#number(),
      durationMs: this.#number(),
      owner: this.#recurring() ?? '',
      clientAddress: this.#recurring(),
      traceId: this.#text(),
      metadata: this.#json({}),
      session: this.#session(),
      expiresAt: this.#optionalNumber(),
      compress: this.#compress(),
      warnings: this.#json([]),
      request: this.#side(),
      response: this.#side(),
      delivery: this.#delivery(),
    };
    return (this.#flags & IS_CORRECTION) === 0 ? exchange : { ...exchange, isCorrection: true };
  }

  #compress(): boolean {
    this.#flags = this.#number();
    return (this.#flags & 1) === 1;
  }

  #delivery(): Delivery | undefined {
    const closedBy = this.#recurring() as Delivery['closedBy'] | undefined;
    if (closedBy === undefined) return undefined;
    return {
      closedBy,
      offeredBytes: this.#number(),
      sentBytes: this.#optionalNumber(),
      firstByteMs: this.#optionalNumber(),
      chunks: this.#number(),
      longestGapMs: this.#optionalNumber(),
    };
  }

  #error(): Exchange['error'] {
    const name = this.#text();
    const message = this.#text();
    return name === undefined || message === undefined ? undefined : { name, message };
  }

  #session(): SessionClaim {
    const key = this.#recurring() ?? '';
    const group = this.#recurring();
    const timeoutMs = this.#number();
    const requestedId = this.#text();
    const proposedId = this.#text();
    return {
      key,
      group,
      timeoutMs,
      ...(requestedId !== undefined && { requestedId }),
      ...(proposedId !== undefined && { proposedId }),
    };
  }

  #side(): ExchangeSide {
    return { headers: this.#headers(), body: this.#body() };
  }

  #headers(): HeaderList {
    const count = this.#length();
    if (count === RENDERED_HEAD) return listHeaders(this.#text() ?? '');
    if (count === FLAT_HEADERS) return listHeaders(this.#parts());
    const headers: [string, string][] = [];
    for (let index = 0; index < count; index += 1) headers.push([this.#text() ?? '', this.#text() ?? '']);
    return headers;
  }

  #parts(): string[] {
    const count = this.#length();
    // The lengths come before the text.
    let lengthAt = this.#at;
    this.#at += 4 * count;
    const joined = this.#text() ?? '';
    const parts: string[] = [];
    for (let end = 0; parts.length < count; lengthAt += 4) {
      const start = end;
      end += this.#view.getUint32(lengthAt, true);
      parts.push(joined.slice(start, end));
    }
    return parts;
  }

  #body(): CapturedBody | undefined {
    const bits = this.#length();
    if ((bits & BODY_BITS.isThere) === 0) return undefined;
    const totalBytes = this.#optionalNumber();
    const omitted = this.#text();
    const coding = this.#text();
    const sha256 = this.#text();
    const bytes = (bits & BODY_BITS.hasBytes) === 0 ? undefined : this.#bytesOfBody();
    return {
      bytes,
      totalBytes,
      isTruncated: (bits & BODY_BITS.isTruncated) !== 0,
      source: (bits & BODY_BITS.isParsed) === 0 ? 'wire' : 'parsed',
      ...(omitted !== undefined && { omitted }),
      ...((bits & BODY_BITS.isRaw) !== 0 && { isRaw: true }),
      ...(coding !== undefined && { coding }),
      ...(sha256 !== undefined && { sha256 }),
    };
  }

  #bytesOfBody(): Buffer {
    const length = this.#length();
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return this.#bodyBytes === 'lent' ? bytes : Buffer.from(bytes);
  }

  #json<T>(empty: T): T {
    const text = this.#text();
    return text === undefined ? empty : (JSON.parse(text) as T);
  }

  #length(): number {
    const value = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return value;
  }

  #number(): number {
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  #optionalNumber(): number | undefined {
    const value = this.#number();
    return Number.isNaN(value) ? undefined : value;
  }

  /** A text of which there are few. */
  #recurring(): string | undefined {
    const length = this.#view.getUint32(this.#at, true);
    if (length > MAX_RECURRING) return this.#text();
    const from = this.#at + 4;
    this.#at = from + length;
    return recentTexts.read(this.#bytes, from, this.#at);
  }

  #text(): string | undefined {
    const length = this.#length();
    if (length === NO_TEXT) return undefined;
    const isUtf16 = length >= UTF16_MARK;
    const end = this.#at + (isUtf16 ? length - UTF16_MARK : length);
    const text = this.#bytes.toString(isUtf16 ? 'utf16le' : 'utf8', this.#at, end);
    this.#at = end;
    return text;
  }
}
