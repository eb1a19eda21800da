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

interface Open {
  readonly piece: Piece;
  readonly hash: Hash;
  readonly largestBytes: number;
}

/** One for each item of a stream of pieces. A list that never came to its end has none. */
export async function* fingerprints(pieces: AsyncIterable<Piece>): AsyncGenerator<Fingerprint> {
  let open: Open | undefined;
  for await (const piece of pieces) {
    const isFollowing = piece.type === 'list' && piece.offset > 0 && open !== undefined;
    const hash: Hash = isFollowing ? open!.hash : createHash('sha256');
    for (const value of piece.type === 'value' ? [piece.value] : piece.values) addTo(hash, value);
    const largestBytes: number = sizesOf(piece).reduce(
      (largest, bytes) => Math.max(largest, bytes),
      isFollowing ? open!.largestBytes : 0,
    );
    open = { piece, hash, largestBytes };
    if (piece.type === 'list' && !piece.isLast) continue;
    const { partition, key, type, version, expiresAt } = piece;
    yield { partition, key, type, version, expiresAt, digest: hash.digest('hex'), largestBytes };
    open = undefined;
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
