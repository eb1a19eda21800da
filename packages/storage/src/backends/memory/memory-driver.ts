import type { Address, BackendStats, Capabilities } from '../../backend';
import type { ByteRange } from '../../byte-range';
import type {
  AppendWrite,
  Driver,
  DriverPage,
  DriverScan,
  DriverWrite,
  SetWrite,
  StoredItem,
  StoredRange,
  StoredValue,
  Verdict,
} from '../../driver';
import { StorageError } from '../../errors';
import { matchesFilter, type JsonFilter } from '../../json-filter';
import type { JsonValue } from '../../json-value';
import { growthOf, sizeOf, sizeOfNames, sizeOfValue, sizeOfValues } from './memory-sizes';
import { isLive, MemoryTable, type Entry } from './memory-table';
import { fromByteKey } from '../../sorted-keys';

export interface MemoryLimits {
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly maxValueBytes: number;
  readonly whenFull: 'refuse' | 'evict';
}

/** How many appends a list remembers, so as to know one that comes again. */
const RECENT = 8;

/** How many values a query looks at in one go: some milliseconds' worth of parsing. */
const QUERY_STEP = 1_000;

/** Everything happens at once, so every step is atomic by itself. */
export class MemoryDriver implements Driver {
  readonly name = 'memory';
  readonly capabilities: Capabilities;
  readonly #limits: MemoryLimits;
  #table = new MemoryTable();
  #listeners = new Map<string, Set<(message: string) => void>>();

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
    this.capabilities = { transact: true, query: true, publish: true, maxValueBytes: limits.maxValueBytes };
  }

  open(): void {
    this.close();
  }

  close(): void {
    this.#table = new MemoryTable();
    this.#listeners = new Map();
  }

  get(partition: string, key: string, now: number): StoredItem | undefined {
    const entry = this.#use(partition, key, now);
    return entry && toStoredItem(entry);
  }

  getMany(addresses: readonly Address[], now: number): (StoredItem | undefined)[] {
    return addresses.map(({ partition, key }) => this.get(partition, key, now));
  }

  scan(partition: string, scan: DriverScan, now: number): DriverPage<StoredItem> {
    return this.#page(partition, scan, now, toStoredItem);
  }

  keys(partition: string, scan: DriverScan, now: number): DriverPage<string> {
    return this.#page(partition, scan, now, ({ key }) => key);
  }

  partitions(range: ByteRange, limit: number, now: number): DriverPage<string> {
    const items: string[] = [];
    for (const byteKey of this.#table.partitionOrder.within(range, false)) {
      const partition = fromByteKey(byteKey);
      if (!this.#holdsLive(partition, now)) continue;
      if (items.length === limit) return { items, hasMore: true };
      items.push(partition);
    }
    return { items, hasMore: false };
  }

  range(partition: string, key: string, start: number, end: number, now: number): StoredRange {
    const entry = this.#use(partition, key, now);
    if (entry === undefined) return { values: [] };
    if (!Array.isArray(entry.content)) return 'wrong-type';
    const { length } = entry.content;
    const first = start < 0 ? Math.max(length + start, 0) : start;
    const last = end < 0 ? length + end : end;
    return { values: last < first ? [] : entry.content.slice(first, last + 1) };
  }

  length(partition: string, key: string, now: number): number | undefined {
    const entry = this.#use(partition, key, now);
    if (entry === undefined) return 0;
    return Array.isArray(entry.content) ? entry.content.length : undefined;
  }

  write(write: DriverWrite, now: number): Verdict {
    const there = this.#table.findLive(write.partition, write.key, now);
    const refusal = refuse(write, there);
    if (refusal !== undefined) return refusal;
    // Almost always enough, and counting the bytes of long text takes a while.
    if (!this.#hasRoom(1, mostBytesOf(write))) this.#makeRoom([write], now);
    return this.#apply(write, there);
  }

  batch(writes: readonly DriverWrite[], now: number): (Verdict | Error)[] {
    return writes.map((write) => {
      try {
        return this.write(write, now);
      } catch (error) {
        return error as Error;
      }
    });
  }

  transact(writes: readonly DriverWrite[], now: number): Verdict[] {
    const refusals = writes.map((write) =>
      refuse(write, this.#table.findLive(write.partition, write.key, now)),
    );
    if (refusals.some((refusal) => refusal !== undefined))
      return refusals.filter((refusal) => refusal !== undefined);
    this.#makeRoom(writes, now);
    return writes.map((write) => this.#apply(write, this.#table.findLive(write.partition, write.key, now)));
  }

  query(
    partition: string,
    filter: JsonFilter,
    { from, to, limit, reverse }: DriverScan,
    now: number,
  ): DriverPage<StoredItem> {
    const items: StoredItem[] = [];
    let looked = 0;
    for (const byteKey of this.#table.partitions.get(partition)?.order.within({ from, to }, reverse) ?? []) {
      const entry = this.#table.findLive(partition, fromByteKey(byteKey), now);
      if (typeof entry?.content !== 'string') continue;
      const isFound = matchesFilter(JSON.parse(entry.content) as JsonValue, filter);
      if (isFound && items.length === limit) return { items, hasMore: true };
      if (isFound) items.push(toStoredItem(entry));
      looked += 1;
      if (looked === QUERY_STEP) return { items, hasMore: true, stoppedAt: entry.key };
    }
    return { items, hasMore: false };
  }

  publish(channel: string, message: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) queueMicrotask(() => listener(message));
  }

  subscribe(channel: string, listener: (message: string) => void): () => void {
    const listeners = this.#listeners;
    const those = listeners.get(channel) ?? new Set();
    listeners.set(channel, those.add(listener));
    return () => {
      those.delete(listener);
      if (those.size === 0 && listeners.get(channel) === those) listeners.delete(channel);
    };
  }

  sweep(limit: number, now: number): number {
    let swept = 0;
    for (; swept < limit; swept += 1) {
      const entry = this.#table.expiries.take(now);
      if (entry === undefined) break;
      this.#table.remove(entry);
    }
    return swept;
  }

  stats(now: number): BackendStats {
    let { items, bytes } = this.#table;
    for (const entry of new Set(this.#table.expiries.expired(now))) {
      items -= 1;
      bytes -= entry.bytes;
    }
    return { items, bytes, isCapped: false };
  }

  /** What is read by its key is not evicted before what is not. */
  #use(partition: string, key: string, now: number): Entry | undefined {
    const entry = this.#table.findLive(partition, key, now);
    if (entry !== undefined && this.#limits.whenFull === 'evict') this.#table.touch(entry);
    return entry;
  }

  #page<T>(
    partition: string,
    { from, to, limit, reverse }: DriverScan,
    now: number,
    convert: (entry: Entry) => T,
  ): DriverPage<T> {
    const home = this.#table.partitions.get(partition);
    const items: T[] = [];
    if (home === undefined) return { items, hasMore: false };
    for (const byteKey of home.order.within({ from, to }, reverse)) {
      const entry = home.entries.get(fromByteKey(byteKey));
      if (entry === undefined || !isLive(entry, now)) continue;
      if (items.length === limit) return { items, hasMore: true };
      items.push(convert(entry));
    }
    return { items, hasMore: false };
  }

  /** What nothing refuses, and for which there is room. */
  #apply(write: DriverWrite, there: Entry | undefined): Verdict {
    switch (write.type) {
      case 'delete':
        if (there === undefined) return { status: 'missing' };
        this.#table.remove(there);
        return { status: 'deleted' };
      case 'append':
        return { status: 'written', length: this.#append(write, there) };
      case 'set':
        if (there === undefined) this.#table.put(newEntry(write, write.value));
        else if (there.version !== write.version) {
          const { value, version, expiresAt } = write;
          this.#table.replace(there, value, {
            version,
            expiresAt,
            bytes: there.nameBytes + sizeOfValue(value),
          });
        }
        return { status: 'written' };
    }
  }

  #append(write: AppendWrite, there: Entry | undefined): number {
    const { values, version, expiresAt } = write;
    if (there === undefined) {
      this.#table.put(newEntry(write, [...values]));
      return values.length;
    }
    const content = there.content as StoredValue[];
    if (there.recent.includes(version)) return content.length;
    for (const value of values) content.push(value);
    this.#table.grow(there, sizeOfValues(values));
    this.#table.touch(there);
    there.version = version;
    there.recent = [version, ...there.recent.slice(0, RECENT - 1)];
    if (expiresAt !== undefined) {
      there.expiresAt = expiresAt;
      this.#table.noteExpiry(there);
    }
    return content.length;
  }

  #hasRoom(items: number, bytes: number): boolean {
    const { maxItems, maxBytes } = this.#limits;
    return this.#table.items + items <= maxItems && this.#table.bytes + bytes <= maxBytes;
  }

  /** For all of these writes together. What they are about is not evicted for them. */
  #makeRoom(writes: readonly DriverWrite[], now: number): void {
    const { maxItems, maxBytes, whenFull } = this.#limits;
    if (
      this.#hasRoom(
        writes.length,
        writes.reduce((sum, write) => sum + mostBytesOf(write), 0),
      )
    )
      return;
    const find = (): Entry[] =>
      writes.flatMap(({ partition, key }) => this.#table.find(partition, key) ?? []);
    const measure = (): { items: number; bytes: number } => {
      let [items, bytes] = [0, 0];
      for (const write of writes) {
        const growth = growthOf(write, this.#table.find(write.partition, write.key), now);
        items += growth.items;
        bytes += growth.bytes;
      }
      return { items, bytes };
    };
    // Measured once, since values may be long.
    let growth = measure();
    const isTooMuch = ({ items, bytes }: { items: number; bytes: number }): boolean =>
      items + growth.items > maxItems || bytes + growth.bytes > maxBytes;
    const isFull = (): boolean => isTooMuch(this.#table);
    if (!isFull()) return;
    const written = new Set(find());
    for (
      let gone = this.#table.expiries.take(now);
      gone !== undefined;
      gone = this.#table.expiries.take(now)
    ) {
      this.#table.remove(gone);
      if (written.has(gone)) growth = measure();
      if (!isFull()) return;
    }
    const kept = new Set(find());
    const bytesKept = [...kept].reduce((sum, { bytes }) => sum + bytes, 0);
    // Else all the others would be gone for nothing.
    if (whenFull === 'evict' && !isTooMuch({ items: kept.size, bytes: bytesKept })) {
      for (const entry of kept) this.#table.touch(entry);
      for (
        let { oldest } = this.#table;
        oldest !== undefined && !kept.has(oldest);
        { oldest } = this.#table
      ) {
        this.#table.remove(oldest);
        if (!isFull()) return;
      }
    }
    const held = `${this.#table.items} of ${maxItems} items and ${this.#table.bytes} of ${maxBytes} bytes`;
    throw new StorageError(
      'CAPACITY_EXCEEDED',
      `The memory backend is full: it holds ${held}. Delete some, give them an expiry, or raise its limits.`,
    );
  }

  #holdsLive(partition: string, now: number): boolean {
    for (const entry of this.#table.partitions.get(partition)?.entries.values() ?? [])
      if (isLive(entry, now)) return true;
    return false;
  }
}

function refuse(write: DriverWrite, there: Entry | undefined): Verdict | undefined {
  switch (write.type) {
    case 'append':
      return there === undefined || Array.isArray(there.content) ? undefined : { status: 'wrong-type' };
    case 'delete':
      return write.ifVersion === undefined || there === undefined || there.version === write.ifVersion
        ? undefined
        : { status: 'conflict' };
    case 'set':
      if (there !== undefined && there.version === write.version) return undefined;
      if (write.ifAbsent && there !== undefined) return { status: 'exists' };
      return write.ifVersion !== undefined && there?.version !== write.ifVersion
        ? { status: 'conflict' }
        : undefined;
  }
}

/** No UTF-16 unit takes more than three bytes. */
function mostBytesOf(write: DriverWrite): number {
  const names = write.partition.length + write.key.length;
  if (write.type === 'delete') return 0;
  if (write.type === 'set') return 3 * (names + write.value.length);
  return write.values.reduce((sum, value) => sum + 3 * value.length, 3 * names);
}

function toStoredItem({ key, content, version, expiresAt }: Entry): StoredItem {
  return { key, value: Array.isArray(content) ? undefined : content, version, expiresAt };
}

function newEntry(write: SetWrite | AppendWrite, content: StoredValue | StoredValue[]): Entry {
  const { type, partition, key, version, expiresAt } = write;
  return {
    partition,
    key,
    nameBytes: sizeOfNames(write),
    content,
    version,
    expiresAt,
    bytes: sizeOf(write),
    recent: type === 'append' ? [version] : [],
    older: undefined,
    newer: undefined,
  };
}
