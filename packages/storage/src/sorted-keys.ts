import type { ByteRange } from './byte-range';

const CHUNK = 512;

/** A key's UTF-8 bytes, one to a character, so that strings compare as the bytes do. */
export type ByteKey = string;

const BEYOND_ASCII = /[\u0080-\uFFFF]/;

/** What is ASCII is the same both ways, and seen sooner than encoded. */
export function toByteKey(key: string): ByteKey {
  return BEYOND_ASCII.test(key) ? Buffer.from(key).toString('latin1') : key;
}

export function fromByteKey(key: ByteKey): string {
  return BEYOND_ASCII.test(key) ? Buffer.from(key, 'latin1').toString() : key;
}

/** Keys in the order of their bytes, in chunks, so that one more costs little among a million. */
export class SortedKeys {
  #chunks: ByteKey[][] = [];

  add(key: ByteKey): void {
    const at = Math.max(this.#chunkOf(key), 0);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(firstNotBelow(chunk, key), 0, key);
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2));
  }

  delete(key: ByteKey): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    const index = chunk === undefined ? -1 : firstNotBelow(chunk, key);
    if (chunk?.[index] !== key) return;
    chunk.splice(index, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Live: what is added or deleted while reading may or may not be seen. */
  *within({ from, to }: ByteRange, reverse: boolean): Generator<ByteKey> {
    const first = from.toString('latin1');
    const end = to?.toString('latin1');
    if (reverse) yield* this.#down(first, end);
    else yield* this.#up(first, end);
  }

  *#up(first: ByteKey, end: ByteKey | undefined): Generator<ByteKey> {
    for (let at = Math.max(this.#chunkOf(first), 0); at < this.#chunks.length; at += 1) {
      const chunk = this.#chunks[at]!;
      for (let index = firstNotBelow(chunk, first); index < chunk.length; index += 1) {
        const key = chunk[index]!;
        if (end !== undefined && key >= end) return;
        yield key;
      }
    }
  }

  *#down(first: ByteKey, end: ByteKey | undefined): Generator<ByteKey> {
    const last = end === undefined ? this.#chunks.length - 1 : this.#chunkOf(end);
    for (let at = last; at >= 0; at -= 1) {
      const chunk = this.#chunks[at]!;
      const start = end === undefined ? chunk.length : firstNotBelow(chunk, end);
      for (let index = start - 1; index >= 0; index -= 1) {
        const key = chunk[index]!;
        if (key < first) return;
        yield key;
      }
    }
  }

  /** The chunk that holds the key if any does: the last that begins at or below it. */
  #chunkOf(key: ByteKey): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#chunks[middle]![0]! <= key) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function firstNotBelow(keys: readonly ByteKey[], key: ByteKey): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
