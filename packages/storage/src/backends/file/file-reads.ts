import type { StoredItem, StoredRange, StoredValue } from '../../driver';
import { errorCode } from '../../errors';
import { corrupt, elementsOf } from './file-damage';
import { nameOf } from './file-names';
import { isLonger, type Restored } from './file-reader';
import type { FileStore } from './file-store';
import {
  liveState,
  type FileState,
  type ListState,
  type Slot,
  type State,
  type ValueState,
} from './file-table';

/** Reads what a slot holds, and puts a backup in the place of what is damaged. */
export class FileReads {
  readonly #store: FileStore;
  readonly #restoring = new Map<Slot, Promise<void>>();

  constructor(store: FileStore) {
    this.#store = store;
  }

  /** What is visible in each of them. A write that is under way is waited for: it may yet fail. */
  async states(slots: readonly Slot[], now: number): Promise<readonly (State | undefined)[]> {
    return await this.#store.journal.whenSettled(slots, () => slots.map((slot) => liveState(slot, now)));
  }

  async item(slot: Slot, now: number): Promise<StoredItem | undefined> {
    for (;;) {
      const [state] = await this.states([slot], now);
      if (state === undefined) return undefined;
      if (state.kind === 'damaged') throw state.error;
      const { key } = slot;
      const { version, expiresAt } = state;
      if (state.kind === 'list') return { key, value: undefined, version, expiresAt };
      const value = state.content ?? (await this.#value(slot, state));
      if (value !== undefined) return { key, value, version, expiresAt };
    }
  }

  /** Elements between two places, both included; negative ones count from the end. */
  async range(slot: Slot, start: number, end: number, now: number): Promise<StoredRange> {
    for (;;) {
      const [state] = await this.states([slot], now);
      if (state === undefined) return { values: [] };
      if (state.kind === 'damaged') throw state.error;
      if (state.kind === 'value') return 'wrong-type';
      const { length } = state;
      const first = start < 0 ? Math.max(length + start, 0) : start;
      const last = Math.min(end < 0 ? length + end : end, length - 1);
      if (last < first) return { values: [] };
      const values = await this.#values(slot, state, first, last + 1);
      if (values !== undefined) return { values };
    }
  }

  /** `undefined`: there is another state by now. */
  async #value(slot: Slot, state: ValueState): Promise<StoredValue | undefined> {
    const { file } = slot;
    const read = await this.#store.reader.value(slot, state).catch(problemOfLink);
    if ('value' in read) return read.value;
    await this.#restore(slot, state, file, read.problem);
    return undefined;
  }

  async #values(
    slot: Slot,
    state: ListState,
    first: number,
    end: number,
  ): Promise<StoredValue[] | undefined> {
    const { file } = slot;
    const read = await this.#store.reader.elements(slot, state, first, end).catch(problemOfLink);
    if ('values' in read) return read.values;
    await this.#restore(slot, state, file, read.problem);
    return undefined;
  }

  async #restore(slot: Slot, state: State, file: FileState | undefined, problem: string): Promise<void> {
    let restoring = this.#restoring.get(slot);
    if (restoring === undefined) {
      restoring = this.#putBackup(slot, state, file, problem).finally(() => this.#restoring.delete(slot));
      this.#restoring.set(slot, restoring);
    }
    await restoring;
  }

  async #putBackup(slot: Slot, state: State, file: FileState | undefined, problem: string): Promise<void> {
    const { reader, table, report, checkpointer } = this.#store;
    // What was read may have been replaced already, and noted only now.
    await checkpointer.idle();
    const isCurrent = (): boolean => slot.state === state && slot.file === file;
    if (file === undefined || !isCurrent()) return;
    const found = await this.#best(slot, state);
    if (!isCurrent()) return;
    const { partition, key, seq } = slot;
    const path = reader.layout.fileOf(nameOf(slot), file.kind);
    const before = state.kind === 'list' ? state.length : undefined;
    const restored = found && { restoredFrom: found.path, ...elementsOf(found.state, before) };
    report.add({ path, problem, partition, key, ...restored });
    slot.file = { ...file, isDamaged: true };
    const error = corrupt(path, problem);
    table.put(slot, found?.state ?? { kind: 'damaged', seq, version: '', expiresAt: undefined, error }, seq);
    checkpointer.add(slot);
  }

  /** The newest backup, or of a list what is sound of it, where every backup has less. */
  async #best(slot: Slot, state: State): Promise<Restored | undefined> {
    const { reader } = this.#store;
    const backup = await reader.backup(nameOf(slot));
    if (backup === undefined || state.kind !== 'list') return backup;
    const beginning = await reader.soundBeginning(slot, state).catch(withoutLink);
    const isMore = beginning?.state.kind === 'list' && !isLonger(backup, beginning.state);
    return isMore ? beginning : backup;
  }
}

function withoutLink(error: unknown): undefined {
  if (errorCode(error) !== 'ELOOP') throw error;
}

function problemOfLink(error: unknown): { readonly problem: string } {
  if (errorCode(error) === 'ELOOP') return { problem: 'is a symbolic link, which is never followed' };
  throw error;
}
