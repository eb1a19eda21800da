import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { StorageError } from '@recap/storage';
import type { Payload } from '../recorder/spooled-entry';
import { Segment, type RecordPlace } from './segment';
import { RecordGroup } from './record-group';
import {
  DONE,
  donePayload,
  ENTRY,
  entryIn,
  MOVED,
  movedPayload,
  noteRecord,
  type PlacesLeft,
} from './record-kinds';
import { payloadOf, readSegment, RECORD_HEADER_BYTES } from './segment-format';
import type { SpoolFiles } from './spool-files';

type OnWritten = (place: RecordPlace, payload: Buffer) => void;

export interface JournalOptions {
  readonly files: SpoolFiles;
  /** A folder of its own, made when the first record is appended. */
  readonly folder: string;
  /** Asked before a segment is begun. @throws when there is no room for it */
  readonly reserve: (segmentBytes: number) => void;
  readonly onFailure: (error: unknown) => void;
  readonly segmentBytes?: number;
}

export const SEGMENT_BYTES = 16 * 1024 * 1024;
const SEGMENT_NAME = /^(\d{8})\.spool$/;
/** What is appended is on the disk within half a second, the time of the call that brings it there included. */
const SYNC_AFTER_MS = 400;
/** Uninterrupted work after which the program's other work gets its turn. */
const SLICE_MS = 4;
/** Files for which one exchange that does not end may keep others from being removed. */
const MAX_FILES_BEHIND = 4;
/** Of a file that is removed by moving what is left of it: more of it is left where it is. */
const MOVED_SHARE = 1 / 4;

/**
 * Records on the disk until somebody says that they are done. They are appended in the caller's thread, many
 * with one write; all else happens aside. Files go when nothing in them or in an older one is needed: the little that is
 * left of one for long is moved behind the others.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #segmentBytes: number;
  /** Oldest first; the last may still be written to. */
  #segments: Segment[] = [];
  #current: Segment | undefined;
  #lastNumber = 0;
  readonly #group = new RecordGroup();
  #pending = 0;
  #corrupt = 0;
  #syncTimer: NodeJS.Timeout | undefined;
  #aside: Promise<void> = Promise.resolve();
  #hasFolder = false;
  #moving: Promise<void> | undefined;
  /** Files above which the oldest is emptied. */
  #movesFrom = MAX_FILES_BEHIND;
  #isClosed = false;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
  }

  get folder(): string {
    return this.#options.folder;
  }

  /** Records that are not done. */
  get pending(): number {
    return this.#pending;
  }

  /** Damaged records that were passed over. */
  get corrupt(): number {
    return this.#corrupt;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Takes up what an earlier process left in the folder: all that is not done waits to be read.
   *
   * @param isOver asked now and then whether there is no use in it any more
   * @throws {StorageError} `UNAVAILABLE` for what another version left, which has it then as it was; `CLOSED` when it is over
   */
  async load(isOver: () => boolean = () => false): Promise<void> {
    this.#hasFolder = true;
    const { files, folder } = this.#options;
    const numbers = (await files.list(folder))
      .map((name) => Number(SEGMENT_NAME.exec(name)?.[1] ?? 0))
      .filter((number) => number > 0)
      .sort((a, b) => a - b);
    const left: PlacesLeft = new Map();
    let sliceStart = performance.now();
    const giveWay = async (): Promise<void> => {
      await nextTurn();
      if (isOver()) throw new StorageError('CLOSED', 'The spool is closed.');
      sliceStart = performance.now();
    };
    for (const number of numbers) {
      const path = this.#pathOf(number);
      const bytes = await files.readAll(path);
      const segment = new Segment(number, path);
      const places = new Map<number, RecordPlace>();
      left.set(number, places);
      for (const found of readSegment(bytes)) {
        if (found === undefined) this.#corrupt += 1;
        else {
          const { offset, length, payload } = found;
          segment.bytes = offset + length;
          if (noteRecord(left, payload)) places.set(offset, { segment, offset, length });
        }
        if (performance.now() - sliceStart > SLICE_MS) await giveWay();
      }
      this.#segments.push(segment);
      this.#lastNumber = number;
      await giveWay();
    }
    for (const places of left.values()) {
      for (const place of places.values()) {
        place.segment.open += 1;
        this.#pending += 1;
        this.defer(place);
      }
      if (performance.now() - sliceStart > SLICE_MS) await giveWay();
    }
    this.#removeDone();
  }

  /**
   * Appends records, as many in one write as go into a file together.
   *
   * @param onAppended told of each that is written, in their order, with its payload, which stays as it is
   * @throws {StorageError} `UNAVAILABLE` when there is no room, else what the disk fails with; the rest is not written then
   */
  append(payloads: Iterable<Payload>, onAppended: (place: RecordPlace, payload: Buffer) => void): void {
    this.#write(ENTRY, payloads, (place, payload) => {
      place.segment.open += 1;
      place.segment.held.add(place);
      this.#pending += 1;
      onAppended(place, payload);
    });
  }

  /** These are needed no more, and will not be read again. */
  done(places: readonly RecordPlace[]): void {
    if (places.length === 0) return;
    for (const place of places) {
      place.segment.open -= 1;
      place.segment.held.delete(place);
    }
    this.#pending -= places.length;
    // The files may be another's by now, who stores what is in them again, which changes nothing.
    if (this.#isClosed) return;
    this.#removeDone();
    const kept = places.filter(({ segment }) => !segment.isRemoved);
    if (kept.length === 0) return;
    try {
      this.#write(DONE, [donePayload(kept)]);
    } catch (error) {
      // They will be read again after a crash, and stored once: what is there already is left alone.
      this.#options.onFailure(error);
    }
  }

  /** Nobody holds this record in memory: it is to be read from the disk. */
  defer(place: RecordPlace): void {
    const { segment, offset, length } = place;
    segment.held.delete(place);
    segment.deferred.push(offset, length);
  }

  /** Whether records wait to be read. */
  get hasDeferred(): boolean {
    return this.#segments.some(({ hasDeferred }) => hasDeferred);
  }

  /** The oldest that wait to be read, at most `maxRecords` and, but for the first, `maxBytes`. */
  takeDeferred(maxRecords: number, maxBytes: number): RecordPlace[] {
    const taken: RecordPlace[] = [];
    let bytes = 0;
    for (const segment of this.#segments) {
      while (segment.hasDeferred && taken.length < maxRecords) {
        const next = segment.firstDeferred;
        bytes += next.length;
        if (bytes > maxBytes && taken.length > 0) return taken;
        taken.push({ segment, ...next });
        segment.shiftDeferred();
      }
    }
    return taken;
  }

  /** The payload; `undefined` when it is damaged. */
  async read({ segment, offset, length }: RecordPlace): Promise<Buffer | undefined> {
    const payload = payloadOf(await this.#options.files.read(segment.path, offset, length));
    if (payload === undefined) this.#corrupt += 1;
    return payload && entryIn(payload);
  }

  /** Brings all that was appended so far onto the disk. */
  sync(): Promise<void> {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    return this.#inTurn(async () => {
      let failure: { readonly error: unknown } | undefined;
      for (const segment of [...this.#segments]) {
        try {
          await segment.sync(this.#options.files, this.folder);
        } catch (error) {
          failure = { error };
        }
      }
      if (failure === undefined) return;
      // What was written once may not be again for long; it is tried again all the same.
      this.#syncSoon();
      throw failure.error;
    });
  }

  /** Nothing is written or removed afterwards: whoever opens the folder next goes on with what is not done. @returns whether something is left */
  async close(): Promise<boolean> {
    const { files } = this.#options;
    this.#isClosed = true;
    this.#sealCurrent();
    if (this.#pending > 0) {
      await this.sync().catch(this.#options.onFailure);
      clearTimeout(this.#syncTimer);
      return true;
    }
    clearTimeout(this.#syncTimer);
    await this.#inTurn(async () => {
      for (const segment of this.#segments.splice(0)) await segment.remove(files);
      if (this.#hasFolder) await files.removeFolder(this.folder);
    });
    return false;
  }

  #write(kind: number, payloads: Iterable<Payload>, onWritten?: OnWritten): void {
    const group = this.#group;
    // What a failure has left there.
    group.begin();
    for (const payload of payloads) {
      const maxLength = RECORD_HEADER_BYTES + 1 + payload.maxBytes;
      const used = group.length === 0 ? 0 : group.length + (this.#current?.bytes ?? 0);
      if (used + maxLength > this.#segmentBytes || !group.hasRoomFor(maxLength)) {
        this.#writeGroup(kind, onWritten);
        group.makeRoomFor(maxLength);
      }
      group.add(kind, payload);
    }
    this.#writeGroup(kind, onWritten);
  }

  #writeGroup(kind: number, onWritten: OnWritten | undefined): void {
    const { length } = this.#group;
    if (length === 0) return;
    const segment = this.#segmentFor(length, kind);
    const bytes = this.#group.seal(segment.syncWord);
    let offset = segment.bytes;
    try {
      segment.write(this.#options.files, bytes);
    } catch (error) {
      // What is half written is passed over when it is read; nothing is put behind it.
      this.#sealCurrent();
      throw error;
    }
    this.#syncSoon();
    for (const record of this.#group.take()) {
      onWritten?.({ segment, offset, length: record.length }, record.subarray(RECORD_HEADER_BYTES + 1));
      offset += record.length;
    }
  }

  #syncSoon(): void {
    this.#syncTimer ??= setTimeout(() => {
      this.sync().catch(this.#options.onFailure);
    }, SYNC_AFTER_MS).unref();
  }

  #segmentFor(length: number, kind: number): Segment {
    const { files, folder, reserve } = this.#options;
    const current = this.#current;
    if (current !== undefined && current.bytes + length <= this.#segmentBytes) return current;
    this.#sealCurrent();
    const size = Math.max(this.#segmentBytes, length);
    if (!this.#hasFolder) {
      files.makeFolderBlocking(folder);
      this.#hasFolder = true;
    }
    // What is moved makes room, and where there is none that is needed most.
    if (kind !== MOVED) reserve(size);
    const number = this.#lastNumber + 1;
    if (number > 99_999_999) throw new StorageError('UNAVAILABLE', 'The spool has run out of file names.');
    this.#lastNumber = number;
    const segment = this.#newSegment(number);
    this.#segments.push(segment);
    this.#current = segment;
    return segment;
  }

  #newSegment(number: number): Segment {
    const { files, onFailure } = this.#options;
    const path = this.#pathOf(number);
    try {
      return Segment.create(number, path, files);
    } catch (error) {
      // One without a header holds nothing, and would keep the folder from being removed.
      this.#inTurn(() => files.remove(path)).catch(onFailure);
      throw error;
    }
  }

  #sealCurrent(): void {
    if (this.#current !== undefined) this.#current.isSealed = true;
    this.#current = undefined;
    this.#removeDone();
  }

  /** From the oldest on, since a newer file may say what is done in an older one. */
  #removeDone(): void {
    for (let first = this.#segments[0]; first?.isDone === true; first = this.#segments[0]) {
      const segment = first;
      this.#segments.shift();
      this.#movesFrom = MAX_FILES_BEHIND;
      segment.isRemoved = true;
      this.#inTurn(() => segment.remove(this.#options.files)).catch(this.#options.onFailure);
    }
    const [first] = this.#segments;
    if (first === undefined || this.#isClosed) return;
    // Where a part was moved, and the rest was done later, nothing is left but to sync.
    if (this.#segments.length <= this.#movesFrom && first.open > first.moved) return;
    if (!first.isMovable(this.#segmentBytes * MOVED_SHARE)) return;
    this.#moving ??= this.#moveOutOf(first)
      .catch((error: unknown) => {
        // Until there are more, or one of them goes by itself.
        this.#movesFrom = this.#segments.length;
        if (!this.#isClosed) this.#options.onFailure(error);
      })
      .finally(() => {
        this.#moving = undefined;
      });
  }

  /** An exchange is in the spool from its answer until its client has it all, which may take hours. */
  async #moveOutOf(segment: Segment): Promise<void> {
    try {
      await this.#copyOutOf(segment);
    } finally {
      if (!this.#isClosed) await this.#letGoOfMoved(segment);
    }
  }

  async #copyOutOf(segment: Segment): Promise<void> {
    const { files } = this.#options;
    for (const place of [...segment.held]) {
      const record = payloadOf(await files.read(segment.path, place.offset, place.length));
      if (this.#isClosed) return;
      if (!segment.held.has(place)) continue;
      if (record === undefined) throw new StorageError('CORRUPT', `A record in ${segment.path} is damaged.`);
      this.#write(MOVED, [movedPayload(place, entryIn(record))], ({ segment: other, offset, length }) => {
        segment.held.delete(place);
        segment.moved += 1;
        Object.assign(place, { segment: other, offset, length });
        other.open += 1;
        other.held.add(place);
      });
    }
  }

  /** A file goes when what was moved into another one is on the disk. */
  async #letGoOfMoved(segment: Segment): Promise<void> {
    if (segment.moved === 0) return;
    await this.sync();
    if (this.#isClosed) return;
    segment.open -= segment.moved;
    segment.moved = 0;
    this.#removeDone();
  }

  /** Files are synced, closed and removed one after another: a number that was closed may be another file's. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const run = this.#aside.then(work, work);
    this.#aside = run.catch(() => undefined);
    return run;
  }

  #pathOf(number: number): string {
    return join(this.folder, `${String(number).padStart(8, '0')}.spool`);
  }
}
