import { createHash, type Hash } from 'node:crypto';
import { isUint8Array } from 'node:util/types';
import type { Value } from '../backend';
import { canonicalJson } from './canonical-json';
import { sizesOf, type Piece } from './piece';

/** An item in few bytes. */
export interface Fingerprint {
  readonly partition: string;
  readonly key: string;
  readonly type: 'value' | 'list';
  readonly version: string;
  readonly expiresAt: number | undefined;
  /** Of its value, or its elements in their order. */
  readonly digest: string;
  /** Of its value, or its largest element. */
  readonly largestBytes: number;
}

/** Puts the pieces of each item together. */
export class FingerprintMaker {
  #hash: Hash | undefined;
  #largestBytes = 0;

  /** The fingerprint of the item that this piece completes. A list that never comes to its end has none. */
  add(piece: Piece): Fingerprint | undefined {
    if (this.#hash === undefined || piece.type === 'value' || piece.offset === 0) {
      this.#hash = createHash('sha256');
      this.#largestBytes = 0;
    }
    for (const value of piece.type === 'value' ? [piece.value] : piece.values) addTo(this.#hash, value);
    for (const bytes of sizesOf(piece)) this.#largestBytes = Math.max(this.#largestBytes, bytes);
    if (piece.type === 'list' && !piece.isLast) return undefined;
    const { partition, key, type, version, expiresAt } = piece;
    const digest = this.#hash.digest('hex');
    this.#hash = undefined;
    return { partition, key, type, version, expiresAt, digest, largestBytes: this.#largestBytes };
  }
}

export async function* fingerprints(pieces: AsyncIterable<Piece>): AsyncGenerator<Fingerprint> {
  const maker = new FingerprintMaker();
  for await (const piece of pieces) {
    const made = maker.add(piece);
    if (made !== undefined) yield made;
  }
}

function addTo(hash: Hash, value: Value): void {
  const isBytes = isUint8Array(value);
  const content = isBytes ? value : Buffer.from(canonicalJson(value));
  // With kind and length, so that no two sequences of values come to the same bytes.
  hash.update(`${isBytes ? 'b' : 'j'}${content.byteLength}:`).update(content);
}

/** Runs over fingerprints in their order. */
export class DigestOfAll {
  readonly #hash = createHash('sha256');

  add({ partition, key, type, version, expiresAt, digest }: Fingerprint): void {
    this.#hash.update(`${JSON.stringify([partition, key, type, version, expiresAt ?? null, digest])}\n`);
  }

  toString(): string {
    return this.#hash.digest('hex');
  }
}
