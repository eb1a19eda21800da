import type { DriverWrite, Verdict } from '../../driver';
import { StorageError } from '../../errors';
import { stateAfter } from './apply-change';
import { decideWrite, type Decision } from './decide-write';
import type { FileStore } from './file-store';
import { liveState, type Slot } from './file-table';
import { encodeChanges } from './journal-line';

interface Decided extends Decision {
  readonly slot: Slot;
}

const MIB = 2 ** 20;
/** What is written behind the journal may lag by so much; then writes wait for it. */
const MAX_JOURNAL_BYTES = 64 * MIB;

/** Decides writes in memory, at once and in their order, and answers when the journal has them. */
export class FileWrites {
  readonly #store: FileStore;
  readonly #slotOf: (write: DriverWrite) => Slot;
  #room: Promise<void> | undefined;

  constructor(store: FileStore, slotOf: (write: DriverWrite) => Slot) {
    this.#store = store;
    this.#slotOf = slotOf;
  }

  async write(write: DriverWrite, now: number): Promise<Verdict> {
    while (this.#isFull) await this.#makeRoom();
    const decided = this.#decide(write, now);
    await this.#make([decided]);
    return decided.verdict;
  }

  async batch(writes: readonly DriverWrite[], now: number): Promise<(Verdict | Error)[]> {
    return Promise.all(
      writes.map(async (write) => {
        try {
          while (this.#isFull) await this.#makeRoom();
          const decided = this.#decide(write, now);
          await this.#make([decided]);
          return decided.verdict;
        } catch (error) {
          return error as Error;
        }
      }),
    );
  }

  async transact(writes: readonly DriverWrite[], now: number): Promise<Verdict[]> {
    while (this.#isFull) await this.#makeRoom();
    const decided = writes.map((write) => this.#decide(write, now));
    const refused = decided.filter(({ verdict }) => REFUSALS.has(verdict.status));
    const made = refused.length > 0 ? refused : decided;
    await this.#make(refused.length > 0 ? refused.map(({ slot, verdict }) => ({ slot, verdict })) : decided);
    return made.map(({ verdict }) => verdict);
  }

  /** Deletes what has expired, and resolves to how many that were. */
  async sweep(limit: number, now: number): Promise<number> {
    const { table } = this.#store;
    const made: Promise<void>[] = [];
    while (made.length < limit) {
      const slot = table.expiries.take(now);
      if (slot === undefined) break;
      const { partition, key } = slot;
      made.push(
        this.#make([{ slot, verdict: { status: 'deleted' }, change: { type: 'delete', partition, key } }]),
      );
    }
    await Promise.all(made);
    return made.length;
  }

  #decide(write: DriverWrite, now: number): Decided {
    const slot = this.#slotOf(write);
    return { slot, ...decideWrite(write, liveState(slot, now)) };
  }

  /** At once in memory; resolves when it, and what it was decided upon, is on the disk. */
  async #make(decided: readonly Decided[]): Promise<void> {
    const { table, journal, checkpointer } = this.#store;
    const undo: (() => void)[] = [];
    const upon = Math.max(...decided.map(({ slot }) => slot.seq));
    const changed = decided.flatMap(({ slot, change }) => (change === undefined ? [] : [{ slot, change }]));
    if (changed.length === 0) {
      for (const { slot } of decided) if (slot.state === undefined) checkpointer.forget(slot);
      await journal.settled(upon);
      await journal.certain();
      return;
    }
    const seq = journal.nextSeq();
    const line = this.#encode(seq, decided);
    for (const { slot, change } of changed) {
      const { state, seq: before } = slot;
      undo.push(() => table.put(slot, state, before));
      table.put(slot, stateAfter(change, seq, state), seq);
      checkpointer.add(slot);
    }
    await journal.append(seq, line, () => {
      for (const step of undo.reverse()) step();
    });
  }

  /** Before anything is changed: it may be too large. */
  #encode(seq: number, decided: readonly Decided[]): Buffer {
    try {
      return encodeChanges(
        seq,
        decided.flatMap(({ change }) => change ?? []),
      );
    } catch (error) {
      for (const { slot } of decided) this.#store.checkpointer.forget(slot);
      throw error;
    }
  }

  /** Looked at right before a write is decided, as others wait too. */
  get #isFull(): boolean {
    return this.#room !== undefined || this.#store.journal.bytes >= MAX_JOURNAL_BYTES;
  }

  async #makeRoom(): Promise<void> {
    const { checkpointer } = this.#store;
    this.#room ??= checkpointer.run().finally(() => {
      this.#room = undefined;
    });
    try {
      await this.#room;
    } catch (cause) {
      throw new StorageError(
        'CAPACITY_EXCEEDED',
        'The journal is full, since what it holds cannot be written to its files. See the cause.',
        { cause },
      );
    }
  }
}

const REFUSALS: ReadonlySet<Verdict['status']> = new Set(['exists', 'conflict', 'wrong-type']);
