import type { SpoolFiles } from './spool-files';
import { newSyncWord, segmentHeader } from './segment-format';

/** Records; where more are left, none is moved. */
const MAX_MOVED = 1_000;

/** Where a record is. It moves with the record, for whoever was given it when the record was appended. */
export interface RecordPlace {
  segment: Segment;
  offset: number;
  /** Of header and payload. */
  length: number;
}

/** One file of a journal. */
export class Segment {
  /** Where the next record begins. */
  bytes = 0;
  /** Records in it that are not done. */
  open = 0;
  /** Of these, the ones that somebody was given when they were appended. */
  readonly held = new Set<RecordPlace>();
  /** Records that are not needed here any more once their new place is synced; they count as open until then. */
  moved = 0;
  isRemoved = false;
  /** Nothing more is written to it. */
  isSealed = true;
  syncWord: Buffer = Buffer.alloc(0);
  /** Offset and length, by turns, of records that are to be read. */
  readonly deferred: number[] = [];
  #readDeferred = 0;
  #file: number | undefined;
  #isNew = false;
  #isDirty = false;

  constructor(
    readonly number: number,
    readonly path: string,
  ) {}

  static create(number: number, path: string, files: SpoolFiles): Segment {
    const segment = new Segment(number, path);
    segment.#file = files.createBlocking(path);
    segment.isSealed = false;
    segment.#isNew = true;
    segment.syncWord = newSyncWord();
    try {
      segment.write(files, segmentHeader(number, segment.syncWord));
    } catch (error) {
      files.closeBlocking(segment.#file);
      throw error;
    }
    return segment;
  }

  get isDone(): boolean {
    return this.isSealed && this.open === 0;
  }

  /** Whether all that is left in it is little, and in the hands of somebody who will say when it is done. */
  isMovable(maxBytes: number): boolean {
    const { isSealed, open, held, moved } = this;
    if (!isSealed || held.size > MAX_MOVED || open !== held.size + moved) return false;
    let bytes = 0;
    for (const { length } of held) bytes += length;
    return bytes <= maxBytes;
  }

  get hasDeferred(): boolean {
    return this.#readDeferred < this.deferred.length;
  }

  get firstDeferred(): { readonly offset: number; readonly length: number } {
    const [offset = 0, length = 0] = this.deferred.slice(this.#readDeferred, this.#readDeferred + 2);
    return { offset, length };
  }

  shiftDeferred(): void {
    this.#readDeferred += 2;
    if (this.hasDeferred) return;
    this.deferred.length = 0;
    this.#readDeferred = 0;
  }

  /** @throws when not all of it could be written; what was is cut off again where that can be */
  write(files: SpoolFiles, bytes: Uint8Array): void {
    if (this.#file === undefined) throw new Error('The segment is closed.');
    this.#isDirty = true;
    const written = files.writeBlocking(this.#file, bytes, this.bytes);
    if (written !== bytes.length) {
      files.truncateBlocking(this.#file, this.bytes);
      throw Object.assign(new Error('The disk is full.'), { code: 'ENOSPC' });
    }
    this.bytes += bytes.length;
  }

  async sync(files: SpoolFiles, folder: string): Promise<void> {
    if (this.#file === undefined || this.isRemoved) return;
    if (this.#isDirty) {
      this.#isDirty = false;
      try {
        await files.sync(this.#file);
        if (this.#isNew) await files.syncFolder(folder);
      } catch (error) {
        this.#isDirty = true;
        throw error;
      }
      this.#isNew = false;
    } else if (this.isSealed) this.#close(files);
  }

  async remove(files: SpoolFiles): Promise<void> {
    this.isRemoved = true;
    try {
      this.#close(files);
    } finally {
      await files.remove(this.path);
    }
  }

  #close(files: SpoolFiles): void {
    const file = this.#file;
    // Closed even where that fails: the number may be another file's by then.
    this.#file = undefined;
    if (file !== undefined) files.closeBlocking(file);
  }
}
