import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { StorageError } from '../../errors';
import { writeAll, type FileCalls } from './file-calls';
import type { OpenFile } from './file-system';
import { encodeSegmentHead } from './journal-line';

export interface Segment {
  readonly number: number;
  readonly path: string;
  bytes: number;
}

export interface JournalOptions {
  readonly folder: string;
  readonly calls: FileCalls;
  /** Segments that are there already, with writes up to `lastSeq`. */
  readonly found: { readonly segments: readonly Segment[]; readonly lastSeq: number };
  /** Rejects when nothing may be written any more. */
  readonly check: () => Promise<void>;
}

/** Of lines that are written in one go; one line may be more. */
const MAX_GROUP_BYTES = 16 * 2 ** 20;

interface Group {
  readonly lines: Buffer[];
  readonly undo: (() => void)[];
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  lastSeq: number;
  bytes: number;
}

/**
 * Every write goes to the end of a file before it is answered, and those of one moment share a sync: that is what is
 * durable, while the files of values are written behind it.
 */
export class Journal {
  readonly #folder: string;
  readonly #calls: FileCalls;
  readonly #check: () => Promise<void>;
  /** Of the last write that is on the disk for good. */
  syncedSeq: number;
  #lastSeq: number;
  #nextNumber: number;
  #sealed: Segment[];
  #open: { readonly segment: Segment; readonly file: OpenFile } | undefined;
  /** What is written next, in this order. */
  #gathering: Group[] = [];
  #committing: Group | undefined;
  #running: Promise<void> | undefined;
  #isUncertain = false;
  #sealing: (() => void)[] = [];

  constructor({ folder, calls, found, check }: JournalOptions) {
    this.#folder = folder;
    this.#calls = calls;
    this.#check = check;
    this.#sealed = [...found.segments];
    this.#nextNumber = (found.segments.at(-1)?.number ?? 0) + 1;
    this.syncedSeq = found.lastSeq;
    this.#lastSeq = found.lastSeq;
  }

  /** With what is not yet written. */
  get bytes(): number {
    let sum = (this.#open?.segment.bytes ?? 0) + (this.#committing?.bytes ?? 0);
    for (const { bytes } of this.#sealed) sum += bytes;
    for (const { bytes } of this.#gathering) sum += bytes;
    return sum;
  }

  nextSeq(): number {
    this.#lastSeq += 1;
    return this.#lastSeq;
  }

  /**
   * Resolves when it is on the disk.
   *
   * @param line of `encodeChanges`
   * @param undo when it does not get there; what came after it is undone before
   */
  append(seq: number, line: Buffer, undo: () => void): Promise<void> {
    const group = this.#groupFor(line.length);
    group.lines.push(line);
    group.undo.push(undo);
    group.lastSeq = seq;
    group.bytes += line.length;
    this.#running ??= this.#run();
    return group.done;
  }

  /** Resolves when that write is on the disk; rejects when it did not get there. */
  async settled(seq: number): Promise<void> {
    if (seq > this.syncedSeq) await this.#groupOf(seq).done;
  }

  /**
   * Looks when all that the slots hold is on the disk, and at that very moment: what did not get there was undone, and what
   * is written next may be.
   */
  async whenSettled<T>(slots: readonly { readonly seq: number }[], look: () => T): Promise<Awaited<T>> {
    const waiting = [...slots];
    for (;;) {
      const slot = waiting.find(({ seq }) => seq > this.syncedSeq);
      if (slot === undefined) return await look();
      // Whoever wrote is told of a failure; here it has not happened.
      await this.#groupOf(slot.seq).done.catch(() => undefined);
    }
  }

  /** What a look at everything shows that is on the disk: where some of it did not get there, another look is taken. */
  async whenAllSettled<T>(look: () => T): Promise<T> {
    for (;;) {
      const shown = look();
      const outcomes = await Promise.allSettled(this.#groups.map(({ done }) => done));
      if (outcomes.every(({ status }) => status === 'fulfilled')) return shown;
    }
  }

  get #groups(): readonly Group[] {
    return [...(this.#committing ? [this.#committing] : []), ...this.#gathering];
  }

  #groupOf(seq: number): Group {
    const group = this.#groups.find(({ lastSeq }) => seq <= lastSeq);
    if (group !== undefined) return group;
    throw new StorageError('UNAVAILABLE', `The journal has no write of the number ${seq}.`);
  }

  /**
   * After a failure: resolves when it is certain that what failed has not happened either. Until then it might yet be
   * found at the next start.
   */
  async certain(): Promise<void> {
    if (!this.#isUncertain) return;
    const { done } = this.#groupFor(0);
    this.#running ??= this.#run();
    await done;
  }

  /** Begins a new segment, and resolves to those before it. */
  async seal(): Promise<readonly Segment[]> {
    if (this.#committing === undefined) await this.#seal();
    else await new Promise<void>((resolve) => this.#sealing.push(resolve));
    return [...this.#sealed];
  }

  /** Of segments all of which has reached the files of values: oldest first. */
  async remove(segments: readonly Segment[]): Promise<void> {
    for (const segment of segments) {
      await this.#calls.removeIfThere(segment.path);
      this.#sealed = this.#sealed.filter((one) => one !== segment);
    }
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#seal();
  }

  #groupFor(bytes: number): Group {
    const last = this.#gathering.at(-1);
    if (last !== undefined && last.bytes + bytes <= MAX_GROUP_BYTES) return last;
    const group = newGroup();
    this.#gathering.push(group);
    return group;
  }

  async #run(): Promise<void> {
    await nextTurn();
    for (let group = this.#gathering.shift(); group !== undefined; group = this.#gathering.shift()) {
      this.#committing = group;
      try {
        await this.#commit(group);
        this.syncedSeq = Math.max(this.syncedSeq, group.lastSeq);
        this.#isUncertain = false;
        group.resolve();
      } catch (error) {
        this.#isUncertain = true;
        await this.#seal();
        this.#rollBack(error);
      }
      this.#committing = undefined;
      if (this.#sealing.length > 0) await this.#seal();
      for (const resolve of this.#sealing.splice(0)) resolve();
    }
    this.#running = undefined;
  }

  /** Those that came since were decided upon what is not there now. */
  #rollBack(error: unknown): void {
    const groups = this.#gathering.splice(0).reverse();
    if (this.#committing !== undefined) groups.push(this.#committing);
    for (const { undo } of groups) for (const step of undo.reverse()) step();
    for (const { reject } of groups) reject(error);
  }

  async #commit(group: Group): Promise<void> {
    await this.#check();
    const isNew = this.#open === undefined;
    const { segment, file } = (this.#open ??= await this.#begin());
    const head = isNew ? encodeSegmentHead(segment.number, this.syncedSeq) : '';
    const bytes = Buffer.concat([Buffer.from(head), ...group.lines]);
    await writeAll(file, bytes, segment.bytes);
    segment.bytes += bytes.length;
    group.bytes = 0;
    await file.datasync();
    if (isNew) await this.#calls.syncFolder(this.#folder);
    // Who has taken the folder meanwhile has read the journal without it; who takes it from now on reads it.
    await this.#check();
  }

  async #begin(): Promise<{ readonly segment: Segment; readonly file: OpenFile }> {
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    const path = join(this.#folder, segmentName(number));
    return { segment: { number, path, bytes: 0 }, file: await this.#calls.create(path) };
  }

  async #seal(): Promise<void> {
    if (this.#open === undefined) return;
    const { segment, file } = this.#open;
    this.#open = undefined;
    this.#sealed.push(segment);
    // What counts of it is synced.
    await file.close().catch(() => undefined);
  }
}

const NAME = /^(\d{12})\.jsonl$/;

export const segmentName = (number: number): string => `${String(number).padStart(12, '0')}.jsonl`;

export function segmentNumber(fileName: string): number | undefined {
  const [, number] = NAME.exec(fileName) ?? [];
  return number === undefined ? undefined : Number(number);
}

function newGroup(): Group {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const done = new Promise<void>((onDone, onFailed) => {
    resolve = onDone;
    reject = onFailed;
  });
  return { lines: [], undo: [], done, resolve, reject, lastSeq: 0, bytes: 0 };
}
