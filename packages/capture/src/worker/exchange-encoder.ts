import type { CapturedBody, Delivery, Exchange, ExchangeSide, HeaderList, SessionClaim } from '../exchange';
import type { QueuedExchange } from '../recorder/exchange-queue';
import type { SpooledRecord } from '../recorder/spooled-entry';
import { SeenBody } from '../tap/seen-body';
import { SeenSide } from '../tap/seen-side';

const MIN_GROWTH_BYTES = 64 * 1024;
/** Up to here a loop beats the call into the runtime that writes a string. */
const MAX_LOOPED_LENGTH = 40;
/** A text that UTF-8 cannot hold is written as UTF-16, marked by this bit of its length. */
export const UTF16_MARK = 0x8000_0000;
/** Stands where a text would, for none. */
export const NO_TEXT = 0xffff_ffff;

/** Stand where the number of header fields would: they follow as one text, a flat list with the lengths of its parts before it. */
export const RENDERED_HEAD = 0xffff_ffff;
export const FLAT_HEADERS = 0xffff_fffe;

/** Stands where the length of an id would, before a record that is redacted already. */
export const SPOOLED_MARK = 0xffff_fffe;

/** Beside the bit that says whether bodies are packed. */
export const IS_CORRECTION = 2;

/** Places of the bits that say what a body has. */
export const BODY_BITS = { isThere: 1, hasBytes: 2, isTruncated: 4, isParsed: 8, isRaw: 16 } as const;

/**
 * Writes exchanges one after another into shared memory, in a form that `ExchangeDecoder` reads: numbers and
 * lengths in little endian, texts and bodies with their length before them. It runs in the program's thread for
 * every exchange, so nothing is allocated on the way.
 */
export class ExchangeEncoder {
  #memory: SharedArrayBuffer;
  #bytes: Buffer;
  #view: DataView;
  #at = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory;
    this.#bytes = Buffer.from(memory);
    this.#view = new DataView(memory);
  }

  /** What was written into; another one than it began with when that became too small. */
  get memory(): SharedArrayBuffer {
    return this.#memory;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }

  add(queued: QueuedExchange): void {
    const start = this.#at;
    try {
      if ('record' in queued) this.#addRecord(queued);
      else this.#add(queued);
    } catch (error) {
      // What is half written must not be read.
      this.#at = start;
      throw error;
    }
  }

  #addRecord({ id, record, durationMs }: SpooledRecord): void {
    this.#length(SPOOLED_MARK);
    this.#text(id);
    this.#number(durationMs);
    this.#bytesOf(record);
  }

  #add(exchange: Exchange): void {
    this.#text(exchange.id);
    this.#text(exchange.parentId);
    this.#text(exchange.storageType);
    this.#text(exchange.method);
    this.#text(exchange.endpoint);
    this.#text(exchange.path);
    this.#text(exchange.query);
    this.#json(exchange.pathParameters);
    this.#number(exchange.status ?? NaN);
    this.#text(exchange.outcome);
    this.#text(exchange.error?.name);
    this.#text(exchange.error?.message);
    this.#number(exchange.startedAt);
    this.#number(exchange.durationMs);
    this.#text(exchange.owner);
    this.#text(exchange.clientAddress);
    this.#text(exchange.traceId);
    this.#json(exchange.metadata);
    this.#session(exchange.session);
    this.#number(exchange.expiresAt ?? NaN);
    this.#number((exchange.compress ? 1 : 0) | (exchange.isCorrection === true ? IS_CORRECTION : 0));
    this.#text(exchange.warnings.length === 0 ? undefined : JSON.stringify(exchange.warnings));
    this.#side(exchange.request);
    this.#side(exchange.response);
    this.#delivery(exchange.delivery);
  }

  #delivery(delivery: Delivery | undefined): void {
    this.#text(delivery?.closedBy);
    if (delivery === undefined) return;
    this.#number(delivery.offeredBytes);
    this.#number(delivery.sentBytes ?? NaN);
    this.#number(delivery.firstByteMs ?? NaN);
    this.#number(delivery.chunks);
    this.#number(delivery.longestGapMs ?? NaN);
  }

  #session({ key, group, timeoutMs, requestedId, proposedId }: SessionClaim): void {
    this.#text(key);
    this.#text(group);
    this.#number(timeoutMs);
    this.#text(requestedId);
    this.#text(proposedId);
  }

  #side(side: ExchangeSide): void {
    if (side instanceof SeenSide) this.#rawHeaders(side.rawHeaders);
    else this.#headers(side.headers);
    this.#body(side.body);
  }

  /** Listing the fields is left to the reader. */
  #rawHeaders(raw: SeenSide['rawHeaders']): void {
    if (typeof raw === 'string') {
      this.#length(RENDERED_HEAD);
      this.#text(raw);
      return;
    }
    this.#length(FLAT_HEADERS);
    this.#length(raw.length);
    for (const part of raw) this.#length(part.length);
    this.#text(raw.join(''));
  }

  #headers(headers: HeaderList): void {
    this.#length(headers.length);
    for (const [name, value] of headers) {
      this.#text(name);
      this.#text(value);
    }
  }

  #body(body: CapturedBody | undefined): void {
    if (body === undefined) {
      this.#length(0);
      return;
    }
    if (body instanceof SeenBody) {
      this.#seenBody(body);
      return;
    }
    const { bytes, totalBytes, isTruncated, omitted, source, isRaw, coding, sha256 } = body;
    this.#length(
      BODY_BITS.isThere |
        (bytes === undefined ? 0 : BODY_BITS.hasBytes) |
        (isTruncated ? BODY_BITS.isTruncated : 0) |
        (source === 'parsed' ? BODY_BITS.isParsed : 0) |
        (isRaw === true ? BODY_BITS.isRaw : 0),
    );
    this.#number(totalBytes ?? NaN);
    this.#text(omitted);
    this.#text(coding);
    this.#text(sha256);
    if (bytes !== undefined) this.#bytesOf(bytes);
  }

  #bytesOf(bytes: Uint8Array): void {
    this.#length(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #seenBody({ chunks, keptBytes, totalBytes, isTruncated }: SeenBody): void {
    this.#length(BODY_BITS.isThere | BODY_BITS.hasBytes | (isTruncated ? BODY_BITS.isTruncated : 0));
    this.#number(totalBytes);
    for (let absent = 0; absent < 3; absent += 1) this.#length(NO_TEXT);
    this.#length(keptBytes);
    this.#reserve(keptBytes);
    for (const chunk of chunks) {
      if (typeof chunk === 'string') this.#at += this.#bytes.write(chunk, this.#at, 'utf8');
      else {
        this.#bytes.set(chunk, this.#at);
        this.#at += chunk.length;
      }
    }
  }

  /** Most are empty, and no text says so in four bytes. */
  #json(value: Readonly<Record<string, unknown>>): void {
    let isEmpty = true;
    for (const key in value) isEmpty &&= !Object.hasOwn(value, key);
    this.#text(isEmpty ? undefined : JSON.stringify(value));
  }

  #length(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  #number(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  #text(text: string | undefined): void {
    if (text === undefined) {
      this.#length(NO_TEXT);
      return;
    }
    // No text takes more than three bytes a unit.
    this.#reserve(4 + 3 * text.length);
    const from = this.#at + 4;
    if (text.length > MAX_LOOPED_LENGTH || !this.#loopedAscii(text, from)) {
      if (!isWellFormed(text)) {
        this.#bytes.write(text, from, 'utf16le');
        this.#view.setUint32(this.#at, (UTF16_MARK | (2 * text.length)) >>> 0, true);
        this.#at = from + 2 * text.length;
        return;
      }
      this.#at = from + this.#bytes.write(text, from, 'utf8');
    } else this.#at = from + text.length;
    this.#view.setUint32(from - 4, this.#at - from, true);
  }

  #loopedAscii(text: string, from: number): boolean {
    const bytes = this.#bytes;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 127) return false;
      bytes[from + index] = code;
    }
    return true;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const size = Math.max(2 * this.#bytes.length, this.#at + bytes + MIN_GROWTH_BYTES);
    const memory = new SharedArrayBuffer(size);
    const grown = Buffer.from(memory);
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#memory = memory;
    this.#bytes = grown;
    this.#view = new DataView(memory);
  }
}

function isWellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}
