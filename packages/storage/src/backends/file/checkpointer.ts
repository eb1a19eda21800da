import { dirname } from 'node:path';
import { errorCode } from '../../errors';
import type { FileCalls } from './file-calls';
import { nameOf, type FileKind } from './file-names';
import type { FileState, FileTable, ListState, Slot, ValueState } from './file-table';
import type { FolderLayout } from './folder-layout';
import type { Journal } from './journal';
import { encodeAppend, encodeListEnd, encodeListHead, type Append } from './list-file';
import { encodeValueFile } from './value-file';

export interface CheckpointerOptions {
  readonly layout: FolderLayout;
  readonly calls: FileCalls;
  readonly table: FileTable;
  readonly journal: Journal;
  readonly backupCount: number;
  readonly onError: (error: unknown) => void;
}

/** Of Node's four threads for files, one is left to the journal. */
const AT_ONCE = 3;
/** What is written again within this time is written to its file once. */
const PAUSE_MS = 500;
const RETRY_MS = 2_000;

/** Brings what is in the journal to the files of values and lists, and then lets go of the journal. */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  #dirty = new Set<Slot>();
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
  }

  add(slot: Slot): void {
    this.#dirty.add(slot);
    this.#plan(PAUSE_MS);
  }

  /** Resolves when what was written before is in its files. */
  async run(): Promise<void> {
    await this.idle();
    this.#running ??= this.#checkpoint().finally(() => {
      this.#running = undefined;
      if (this.#dirty.size > 0) this.#plan(RETRY_MS);
    });
    await this.#running;
  }

  /** Resolves when nothing is being written to files of values. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  /** What cannot be brought to its file now stays in the journal for the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.run().catch(this.#options.onError);
  }

  #plan(pauseMs: number): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.run().catch(this.#options.onError);
    }, pauseMs);
    this.#timer.unref();
  }

  async #checkpoint(): Promise<void> {
    const { journal, calls } = this.#options;
    const segments = await journal.seal();
    const slots = [...this.#dirty];
    this.#dirty = new Set();
    const folders = new Set<string>();
    const failures: unknown[] = [];
    const waiting = slots.values();
    const work = async (): Promise<void> => {
      for (const slot of waiting) {
        try {
          await this.#flush(slot, folders);
        } catch (error) {
          this.#dirty.add(slot);
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    try {
      for (const folder of folders) await calls.syncFolder(folder);
      if (failures.length === 0) await journal.remove(segments);
    } catch (error) {
      for (const slot of slots) this.#dirty.add(slot);
      throw error;
    }
    if (failures.length > 0) throw failures[0];
    for (const slot of slots) this.forget(slot);
  }

  /** Drops a slot that stands for nothing. */
  forget(slot: Slot): void {
    const isGone = slot.state === undefined && slot.file === undefined && !this.#dirty.has(slot);
    if (isGone) this.#options.table.drop(slot);
  }

  async #flush(slot: Slot, folders: Set<string>): Promise<void> {
    const { journal } = this.#options;
    // What is not in the journal for good may yet be undone.
    while (slot.seq > journal.syncedSeq) await journal.settled(slot.seq).catch(() => undefined);
    const { state } = slot;
    if (state?.kind === 'value' && state.content !== undefined) await this.#writeValue(slot, state, folders);
    else if (state?.kind === 'list') await this.#writeList(slot, state, folders);
    else if (state === undefined) await this.#remove(slot, folders);
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
    const { layout, calls } = this.#options;
    const { file } = slot;
    const { appends } = state;
    const list = file?.list?.id === state.id && !file.isDamaged ? file.list : undefined;
    const later = appends.filter(({ at }) => at >= (list?.length ?? 0));
    if (later.length === 0) return;
    let bytes = Buffer.from(later.map(encodeAppend).join(''));
    const end = Buffer.from(encodeListEnd(state.length));
    if (file !== undefined && list !== undefined) {
      await calls.overwriteEnd(layout.fileOf(nameOf(slot), 'list'), Buffer.concat([bytes, end]), list.endAt);
      slot.file = listFile(state, file.generation, list.endAt + bytes.length, list.recent, {
        lines: list.lines + later.length,
        endBytes: end.length,
      });
    } else {
      const { partition, key } = slot;
      const generation = (file?.generation ?? -1) + 1;
      const head = encodeListHead({ partition, key, id: state.id, generation, recent: [] });
      bytes = Buffer.concat([Buffer.from(head), bytes]);
      await this.#replace(slot, 'list', Buffer.concat([bytes, end]), folders);
      slot.file = listFile(state, generation, bytes.length, [], {
        lines: later.length,
        endBytes: end.length,
      });
    }
    // By now it may have grown.
    for (const one of [state, slot.state])
      if (one?.kind === 'list' && one.id === state.id) one.appends = without(one.appends, state.length);
  }

  async #replace(slot: Slot, kind: FileKind, bytes: Buffer, folders: Set<string>): Promise<void> {
    const { layout, calls } = this.#options;
    const { file } = slot;
    const path = layout.fileOf(nameOf(slot), kind);
    const isKept = file !== undefined && !file.isDamaged;
    await calls.replace(path, bytes, async () => {
      if (isKept) await this.#backUp(slot, file, folders);
    });
    folders.add(dirname(path));
    // The other kind was there before.
    if (file !== undefined && file.kind !== kind)
      await calls.removeIfThere(layout.fileOf(nameOf(slot), file.kind));
  }

  async #backUp(slot: Slot, file: FileState, folders: Set<string>): Promise<void> {
    const { layout, calls, backupCount } = this.#options;
    if (backupCount === 0) return;
    const from = layout.fileOf(nameOf(slot), file.kind);
    const to = layout.backupOf(nameOf(slot), file.kind, file.generation % backupCount);
    await calls.removeIfThere(to);
    try {
      await calls.system.link(from, to);
    } catch (error) {
      if (!CANNOT_LINK.has(errorCode(error))) throw error;
      const bytes = await calls.read(from);
      if (bytes !== undefined) await calls.createAnew(to, bytes);
    }
    folders.add(dirname(to));
  }

  async #remove(slot: Slot, folders: Set<string>): Promise<void> {
    const { layout, calls, backupCount } = this.#options;
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

const CANNOT_LINK: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'EMLINK',
  'EXDEV',
]);

function listFile(
  { id, seq, length }: ListState,
  generation: number,
  endAt: number,
  recent: readonly string[],
  { lines, endBytes }: { readonly lines: number; readonly endBytes: number },
): FileState {
  const list = { id, length, recent, lines, endAt };
  return { kind: 'list', seq, generation, bytes: endAt + endBytes, isDamaged: false, list };
}

function without(appends: readonly Append[], length: number): readonly Append[] {
  return appends.filter(({ at }) => at >= length);
}
