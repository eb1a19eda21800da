import type { StoredValue } from '../../driver';
import { ExpiryHeap } from '../../expiry-heap';
import { SortedKeys, toByteKey } from '../../sorted-keys';

export interface Entry {
  readonly partition: string;
  readonly key: string;
  /** Of partition and key. */
  readonly nameBytes: number;
  /** A list's elements, or one value. */
  content: StoredValue | StoredValue[];
  version: string;
  expiresAt: number | undefined;
  bytes: number;
  /** Of a list: the versions of its last appends. */
  recent: readonly string[];
  older: Entry | undefined;
  newer: Entry | undefined;
}

const NONE: readonly string[] = [];

interface Partition {
  readonly entries: Map<string, Entry>;
  readonly order: SortedKeys;
}

/** The entries with what is needed to find them: by key, in order, by expiry, by last use; and their measured size. */
export class MemoryTable {
  readonly partitions = new Map<string, Partition>();
  readonly partitionOrder = new SortedKeys();
  readonly expiries = new ExpiryHeap<Entry>();
  items = 0;
  bytes = 0;
  #oldest: Entry | undefined;
  #newest: Entry | undefined;

  find(partition: string, key: string): Entry | undefined {
    return this.partitions.get(partition)?.entries.get(key);
  }

  /** As `find`, and invisible means absent. */
  findLive(partition: string, key: string, now: number): Entry | undefined {
    const entry = this.partitions.get(partition)?.entries.get(key);
    return entry !== undefined && isLive(entry, now) ? entry : undefined;
  }

  put(entry: Entry): void {
    const { partition, key } = entry;
    let home = this.partitions.get(partition);
    if (home === undefined) {
      home = { entries: new Map(), order: new SortedKeys() };
      this.partitions.set(partition, home);
      this.partitionOrder.add(toByteKey(partition));
    }
    const former = home.entries.get(key);
    if (former === undefined) home.order.add(toByteKey(key));
    else this.#release(former);
    home.entries.set(key, entry);
    this.items += 1;
    this.bytes += entry.bytes;
    this.#link(entry);
    this.noteExpiry(entry);
  }

  /** As `put` of another under the same key, for less. */
  replace(entry: Entry, content: StoredValue, head: Pick<Entry, 'version' | 'expiresAt' | 'bytes'>): void {
    this.bytes += head.bytes - entry.bytes;
    entry.content = content;
    entry.version = head.version;
    entry.expiresAt = head.expiresAt;
    entry.bytes = head.bytes;
    entry.recent = NONE;
    this.touch(entry);
    this.noteExpiry(entry);
  }

  remove(entry: Entry): void {
    const home = this.partitions.get(entry.partition);
    if (home?.entries.get(entry.key) !== entry) return;
    home.entries.delete(entry.key);
    home.order.delete(toByteKey(entry.key));
    if (home.entries.size === 0) {
      this.partitions.delete(entry.partition);
      this.partitionOrder.delete(toByteKey(entry.partition));
    }
    this.#release(entry);
  }

  noteExpiry(entry: Entry): void {
    if (entry.expiresAt === undefined) return;
    this.expiries.add(entry);
    if (this.expiries.size > 2 * this.items + 1_000) this.expiries.compact(this.#all());
  }

  grow(entry: Entry, bytes: number): void {
    entry.bytes += bytes;
    this.bytes += bytes;
  }

  touch(entry: Entry): void {
    if (entry === this.#newest) return;
    this.#unlink(entry);
    this.#link(entry);
  }

  get oldest(): Entry | undefined {
    return this.#oldest;
  }

  *#all(): Generator<Entry> {
    for (const { entries } of this.partitions.values()) yield* entries.values();
  }

  #release(entry: Entry): void {
    this.items -= 1;
    this.bytes -= entry.bytes;
    // What the heap of expiries still holds of it is passed over, and holds no value meanwhile.
    entry.expiresAt = undefined;
    entry.content = '';
    entry.recent = NONE;
    this.#unlink(entry);
  }

  #link(entry: Entry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest !== undefined) this.#newest.newer = entry;
    this.#newest = entry;
    this.#oldest ??= entry;
  }

  #unlink(entry: Entry): void {
    const { older, newer } = entry;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    // What is gone and still points to what came later keeps all of that until the next full collection.
    entry.older = undefined;
    entry.newer = undefined;
  }
}

export function isLive({ expiresAt }: Entry, now: number): boolean {
  return expiresAt === undefined || expiresAt > now;
}
