import { comparePositions } from '../copy/compare-positions';
import { DigestOfAll, FingerprintMaker } from '../copy/fingerprints';
import { sizesOf, type Piece } from '../copy/piece';
import type { PieceSource, Position } from '../copy/piece-source';
import { errorCode, StorageError } from '../errors';
import { ARCHIVE_FORM, LineSums, type ArchiveFooter, type ArchiveHeader } from './archive-lines';
import { readLines, UnreadableLine } from './read-lines';
import { isHeader, readObject, readPiece } from './read-record';

/** What a whole archive turned out to be. */
export interface ArchiveSummary extends Omit<ArchiveFooter, 'end'> {
  readonly createdAt: string;
  readonly source: string;
  readonly largestBytes: number;
  /** The sum of the last line, which depends on all others. */
  readonly sum: string;
}

/** An archive, each line of which is checked whenever it is read. */
export class ArchiveSource implements PieceSource {
  readonly name = 'archive';
  readonly maxValueBytes: number;
  /** Tells it from every other archive. */
  readonly sum: string;
  readonly #path: string;

  constructor(path: string, { largestBytes, sum }: ArchiveSummary) {
    this.#path = path;
    this.sum = sum;
    this.maxValueBytes = largestBytes;
  }

  async *read(after?: Position): AsyncGenerator<Piece> {
    for await (const piece of readArchive(this.#path)) {
      if (after === undefined || comparePositions(piece, after) > 0) yield piece;
    }
  }
}

/**
 * Reads an archive to its end.
 *
 * @throws {StorageError} `ARCHIVE_INVALID`, naming the line
 */
export async function checkArchive(
  path: string,
  onPiece?: (piece: Piece) => Promise<void> | void,
): Promise<ArchiveSummary> {
  let largestBytes = 0;
  const pieces = readArchive(path);
  try {
    for (let next = await pieces.next(); ; next = await pieces.next()) {
      if (next.done === true) return { ...next.value, largestBytes };
      for (const size of sizesOf(next.value)) largestBytes = Math.max(largestBytes, size);
      await onPiece?.(next.value);
    }
  } finally {
    await pieces.return(undefined as never);
  }
}

type Read = AsyncGenerator<Piece, Omit<ArchiveSummary, 'largestBytes'>>;

/** Every piece as soon as its line has been checked; what it returns has been compared with the last line. */
async function* readArchive(path: string): Read {
  const lines = readLines(path);
  try {
    return yield* readPieces(path, lines);
  } finally {
    // It has the file open.
    await lines.return(undefined);
  }
}

async function* readPieces(path: string, lines: AsyncGenerator<string>): Read {
  const sums = new LineSums();
  const maker = new FingerprintMaker();
  const digest = new DigestOfAll();
  const counts = { values: 0, lists: 0, elements: 0 };
  let line = 0;
  let header: ArchiveHeader | undefined;
  let footer: ArchiveFooter | undefined;
  let last: Piece | undefined;
  const invalid = (what: string, cause?: unknown): StorageError =>
    new StorageError('ARCHIVE_INVALID', `The archive ${path} ${what}. Nothing of it is used.`, { cause });
  for (;;) {
    let next: IteratorResult<string>;
    try {
      next = await lines.next();
    } catch (cause) {
      throw invalid(unreadable(cause, line), cause);
    }
    if (next.done === true) break;
    line += 1;
    if (footer !== undefined) throw invalid(`goes on after its end, on line ${line}`);
    const text = sums.read(next.value);
    if (text === undefined) {
      throw invalid(
        line === 1 ? NO_ARCHIVE : `is damaged: line ${line} is not what was written after line ${line - 1}`,
      );
    }
    const read = readObject(text);
    if (read === undefined) throw invalid(`has no JSON on line ${line}`);
    if (header === undefined) {
      if (!isHeader(read)) throw invalid('does not say on line 1 who wrote it and when');
      header = read;
      if (header.recapArchive === ARCHIVE_FORM) continue;
      throw invalid(`has form ${header.recapArchive}; this release reads form ${ARCHIVE_FORM}`);
    }
    if ('end' in read) {
      footer = read as ArchiveFooter;
      continue;
    }
    const piece = readPiece(read);
    if (piece === undefined) throw invalid(`has on line ${line} what no backend holds`);
    if (!follows(piece, last)) throw invalid(`is not in its order on line ${line}`);
    last = piece;
    const made = maker.add(piece);
    if (made !== undefined) {
      digest.add(made);
      counts[made.type === 'value' ? 'values' : 'lists'] += 1;
    }
    if (piece.type === 'list') counts.elements += piece.values.length;
    yield piece;
  }
  if (header === undefined) throw invalid('is empty');
  if (footer === undefined) throw invalid(`is cut off after line ${line}`);
  const { end: _end, ...told } = footer;
  const found = { ...counts, digest: digest.toString() };
  if (Object.entries(found).some(([name, value]) => told[name as keyof typeof told] !== value))
    throw invalid(`does not hold what its line ${line} says`);
  return { ...found, createdAt: header.createdAt, source: header.source, sum: sums.last };
}

function unreadable(cause: unknown, line: number): string {
  const after = line === 0 ? '' : ` after line ${line}`;
  if (cause instanceof UnreadableLine) return line === 0 ? NO_ARCHIVE : `${cause.message}${after}`;
  const code = errorCode(cause);
  if (code === 'ENOENT') return 'is not there';
  if (code === 'EISDIR') return 'is a folder';
  if (code === 'ESPIPE') return 'is a pipe, and an archive is read twice: write it to a file first';
  return `cannot be read${after} (${code ?? 'see the cause'})`;
}

const NO_ARCHIVE = 'is no archive of Recap, or its line 1 is damaged or cut off';

/** A list that was written to while it was read begins again. */
function follows(piece: Piece, last: Piece | undefined): boolean {
  const order = last === undefined ? 1 : comparePositions(piece, last);
  if (order !== 0) return order > 0 && (piece.type === 'value' || piece.offset === 0);
  if (piece.type === 'value' || last?.type !== 'list' || last.isLast) return false;
  return piece.offset === 0 || piece.offset === last.offset + last.values.length;
}
