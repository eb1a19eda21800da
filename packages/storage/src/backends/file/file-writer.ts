import { dirname } from 'node:path';
import { errorCode } from '../../errors';
import { nameOf, type FileKind } from './file-names';
import type { FileReader } from './file-reader';
import type { DamagedState, FileState, ListFileState, ListState, Slot, ValueState } from './file-table';
import {
  encodeAppend,
  encodeListEnd,
  encodeListHead,
  markLine,
  type Append,
  type ListMark,
} from './list-file';
import { encodeLostValue, encodeValueFile } from './value-file';

/** A list of more lines than this, with few elements in each, is written anew. */
const MANY_LINES = 512;
const FEW_ELEMENTS = 8;
/** Elements of a line that several appends have become. */
const LINE_ELEMENTS = 256;

/** Writes the files of values and lists, and their backups. */
export class FileWriter {
  readonly #reader: FileReader;
  readonly #check: () => Promise<void>;

  /** @param check rejects when nothing may be written any more */
  constructor(reader: FileReader, check: () => Promise<void>) {
    this.#reader = reader;
    this.#check = check;
  }

  /**
   * What is in the slot at this moment.
   *
   * @param folders is told of those that have to be synced for what was done to last
   */
  async flush(slot: Slot, folders: Set<string>): Promise<void> {
    const { state } = slot;
    if (state?.kind === 'value') await this.#writeValue(slot, state, folders);
    else if (state?.kind === 'list') await this.#writeList(slot, state, folders);
    else if (state === undefined) await this.#remove(slot, folders);
    else if (state.seq > (slot.file?.seq ?? 0)) await this.#writeLost(slot, state, folders);
  }

  /** Of a damaged journal, which is gone hereafter. */
  async #writeLost(slot: Slot, { seq, error }: DamagedState, folders: Set<string>): Promise<void> {
    const { partition, key } = slot;
    const generation = (slot.file?.generation ?? -1) + 1;
    const head = { partition, key, seq, generation, version: '', expiresAt: undefined };
    const bytes = encodeLostValue(head, error.message);
    await this.#replace(slot, 'value', bytes, folders);
    slot.file = { kind: 'value', seq, generation, bytes: bytes.length, isDamaged: true, list: undefined };
  }

  async #writeValue(slot: Slot, state: ValueState, folders: Set<string>): Promise<void> {
    const { content } = state;
    if (content === undefined) return;
    const { partition, key } = slot;
    const { seq, version, expiresAt } = state;
    const generation = (slot.file?.generation ?? -1) + 1;
    const bytes = encodeValueFile({ partition, key, seq, generation, version, expiresAt }, content);
    await this.#replace(slot, 'value', bytes, folders);
    slot.file = { kind: 'value', seq, generation, bytes: bytes.length, isDamaged: false, list: undefined };
    state.content = undefined;
  }

  async #writeList(slot: Slot, state: ListState, folders: Set<string>): Promise<void> {
    const { file } = slot;
    const list = file?.list?.id === state.id && !file.isDamaged ? file.list : undefined;
    const later = state.appends.filter(({ at }) => at >= (list?.length ?? 0));
    if (later.length === 0) return;
    if (file === undefined || list === undefined) await this.#writeWhole(slot, state, later, folders);
    else if (!isScattered(list, later) || !(await this.#compact(slot, state, folders)))
      await this.#append(slot, state, { file, list, later });
    // By now it may have grown.
    for (const one of [state, slot.state])
      if (one?.kind === 'list' && one.id === state.id)
        one.appends = one.appends.filter(({ at }) => at >= state.length);
  }

  async #append(
    slot: Slot,
    state: ListState,
    {
      file,
      list,
      later,
    }: { readonly file: FileState; readonly list: ListFileState; readonly later: Append[] },
  ): Promise<void> {
    const { layout, calls } = this.#reader;
    const marks = [...list.marks];
    const lines = encodeLines(later, list.endAt, marks);
    const end = Buffer.from(encodeListEnd(state.length));
    await calls.overwriteEnd(layout.fileOf(nameOf(slot), 'list'), Buffer.concat([lines, end]), list.endAt);
    const { id, seq, length } = state;
    const endAt = list.endAt + lines.length;
    slot.file = {
      ...{ ...file, seq, bytes: endAt + end.length },
      list: { id, length, endAt, marks, lines: list.lines + later.length, recent: list.recent },
    };
  }

  /** Resolves to whether it could be read. */
  async #compact(slot: Slot, state: ListState, folders: Set<string>): Promise<boolean> {
    const read = await this.#reader.elements(slot, state, 0, state.length);
    if (!('values' in read)) return false;
    const appends: Append[] = [];
    const { seq, expiresAt } = state;
    for (let at = 0; at < read.values.length; at += LINE_ELEMENTS) {
      const values = read.values.slice(at, at + LINE_ELEMENTS);
      const isLast = at + values.length === read.values.length;
      // Of all that have become one line, the head remembers what has to be remembered.
      appends.push({ seq, at, version: isLast ? state.version : '', expiresAt, values });
    }
    await this.#writeWhole(slot, state, appends, folders, state.recent.slice(1));
    return true;
  }

  async #writeWhole(
    slot: Slot,
    state: ListState,
    appends: readonly Append[],
    folders: Set<string>,
    recent: readonly string[] = state.recent.slice(appends.length),
  ): Promise<void> {
    const { partition, key } = slot;
    const { id, seq, length } = state;
    const generation = (slot.file?.generation ?? -1) + 1;
    const head = Buffer.from(encodeListHead({ partition, key, id, generation, recent }));
    const marks: ListMark[] = [];
    const lines = Buffer.concat([head, encodeLines(appends, head.length, marks)]);
    const bytes = Buffer.concat([lines, Buffer.from(encodeListEnd(length))]);
    await this.#replace(slot, 'list', bytes, folders);
    slot.file = {
      ...{ kind: 'list', seq, generation, bytes: bytes.length, isDamaged: false },
      list: { id, length, endAt: lines.length, marks, lines: appends.length, recent },
    };
  }

  async #replace(slot: Slot, kind: FileKind, bytes: Buffer, folders: Set<string>): Promise<void> {
    const { layout, calls } = this.#reader;
    const { file } = slot;
    const path = layout.fileOf(nameOf(slot), kind);
    const isKept = file !== undefined && !file.isDamaged;
    await calls.replace(path, bytes, async () => {
      // Writing it has taken its time.
      await this.#check();
      if (isKept) await this.#backUp(slot, file, folders);
      else if (file !== undefined) await this.#setAside(slot, kind, folders);
    });
    folders.add(dirname(path));
    // The other kind was there before.
    if (file !== undefined && file.kind !== kind)
      await calls.removeIfThere(layout.fileOf(nameOf(slot), file.kind));
  }

  async #backUp(slot: Slot, file: FileState, folders: Set<string>): Promise<void> {
    const { layout, calls, backupCount } = this.#reader;
    if (backupCount === 0) return;
    const from = layout.fileOf(nameOf(slot), file.kind);
    const to = layout.backupOf(nameOf(slot), file.kind, file.generation % backupCount);
    await calls.removeIfThere(to);
    try {
      await calls.system.link(from, to);
    } catch (error) {
      // Someone has taken it away, and it is about to be there again.
      if (errorCode(error) === 'ENOENT') return;
      if (!calls.cannotLink(error)) throw error;
      const bytes = await calls.read(from);
      if (bytes !== undefined) await calls.createAnew(to, bytes);
    }
    folders.add(dirname(to));
  }

  /** What somebody did to a file may be what he wanted: it is not a sound one, but it is not thrown away. */
  async #setAside(slot: Slot, kind: FileKind, folders: Set<string>): Promise<void> {
    const { layout, calls } = this.#reader;
    const bytes = await calls.read(layout.fileOf(nameOf(slot), kind));
    if (bytes === undefined) return;
    const to = layout.damagedOf(nameOf(slot), kind);
    await calls.makeFolder(layout.damaged);
    await calls.removeIfThere(to);
    await calls.createAnew(to, bytes);
    folders.add(layout.damaged);
  }

  async #remove(slot: Slot, folders: Set<string>): Promise<void> {
    const { layout, calls, backupCount } = this.#reader;
    const { file } = slot;
    if (file === undefined) return;
    for (const kind of ['value', 'list'] as const) {
      if (file.kind !== kind && file.generation === 0) continue;
      const path = layout.fileOf(nameOf(slot), kind);
      if (await calls.removeIfThere(path)) folders.add(dirname(path));
      for (let at = 0; at < Math.min(file.generation, backupCount); at += 1)
        if (await calls.removeIfThere(layout.backupOf(nameOf(slot), kind, at)))
          folders.add(dirname(layout.backupOf(nameOf(slot), kind, at)));
    }
    slot.file = undefined;
  }
}

/** Together they may be longer than a text can be. */
function encodeLines(appends: readonly Append[], offset: number, marks: ListMark[]): Buffer {
  let at = offset;
  const lines = appends.map((append) => {
    markLine(marks, append.at, at);
    const line = Buffer.from(encodeAppend(append));
    at += line.length;
    return line;
  });
  return Buffer.concat(lines);
}

function isScattered({ lines, length }: ListFileState, later: readonly Append[]): boolean {
  const newLines = lines + later.length;
  return newLines > MANY_LINES && length / newLines < FEW_ELEMENTS;
}
