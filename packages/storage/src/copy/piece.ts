import { isUint8Array } from 'node:util/types';
import type { Value } from '../backend';

/** What is copied in one write: a value, or some elements of a list. */
export type Piece = ValuePiece | ListPiece;

interface PieceHead {
  /** Without the prefix of the side that it comes from. */
  readonly partition: string;
  readonly key: string;
  /** Of the item; of a list, that of its last append. */
  readonly version: string;
  readonly expiresAt?: number;
}

export interface ValuePiece extends PieceHead {
  readonly type: 'value';
  readonly value: Value;
}

/** Pieces of one list follow each other; the first has `offset` 0. A list that changes meanwhile begins again. */
export interface ListPiece extends PieceHead {
  readonly type: 'list';
  readonly offset: number;
  readonly values: readonly Value[];
  readonly isLast: boolean;
}

/** What a backend counts against its `maxValueBytes`. */
export function sizeOf(value: Value): number {
  return isUint8Array(value) ? value.byteLength : Buffer.byteLength(JSON.stringify(value));
}

export function sizesOf(piece: Piece): number[] {
  return piece.type === 'value' ? [sizeOf(piece.value)] : piece.values.map(sizeOf);
}
