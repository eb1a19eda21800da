import type { Address } from '../../backend';
import type { StoredValue } from '../../driver';
import type { FileCalls } from './file-calls';
import { nameOf, type FileKind } from './file-names';
import type { ListState, Slot, State, ValueState } from './file-table';
import {
  decodeListFile,
  decodeListHead,
  decodeListLines,
  encodeListEnd,
  recentOf,
  type ReadList,
} from './list-file';
import type { FolderLayout } from './folder-layout';
import { decodeValueFile } from './value-file';

export interface FoundState extends Address {
  readonly generation: number;
  readonly state: State;
}

export interface Restored extends FoundState {
  readonly path: string;
}

/** Reads what is in the files of values and lists. */
export class FileReader {
  constructor(
    readonly layout: FolderLayout,
    readonly calls: FileCalls,
    readonly backupCount: number,
  ) {}

  /** What is wrong, in words, when the file is not the one that this state is in. */
  async value(slot: Slot, state: ValueState): Promise<{ value: StoredValue } | { problem: string }> {
    const bytes = await this.calls.read(this.layout.fileOf(nameOf(slot), 'value'));
    if (bytes === undefined) return { problem: 'is not there any more' };
    const file = decodeValueFile(bytes);
    if (file === undefined) return { problem: 'is damaged' };
    const { head, value } = file;
    if (head.partition !== slot.partition || head.key !== slot.key) return { problem: 'is of another key' };
    return head.seq === state.seq ? { value } : { problem: 'is of another time' };
  }

  /** The elements of a list from `first` up to, and not including, `end`. Of its file it reads not much more. */
  async elements(
    slot: Slot,
    state: ListState,
    first: number,
    end: number,
  ): Promise<{ values: StoredValue[] } | { problem: string }> {
    const { file } = slot;
    const list = file?.list?.id === state.id && !file.isDamaged ? file.list : undefined;
    const inFile = list?.length ?? 0;
    const later = state.appends.filter(({ at }) => at >= inFile).flatMap(({ values }) => values);
    const fromMemory = later.slice(Math.max(first - inFile, 0), Math.max(end - inFile, 0));
    if (file === undefined || list === undefined || first >= inFile) return { values: fromMemory };
    const begin = list.marks.filter(({ at }) => at <= first).at(-1)!;
    const next = list.marks.find(({ at }) => at >= end) ?? { at: inFile, offset: list.endAt };
    // Where there is more, what comes behind is being written, or could not be.
    const hasEnd = next.at === inFile && later.length === 0;
    const places: readonly (readonly [from: number, to: number])[] = [
      [0, list.marks[0]!.offset],
      [begin.offset, next.offset],
      hasEnd ? [list.endAt, file.bytes] : [0, 0],
    ];
    const read = await this.calls.readParts(this.layout.fileOf(nameOf(slot), 'list'), places);
    if (read === undefined) return { problem: 'is not there any more' };
    const [headBytes, lines, endBytes] = read.parts as [Buffer, Buffer, Buffer];
    const head = decodeListHead(headBytes);
    if (head === undefined) return { problem: 'is damaged' };
    if (head.partition !== slot.partition || head.key !== slot.key) return { problem: 'is of another key' };
    if (head.id !== state.id || head.generation !== file.generation) return { problem: 'is of another time' };
    const isWhole =
      !hasEnd || (read.size === file.bytes && endBytes.equals(Buffer.from(encodeListEnd(inFile))));
    const values = decodeListLines(lines, begin.at);
    if (!isWhole || values?.length !== next.at - begin.at) return { problem: 'is damaged' };
    return { values: values.slice(first - begin.at, end - begin.at).concat(fromMemory) };
  }

  /** The sound beginning of a list whose file is damaged, where it is still that list's. */
  async soundBeginning(slot: Slot, { id }: ListState): Promise<Restored | undefined> {
    const path = this.layout.fileOf(nameOf(slot), 'list');
    const bytes = await this.calls.read(path);
    const read = bytes && decodeListFile(bytes);
    const found = read && stateOfList(read);
    if (found?.state.id !== id || found.partition !== slot.partition || found.key !== slot.key)
      return undefined;
    return { path, ...found };
  }

  /** The newest sound backup of a file of that name. */
  async backup(name: string): Promise<Restored | undefined> {
    let newest: Restored | undefined;
    for (const kind of ['value', 'list'] as const) {
      for (let at = 0; at < this.backupCount; at += 1) {
        const path = this.layout.backupOf(name, kind, at);
        const bytes = await this.calls.read(path).catch(() => undefined);
        const found = bytes && readState(bytes, kind);
        if (found === undefined || nameOf(found) !== name) continue;
        if (found.state.seq > (newest?.state.seq ?? -1)) newest = { path, ...found };
      }
    }
    return newest;
  }
}

/** The address and the state that a whole file holds. */
export function readState(bytes: Buffer, kind: FileKind): FoundState | undefined {
  return kind === 'value' ? valueState(bytes) : listState(bytes);
}

function valueState(bytes: Buffer): FoundState | undefined {
  const file = decodeValueFile(bytes);
  if (file === undefined) return undefined;
  const { partition, key, generation, seq, version, expiresAt } = file.head;
  return {
    ...{ partition, key, generation },
    state: { kind: 'value', seq, version, expiresAt, content: file.value },
  };
}

function listState(bytes: Buffer): FoundState | undefined {
  const file = decodeListFile(bytes);
  return file?.isWhole === true ? stateOfList(file) : undefined;
}

function stateOfList(file: ReadList): (FoundState & { readonly state: ListState }) | undefined {
  const last = file.appends.at(-1);
  if (last === undefined) return undefined;
  const { partition, key, generation, id, recent } = file.head;
  const { seq, version, expiresAt } = last;
  const state: ListState = {
    ...{ kind: 'list', seq, version, expiresAt, id, length: file.values.length },
    ...{ recent: recentOf(recent, file.appends), appends: file.appends },
  };
  return { partition, key, generation, state };
}

/** Whether it has more of this list. */
export function isLonger({ state }: Restored, { id, length }: ListState): boolean {
  return state.kind === 'list' && state.id === id && state.length > length;
}
