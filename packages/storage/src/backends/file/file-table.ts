import type { Address } from '../../backend';
import type { StoredValue } from '../../driver';
import type { StorageError } from '../../errors';
import { ExpiryHeap } from '../../expiry-heap';
import { SortedKeys, toByteKey } from '../../sorted-keys';
import type { Append, ListMark } from './list-file';

/** What is under a key, as of one write. It is never changed, only what has reached its file is let go of. */
export type State = ValueState | ListState | DamagedState;

interface StateHead {
  readonly seq: number;
  readonly version: string;
  readonly expiresAt: number | undefined;
}

export interface ValueState extends StateHead {
  readonly kind: 'value';
  /** Absent: it is in the file. */
  content: StoredValue | undefined;
}

export interface ListState extends StateHead {
  readonly kind: 'list';
  readonly id: number;
  readonly length: number;
  readonly recent: readonly string[];
  /** At least those that are not in the file. */
  appends: readonly Append[];
}

/** Something was written, and it cannot be read. */
export interface DamagedState extends StateHead {
  readonly kind: 'damaged';
  readonly error: StorageError;
}

/** What the disk has. */
export interface FileState {
  readonly kind: 'value' | 'list';
  readonly seq: number;
  readonly generation: number;
  readonly bytes: number;
  /** Not worth a backup. */
  readonly isDamaged: boolean;
  readonly list: ListFileState | undefined;
}

/** Of a file that is gone or unreadable, where any of its backups may be there. */
export function removedFile(backupCount: number): FileState {
  const generation = backupCount + 1;
  return { kind: 'value', seq: 0, generation, bytes: 0, isDamaged: true, list: undefined };
}

export interface ListFileState {
  readonly id: number;
  readonly length: number;
  /** Of the head: what a rewritten file remembers. */
  readonly recent: readonly string[];
  readonly lines: number;
  readonly marks: readonly ListMark[];
  /** Where the next line goes. */
  readonly endAt: number;
}

/** All that is known of one address: while there is something, or a write has not reached the files. */
export class Slot implements Address {
  state: State | undefined;
  /** Of the last write, a delete too. */
  seq = 0;
  file: FileState | undefined;

  constructor(
    readonly partition: string,
    readonly key: string,
  ) {}

  get expiresAt(): number | undefined {
    return this.state?.expiresAt;
  }
}

interface Partition {
  readonly slots: Map<string, Slot>;
  readonly order: SortedKeys;
}

/** What is where, in memory; values stay on the disk. */
export class FileTable {
  readonly partitions = new Map<string, Partition>();
  readonly partitionOrder = new SortedKeys();
  readonly expiries = new ExpiryHeap<Slot>();
  /** Slots that hold something. */
  items = 0;

  find({ partition, key }: Address): Slot | undefined {
    return this.partitions.get(partition)?.slots.get(key);
  }

  findOrAdd({ partition, key }: Address): Slot {
    let home = this.partitions.get(partition);
    if (home === undefined) {
      home = { slots: new Map(), order: new SortedKeys() };
      this.partitions.set(partition, home);
      this.partitionOrder.add(toByteKey(partition));
    }
    let slot = home.slots.get(key);
    if (slot === undefined) {
      slot = new Slot(partition, key);
      home.slots.set(key, slot);
      home.order.add(toByteKey(key));
    }
    return slot;
  }

  put(slot: Slot, state: State | undefined, seq: number): void {
    this.items += Number(state !== undefined) - Number(slot.state !== undefined);
    slot.state = state;
    slot.seq = seq;
    if (state?.expiresAt === undefined) return;
    this.expiries.add(slot);
    if (this.expiries.size > 2 * this.items + 1_000) this.expiries.compact(this.all());
  }

  /** Forgets a slot that stands for nothing any more. */
  drop(slot: Slot): void {
    const home = this.partitions.get(slot.partition);
    if (home?.slots.get(slot.key) !== slot || slot.state !== undefined) return;
    home.slots.delete(slot.key);
    home.order.delete(toByteKey(slot.key));
    if (home.slots.size > 0) return;
    this.partitions.delete(slot.partition);
    this.partitionOrder.delete(toByteKey(slot.partition));
  }

  *all(): Generator<Slot> {
    for (const { slots } of this.partitions.values()) yield* slots.values();
  }
}

/** What is visible at `now`. */
export function liveState(slot: Slot | undefined, now: number): State | undefined {
  const state = slot?.state;
  return state?.expiresAt !== undefined && state.expiresAt <= now ? undefined : state;
}
