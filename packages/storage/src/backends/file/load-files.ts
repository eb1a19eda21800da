import { join } from 'node:path';
import type { Address } from '../../backend';
import { corrupt, elementsOf, isNoFile, type DamageReport } from './file-damage';
import { addressOf, isTemporary, nameOf, readFileName, type FileKind } from './file-names';
import type { FileReader } from './file-reader';
import type { FolderEntry } from './file-system';
import type { FileState, FileTable, ListState, State } from './file-table';
import { decodeListFile, recentOf } from './list-file';
import { decodeValueFile, MAX_HEAD_BYTES, readValueHead } from './value-file';

const START_BYTES = 4_096;
const AT_ONCE = 16;

interface Found {
  readonly partition: string;
  readonly key: string;
  readonly state: State;
  readonly file: FileState;
  /** The end is missing; the journal may have it. */
  readonly isTorn: boolean;
  readonly toldLength?: number | undefined;
}

export interface TornList extends Address {
  /** What is sound of it. */
  readonly state: ListState;
  /** How long it was, as its file says. */
  readonly toldLength: number | undefined;
}

export interface LoadedFiles {
  /** Names of damaged files of which not even the key is known. */
  readonly unknown: ReadonlySet<string>;
  /** Lists whose end has to come from the journal. */
  readonly torn: readonly TornList[];
}

/** Fills the table with what is in the files, and removes what was left half written. */
export async function loadFiles(
  reader: FileReader,
  table: FileTable,
  report: DamageReport,
): Promise<LoadedFiles> {
  const unknown = new Set<string>();
  const torn: TornList[] = [];
  for (const shard of reader.layout.shards) {
    const folder = join(reader.layout.values, shard);
    const entries = (await reader.calls.system.list(folder)).values();
    const work = async (): Promise<void> => {
      for (const entry of entries) await loadEntry(folder, entry);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }
  return { unknown, torn };

  async function loadEntry(folder: string, entry: FolderEntry): Promise<void> {
    const path = join(folder, entry.name);
    if (isTemporary(entry.name) && entry.kind !== 'folder') {
      await reader.calls.removeIfThere(path);
      return;
    }
    const file = readFileName(entry.name);
    if (file === undefined) return;
    const found = entry.kind === 'file' ? await readFile(path, file, reader) : isNoFile(entry.kind);
    if (typeof found === 'string') {
      await loadDamaged(path, file, found);
      return;
    }
    await put(found);
    const { partition, key, state, isTorn, toldLength } = found;
    if (isTorn && state.kind === 'list') torn.push({ partition, key, state, toldLength });
  }

  async function put(found: Found): Promise<void> {
    const slot = table.findOrAdd(found);
    const other = slot.file;
    if (other !== undefined && other.seq > found.file.seq) {
      // Replaced by the other kind, and the process ended before it could be removed.
      await reader.calls.removeIfThere(reader.layout.fileOf(nameOf(found), found.file.kind));
      return;
    }
    table.put(slot, found.state, found.file.seq);
    slot.file = found.file;
    if (other !== undefined && other.kind !== found.file.kind)
      await reader.calls.removeIfThere(reader.layout.fileOf(nameOf(found), other.kind));
  }

  async function loadDamaged(
    path: string,
    { name, kind }: { readonly name: string; readonly kind: FileKind },
    problem: string,
  ): Promise<void> {
    const backup = await reader.backup(name);
    const address = backup ?? addressOf(name);
    if (address === undefined) {
      unknown.add(name);
      report.add({ path, problem });
      return;
    }
    const { partition, key } = address;
    const generation = (backup?.generation ?? reader.backupCount) + 1;
    const seq = backup?.state.seq ?? 0;
    const state: State = backup?.state ?? {
      ...{ kind: 'damaged', seq, version: '', expiresAt: undefined, error: corrupt(path, problem) },
    };
    const restored = backup && { restoredFrom: backup.path, ...elementsOf(backup.state, undefined) };
    report.add({ path, problem, partition, key, ...restored });
    const file = { kind, seq, generation, bytes: 0, isDamaged: true, list: undefined };
    const slot = table.findOrAdd(address);
    if (slot.file !== undefined && slot.file.seq > seq) return;
    table.put(slot, state, seq);
    slot.file = file;
  }
}

async function readFile(
  path: string,
  { name, kind }: { readonly name: string; readonly kind: FileKind },
  reader: FileReader,
): Promise<Found | string> {
  const found = kind === 'value' ? await readValue(path, reader) : await readList(path, reader);
  if (found === undefined) return 'is damaged';
  return nameOf(found) === name ? found : 'is of another key';
}

async function readValue(path: string, { calls }: FileReader): Promise<Found | undefined> {
  let start = await calls.readStart(path, START_BYTES);
  let head = start && readValueHead(start.bytes);
  if (head === undefined && start !== undefined && start.size > START_BYTES) {
    start = await calls.readStart(path, MAX_HEAD_BYTES);
    head = start && readValueHead(start.bytes);
  }
  if (start === undefined || head === undefined) return undefined;
  const { bytes, size } = start;
  // What is there already is looked at as a whole.
  if (size === bytes.length && decodeValueFile(bytes) === undefined) return undefined;
  const { partition, key, seq, generation, version, expiresAt } = head;
  return {
    ...{ partition, key, isTorn: false },
    state: { kind: 'value', seq, version, expiresAt, content: undefined },
    file: { kind: 'value', seq, generation, bytes: size, isDamaged: false, list: undefined },
  };
}

async function readList(path: string, { calls }: FileReader): Promise<Found | undefined> {
  const bytes = await calls.read(path);
  const read = bytes && decodeListFile(bytes);
  const last = read?.appends.at(-1);
  if (bytes === undefined || read === undefined || last === undefined) return undefined;
  const { partition, key, id, generation, recent } = read.head;
  const { seq, version, expiresAt } = last;
  const { length } = read.values;
  const lines = read.appends.length;
  return {
    ...{ partition, key, isTorn: !read.isWhole, toldLength: read.toldLength },
    state: {
      ...{ kind: 'list', seq, version, expiresAt, id, length, appends: [] },
      recent: recentOf(recent, read.appends),
    },
    file: {
      ...{ kind: 'list', seq, generation, bytes: bytes.length, isDamaged: false },
      list: { id, length, recent, lines, marks: read.marks, endAt: read.endAt },
    },
  };
}
