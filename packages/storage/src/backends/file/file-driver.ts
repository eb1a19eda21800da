import type { Address, BackendStats, Capabilities } from '../../backend';
import type { ByteRange } from '../../byte-range';
import type {
  Driver,
  DriverPage,
  DriverScan,
  DriverWrite,
  StoredItem,
  StoredRange,
  Verdict,
} from '../../driver';
import { StorageError } from '../../errors';
import { inParallel } from '../../in-parallel';
import { matchesFilter, type JsonFilter } from '../../json-filter';
import { decodeJson } from '../../stored-value';
import { fromByteKey } from '../../sorted-keys';
import { corrupt } from './file-damage';
import { explainFileError } from './file-errors';
import { nameOf } from './file-names';
import { FileReads } from './file-reads';
import type { FileStore, FileStoreOptions } from './file-store';
import { liveState, removedFile, type Slot } from './file-table';
import { FileWrites } from './file-writes';
import { leaseStore, type StoreLease } from './shared-stores';

export interface FileDriverOptions extends FileStoreOptions {
  readonly path: string;
  readonly createsFolder: boolean;
  readonly maxValueBytes: number;
}

interface Open {
  readonly lease: StoreLease;
  readonly store: FileStore;
  readonly reads: FileReads;
  readonly writes: FileWrites;
}

/** How many values a query looks at in one go. */
const QUERY_STEP = 500;
const FILES_AT_ONCE = 16;
/** A page ends with the value that goes beyond it. */
const PAGE_BYTES = 4 * 2 ** 20;

export class FileDriver implements Driver {
  readonly name = 'file';
  readonly capabilities: Capabilities;
  readonly #options: FileDriverOptions;
  #opened: Open | undefined;

  constructor(options: FileDriverOptions) {
    this.#options = options;
    const { maxValueBytes } = options;
    this.capabilities = { transact: true, query: true, publish: false, maxValueBytes };
  }

  async open(): Promise<void> {
    const { path, createsFolder } = this.#options;
    const lease = await leaseStore(path, this.#options, createsFolder);
    const { store } = lease;
    const writes = new FileWrites(store, (write) => this.#find(write) ?? store.table.findOrAdd(write));
    this.#opened = { lease, store, writes, reads: new FileReads(store) };
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.lease.release();
  }

  explain(error: unknown): StorageError | undefined {
    return explainFileError(error, this.#options.path);
  }

  async get(partition: string, key: string, now: number): Promise<StoredItem | undefined> {
    const slot = this.#find({ partition, key });
    return slot && this.#open.reads.item(slot, now);
  }

  getMany(addresses: readonly Address[], now: number): Promise<(StoredItem | undefined)[]> {
    return inParallel(addresses, FILES_AT_ONCE, ({ partition, key }) => this.get(partition, key, now));
  }

  async scan(partition: string, scan: DriverScan, now: number): Promise<DriverPage<StoredItem>> {
    const { slots, hasMore } = page(this.#within(partition, scan, now), scan.limit, PAGE_BYTES);
    const { reads } = this.#open;
    const items = await inParallel(slots, FILES_AT_ONCE, (slot) => reads.item(slot, now));
    return { items: items.filter((item) => item !== undefined), hasMore, ...stopAt(hasMore, slots) };
  }

  async keys(partition: string, scan: DriverScan, now: number): Promise<DriverPage<string>> {
    const { slots, hasMore } = page(this.#within(partition, scan, now), scan.limit, Infinity);
    const states = await this.#open.reads.states(slots, now);
    const found = slots.filter((_slot, index) => states[index] !== undefined);
    return { items: found.map(({ key }) => key), hasMore, ...stopAt(hasMore, slots) };
  }

  async query(
    partition: string,
    filter: JsonFilter,
    scan: DriverScan,
    now: number,
  ): Promise<DriverPage<StoredItem>> {
    const { slots, hasMore } = page(valuesOf(this.#within(partition, scan, now)), QUERY_STEP, PAGE_BYTES);
    const { reads } = this.#open;
    const read = await inParallel(slots, FILES_AT_ONCE, (slot) => reads.item(slot, now));
    const items: StoredItem[] = [];
    for (const item of read) {
      if (typeof item?.value !== 'string' || !matchesFilter(decodeJson(item.value), filter)) continue;
      if (items.length === scan.limit) return { items, hasMore: true };
      items.push(item);
    }
    return { items, hasMore, ...stopAt(hasMore, slots) };
  }

  async partitions(range: ByteRange, limit: number, now: number): Promise<DriverPage<string>> {
    return await this.#open.store.journal.whenAllSettled(() => this.#partitions(range, limit, now));
  }

  async range(partition: string, key: string, start: number, end: number, now: number): Promise<StoredRange> {
    const slot = this.#find({ partition, key });
    if (slot === undefined) return { values: [] };
    return await this.#open.reads.range(slot, start, end, now);
  }

  async length(partition: string, key: string, now: number): Promise<number | undefined> {
    const slot = this.#find({ partition, key });
    if (slot === undefined) return 0;
    const [state] = await this.#open.reads.states([slot], now);
    if (state?.kind === 'damaged') throw state.error;
    if (state === undefined) return 0;
    return state.kind === 'list' ? state.length : undefined;
  }

  write(write: DriverWrite, now: number): Promise<Verdict> {
    return this.#open.writes.write(write, now);
  }

  batch(writes: readonly DriverWrite[], now: number): Promise<(Verdict | Error)[]> {
    return this.#open.writes.batch(writes, now);
  }

  transact(writes: readonly DriverWrite[], now: number): Promise<Verdict[]> {
    return this.#open.writes.transact(writes, now);
  }

  sweep(limit: number, now: number): Promise<number> {
    return this.#open.writes.sweep(limit, now);
  }

  async stats(now: number): Promise<BackendStats> {
    const { table, journal } = this.#open.store;
    const items = await journal.whenAllSettled(() => table.items - new Set(table.expiries.expired(now)).size);
    return { items, isCapped: false };
  }

  #partitions(range: ByteRange, limit: number, now: number): DriverPage<string> {
    const { table } = this.#open.store;
    const items: string[] = [];
    for (const byteKey of table.partitionOrder.within(range, false)) {
      const partition = fromByteKey(byteKey);
      if (!this.#holdsLive(partition, now)) continue;
      if (items.length === limit) return { items, hasMore: true };
      items.push(partition);
    }
    return { items, hasMore: false };
  }

  get #open(): Open {
    if (this.#opened === undefined) throw new StorageError('CLOSED', 'The file backend is closed.');
    return this.#opened;
  }

  #find(address: Address): Slot | undefined {
    const { table, unknown, reader } = this.#open.store;
    const slot = table.find(address);
    if (slot !== undefined || unknown.size === 0) return slot;
    const name = nameOf({ partition: address.partition, key: address.key });
    if (!unknown.delete(name)) return undefined;
    // Only now it is known what the damaged file was of.
    const damaged = table.findOrAdd(address);
    const error = corrupt(reader.layout.fileOf(name, 'value'), 'is damaged');
    table.put(damaged, { kind: 'damaged', seq: 0, version: '', expiresAt: undefined, error }, 0);
    damaged.file = removedFile(reader.backupCount);
    return damaged;
  }

  *#within(partition: string, { from, to, reverse }: DriverScan, now: number): Generator<Slot> {
    const home = this.#open.store.table.partitions.get(partition);
    for (const byteKey of home?.order.within({ from, to }, reverse) ?? []) {
      const slot = home?.slots.get(fromByteKey(byteKey));
      if (slot !== undefined && this.#mayBeLive(slot, now)) yield slot;
    }
  }

  #holdsLive(partition: string, now: number): boolean {
    for (const slot of this.#open.store.table.partitions.get(partition)?.slots.values() ?? [])
      if (this.#mayBeLive(slot, now)) return true;
    return false;
  }

  /** Also what is being deleted, as long as that may yet fail. */
  #mayBeLive(slot: Slot, now: number): boolean {
    return slot.seq > this.#open.store.journal.syncedSeq || liveState(slot, now) !== undefined;
  }
}

function* valuesOf(slots: Iterable<Slot>): Generator<Slot> {
  for (const slot of slots) if (slot.state?.kind !== 'list') yield slot;
}

function page(
  found: Iterable<Slot>,
  limit: number,
  maxBytes: number,
): { readonly slots: Slot[]; readonly hasMore: boolean } {
  const slots: Slot[] = [];
  let bytes = 0;
  for (const slot of found) {
    if (slots.length === limit || bytes > maxBytes) return { slots, hasMore: true };
    slots.push(slot);
    bytes += bytesOf(slot);
  }
  return { slots, hasMore: false };
}

/** Of what a page has of it: elements of lists are not among that. */
function bytesOf({ state, file }: Slot): number {
  if (state?.kind !== 'value') return 0;
  return state.content === undefined ? (file?.bytes ?? 0) : state.content.length;
}

function stopAt(hasMore: boolean, slots: readonly Slot[]): { readonly stoppedAt?: string } {
  const last = slots.at(-1);
  return hasMore && last !== undefined ? { stoppedAt: last.key } : {};
}
