import { types } from 'node:util';
import type { CapturedBody } from '../exchange';
import { toPlain } from '../redaction';
import type { OpenBudget } from '../tap/open-budget';

/**
 * Collects what goes through a value, up to a cap. Text and bytes are joined, since a secret may lie
 * across two chunks; anything else becomes one element of a list.
 */
export class FlowBody {
  readonly #maxBytes: number;
  readonly #budget: OpenBudget;
  /** Runs of text as bytes, elements as JSON. */
  #parts: (Buffer[] | string)[] = [];
  #keptBytes = 0;
  #totalBytes: number | undefined = 0;
  #isCut = false;
  #isShed = false;

  constructor(maxBytes: number, budget: OpenBudget) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  get isEmpty(): boolean {
    return this.#totalBytes === 0;
  }

  add(item: unknown): void {
    // What is kept is a beginning: nothing after a gap.
    const room = this.#isShed || this.#isCut ? 0 : this.#maxBytes - this.#keptBytes;
    if (typeof item === 'string' || types.isUint8Array(item)) this.#addText(item, room);
    else this.#addElement(item, room);
  }

  /** The body as far as it was seen. What it held no longer counts as open. */
  finish(isComplete: boolean): CapturedBody {
    this.#budget.release(this.#keptBytes);
    const isTruncated = !isComplete || this.#isCut;
    const size = { totalBytes: isTruncated ? undefined : this.#totalBytes, source: 'parsed' } as const;
    if (this.#isShed) return { ...size, bytes: undefined, isTruncated: false, omitted: 'open_budget' };
    const [only] = this.#parts;
    if (this.#parts.length === 1 && Array.isArray(only)) {
      return { ...size, bytes: Buffer.concat(only), isTruncated, isRaw: true };
    }
    const elements = this.#parts.map((part) =>
      typeof part === 'string' ? part : JSON.stringify(toPlain(Buffer.concat(part).toString('utf8'))),
    );
    return { ...size, bytes: Buffer.from(`[${elements.join(',')}]`, 'utf8'), isTruncated };
  }

  #addText(item: string | Uint8Array, room: number): void {
    const isText = typeof item === 'string';
    const length = isText ? Buffer.byteLength(item, 'utf8') : item.byteLength;
    this.#count(length);
    const kept = isText
      ? Buffer.from(item.slice(0, room), 'utf8').subarray(0, room)
      : Buffer.from(item.subarray(0, room));
    if (kept.length < length) this.#isCut = true;
    if (kept.length === 0 || !this.#keep(kept.length)) return;
    const last = this.#parts.at(-1);
    if (Array.isArray(last)) last.push(kept);
    else this.#parts.push([kept]);
  }

  #addElement(item: unknown, room: number): void {
    const json = room > 0 ? JSON.stringify(toPlain(item, { maxText: room }) ?? null) : undefined;
    // With the comma after it; the brackets come on top.
    const bytes = json === undefined ? 0 : Buffer.byteLength(json) + 1;
    if (json === undefined || bytes > room) {
      this.#isCut = true;
      this.#totalBytes = undefined;
      return;
    }
    this.#count(bytes);
    if (this.#keep(bytes)) this.#parts.push(json);
  }

  #count(bytes: number): void {
    if (this.#totalBytes !== undefined) this.#totalBytes += bytes;
  }

  #keep(bytes: number): boolean {
    if (this.#budget.reserve(bytes)) {
      this.#keptBytes += bytes;
      return true;
    }
    this.#budget.release(this.#keptBytes);
    this.#keptBytes = 0;
    this.#parts = [];
    this.#isShed = true;
    return false;
  }
}
