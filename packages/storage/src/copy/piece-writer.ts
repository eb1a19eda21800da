import type { Backend, Value, Write, WriteOutcome } from '../backend';
import type { Clock } from '../clock';
import { errorCode, StorageError } from '../errors';
import { addressText } from './address-text';
import type { CopiedSamples } from './copied-samples';
import type { CopyTally } from './copy-counts';
import { findList, type ListInTarget } from './list-in-target';
import { partialVersion } from './partial-version';
import { sizesOf, type ListPiece, type Piece, type ValuePiece } from './piece';
import { tooLarge } from './too-large';
import type { Position } from './piece-source';

/**
 * What is done where the target has something already.
 *
 * - `refuse`: the target has to be empty.
 * - `onlyMissing`: it keeps what it has.
 * - `overwrite`: what it has under the same address is replaced.
 */
export type ExistingPolicy = 'refuse' | 'onlyMissing' | 'overwrite';

export interface PieceWriterOptions {
  readonly target: Backend;
  readonly prefix: string;
  readonly existing: ExistingPolicy;
  /** Whether what is too large for the target is left out; else it is an error. */
  readonly leavesOutTooLarge: boolean;
  readonly clock: Clock;
  readonly tally: CopyTally;
  /** Gets what the target has of all that is done. */
  readonly samples: CopiedSamples;
}

const MAX_WRITES = 500;
const MAX_BYTES = 2 ** 20;
/** Lists of the target that are looked at at the same time. */
const LOOKS_AT_ONCE = 8;

interface Waiting {
  readonly piece: Piece;
  readonly bytes: number;
  readonly isTooLarge: boolean;
}

/** What becomes of the list whose pieces come just now. */
interface OpenList {
  /** Elements that the target has of it already. */
  readonly there: number;
  /** Whether it is written, and else why not. */
  fate: 'write' | 'complete' | 'kept' | 'expired' | 'tooLarge';
  elements: number;
  bytes: number;
  last: ListPiece;
}

/** Writes pieces in batches. All that is done up to `position` need not be done again, and may be. */
export class PieceWriter {
  readonly #options: PieceWriterOptions;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #position: Position | undefined;
  #list: OpenList | undefined;

  constructor(options: PieceWriterOptions) {
    this.#options = options;
  }

  get position(): Position | undefined {
    return this.#position;
  }

  /** Resolves to whether `position` may have moved. */
  async add(piece: Piece): Promise<boolean> {
    // Pieces of one list never share a batch: one that failed could be followed by one that did not.
    const last = this.#waiting.at(-1)?.piece;
    const isSame = last?.key === piece.key && last.partition === piece.partition;
    const hasFlushed = isSame && (await this.flush());
    const sizes = sizesOf(piece);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const limit = this.#options.target.capabilities.maxValueBytes;
    this.#waiting.push({ piece, bytes, isTooLarge: sizes.some((size) => size > limit) });
    this.#bytes += bytes;
    if (this.#waiting.length < MAX_WRITES && this.#bytes < MAX_BYTES) return hasFlushed;
    return await this.flush();
  }

  /** Resolves to whether there was anything. */
  async flush(): Promise<boolean> {
    const waiting = this.#waiting;
    if (waiting.length === 0) return false;
    this.#waiting = [];
    this.#bytes = 0;
    const found = await this.#findLists(waiting);
    const writes: Write[] = [];
    const settle: (() => void)[] = [];
    for (const one of waiting) {
      const { piece } = one;
      const abandoned = piece.type === 'list' && piece.offset > 0 ? [] : this.#abandon();
      const more =
        piece.type === 'value' ? this.#value(piece, one) : this.#elements(piece, one, found.get(one));
      for (const { write, settled } of [...abandoned, ...more]) {
        const index = writes.push(write) - 1;
        settle.push(() => settled(outcomes[index]!));
      }
    }
    const outcomes = writes.length === 0 ? [] : await this.#options.target.batch(writes);
    for (const each of settle) each();
    const done = waiting.filter(({ piece }) => piece.type === 'value' || piece.isLast).at(-1)?.piece;
    if (done !== undefined) this.#position = { partition: done.partition, key: done.key };
    return true;
  }

  /** After the last piece. */
  async finish(): Promise<void> {
    await this.flush();
    const [abandoned] = this.#abandon();
    if (abandoned === undefined) return;
    const [outcome] = await this.#options.target.batch([abandoned.write]);
    abandoned.settled(outcome!);
  }

  async #findLists(waiting: readonly Waiting[]): Promise<ReadonlyMap<Waiting, ListInTarget>> {
    const { target, prefix } = this.#options;
    const found = new Map<Waiting, ListInTarget>();
    const begins = waiting.filter(({ piece }) => piece.type === 'list' && piece.offset === 0);
    const findSome = async (): Promise<void> => {
      for (let one = begins.pop(); one !== undefined; one = begins.pop()) {
        const { partition, key, version } = one.piece;
        found.set(one, await findList(target, { partition: prefix + partition, key }, version));
      }
    };
    await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, findSome));
    return found;
  }

  #value(piece: ValuePiece, { bytes, isTooLarge }: Waiting): PlannedWrite[] {
    const { tally, existing, samples } = this.#options;
    if (this.#isExpired(piece)) {
      tally.add('expired');
      return [];
    }
    if (isTooLarge) {
      this.#leaveOut(piece);
      return [];
    }
    const { value, version } = piece;
    const write: Write = {
      ...{ ...this.#place(piece), type: 'set', value, version, ifAbsent: existing !== 'overwrite' },
    };
    return [
      {
        write,
        settled: (outcome) => {
          if (outcome.status === 'failed') {
            if (!this.#isExpired(piece)) throw outcome.error;
            tally.add('expired');
          } else if (outcome.status === 'written') {
            samples.add(piece, false);
            tally.add('values');
            tally.add('bytes', bytes);
          } else {
            samples.add(piece, true);
            tally.add('kept');
          }
        },
      },
    ];
  }

  #elements(
    piece: ListPiece,
    { bytes, isTooLarge }: Waiting,
    found: ListInTarget | undefined,
  ): PlannedWrite[] {
    const planned: PlannedWrite[] = [];
    if (piece.offset === 0) planned.push(...this.#begin(piece, found));
    const list = this.#list!;
    list.elements += piece.values.length;
    list.bytes += bytes;
    list.last = piece;
    if (list.fate === 'write' && this.#isExpired(piece)) list.fate = 'expired';
    if (list.fate === 'write' && isTooLarge) {
      // A list that misses an element is another list.
      if (piece.offset > 0) planned.push(this.#remove(piece, partialVersion(piece.version, piece.offset)));
      list.fate = 'tooLarge';
    }
    const values = list.fate === 'write' ? piece.values.slice(Math.max(list.there - piece.offset, 0)) : [];
    if (values.length > 0) planned.push(this.#append(piece, values, list));
    else if (piece.isLast) this.#end(piece, list);
    return planned;
  }

  /** Decides what becomes of a list, and what is in its way. */
  #begin(piece: ListPiece, found: ListInTarget | undefined): PlannedWrite[] {
    const open = (fate: OpenList['fate'], there = 0): void => {
      this.#list = { fate, there, elements: 0, bytes: 0, last: piece };
    };
    switch (found?.status) {
      case 'complete':
        open('complete');
        return [];
      case 'partial':
        open('write', found.count);
        return [];
      case 'other':
        if (this.#options.existing !== 'overwrite') {
          open('kept');
          return [];
        }
        open('write');
        return [this.#remove(piece, found.version)];
      case 'outdated':
        open('write');
        return [this.#remove(piece, found.version)];
      default:
        open('write');
        return [];
    }
  }

  /** A list that vanished from the source while it was read does not stay in the target as a part of itself. */
  #abandon(): PlannedWrite[] {
    const list = this.#list;
    this.#list = undefined;
    if (list?.fate !== 'write' || list.last.isLast) return [];
    const { version, offset, values } = list.last;
    return [this.#remove(list.last, partialVersion(version, Math.max(offset + values.length, list.there)))];
  }

  #append(piece: ListPiece, values: readonly Value[], list: OpenList): PlannedWrite {
    const { offset, isLast } = piece;
    const length = offset + piece.values.length;
    const version = isLast ? piece.version : partialVersion(piece.version, length);
    return {
      write: { ...this.#place(piece), type: 'append', values, version },
      settled: (outcome) => {
        if (outcome.status === 'failed') {
          if (errorCode(outcome.error) === 'WRONG_TYPE') list.fate = 'kept';
          else if (this.#isExpired(piece)) list.fate = 'expired';
          else throw outcome.error;
        } else if (outcome.status === 'written' && (outcome.length ?? length) !== length) {
          throw changedMeanwhile(piece);
        }
        if (isLast) this.#end(piece, list);
      },
    };
  }

  #end(piece: ListPiece, { fate, elements, bytes }: OpenList): void {
    const { tally, samples } = this.#options;
    if (fate === 'kept' || fate === 'write' || fate === 'complete') samples.add(piece, fate === 'kept');
    switch (fate) {
      case 'write':
      case 'complete':
        tally.add('lists');
        tally.add('elements', elements);
        tally.add('bytes', bytes);
        break;
      case 'tooLarge':
        this.#leaveOut(piece);
        break;
      default:
        tally.add(fate);
    }
  }

  #remove(piece: ListPiece, ifVersion: string): PlannedWrite {
    const { partition, key } = this.#place(piece);
    return {
      write: { type: 'delete', partition, key, ifVersion },
      settled: (outcome) => {
        if (outcome.status === 'failed') throw outcome.error;
      },
    };
  }

  #place({ partition, key, expiresAt }: Piece): Position & { readonly expiresAt?: number } {
    const address = { partition: this.#options.prefix + partition, key };
    return expiresAt === undefined ? address : { ...address, expiresAt };
  }

  #isExpired({ expiresAt }: Piece): boolean {
    return expiresAt !== undefined && expiresAt <= this.#options.clock.now();
  }

  #leaveOut(piece: Piece): void {
    const { tally, leavesOutTooLarge, target } = this.#options;
    if (!leavesOutTooLarge) throw tooLarge([piece], 1, target);
    tally.addTooLarge(piece);
  }
}

interface PlannedWrite {
  readonly write: Write;
  readonly settled: (outcome: WriteOutcome) => void;
}

function changedMeanwhile({ partition, key }: Piece): StorageError {
  return new StorageError(
    'CONFLICT',
    `Somebody else wrote to the list at ${addressText({ partition, key })} while it was copied. Let nobody write to the target, and go on with "overwrite".`,
  );
}
