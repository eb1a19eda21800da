import type { Piece } from './piece';

/** After what to go on. */
export interface Position {
  readonly partition: string;
  readonly key: string;
}

/** Of a value or list alike. */
export type FindVersion = (position: Position) => Promise<string | undefined>;

/** What can be copied from: a backend, or an archive. */
export interface PieceSource {
  /** For messages and tokens. */
  readonly name: string;
  /** The largest value that may come. */
  readonly maxValueBytes: number;
  /** Absent where the name says already which source it is. */
  readonly findVersion?: FindVersion;
  /** By partition, and within it by key, both by their UTF-8 bytes. Each call reads anew. */
  read(after?: Position): AsyncIterable<Piece>;
}
