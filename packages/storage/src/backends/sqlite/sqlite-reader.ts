import { isPromise } from 'node:util/types';
import type { Address, BackendStats, Item } from '../../backend';
import type { ByteRange } from '../../byte-range';
import type {
  Awaitable,
  DriverPage,
  DriverScan,
  ReadItem,
  StoredItem,
  StoredRange,
  StoredValue,
} from '../../driver';
import { StorageError } from '../../errors';
import type { JsonFilter } from '../../json-filter';
import type { SqlQuery, SqlRow, SqlStatement, SqlValue } from '../sql/sql-contract';
import { decodeColumns, fromColumns, toKey, toText } from '../sql/sql-rows';
import { KIND } from '../sql/sql-statements';
import { retryWhileBusy } from './busy-retry';
import type { SqliteConnection } from './sqlite-connection';
import { isBusy } from './sqlite-errors';
import { sqliteQuery } from './sqlite-query';
import { SQLITE_STATEMENTS } from './sqlite-statements';
import { Turns } from './turns';

/** After so much a page ends, since what reads it has to decode it in one go. */
const MAX_PAGE_BYTES = 2 ** 20;
const COUNT_LIMIT = 10_000;
/** Rows that are read in one go: some hundred microseconds' worth. */
const BLOCK = 128;
/** A list that is replaced while it is read is read again. */
const MAX_READS = 5;
/** Beyond every name: no UTF-8 holds this byte. */
const BEYOND = Buffer.of(0xff);
const NUL = Buffer.of(0);

/** The columns of a scan. */
type ScannedRow = readonly [
  name: string,
  kind: number,
  json: string | null,
  bytes: Uint8Array | null,
  version: string,
  expiresAt: number | null,
];

const JSON_AT = 2;
const BYTES_AT = 3;

interface Within {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly reverse: boolean;
}

/** Reads in pieces of a few milliseconds, whatever there is to go through. */
export class SqliteReader {
  readonly #connection: SqliteConnection;
  readonly #busyTimeoutMs: number;
  readonly #turns = new Turns();

  constructor(connection: SqliteConnection, busyTimeoutMs: number) {
    this.#connection = connection;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  get(partition: string, key: string, now: number): Awaitable<StoredItem | undefined> {
    return this.#read(() => this.#find(partition, key, now));
  }

  async getMany(addresses: readonly Address[], now: number): Promise<(StoredItem | undefined)[]> {
    const found: (StoredItem | undefined)[] = [];
    while (found.length < addresses.length) {
      await this.#read(() => {
        do {
          const { partition, key } = addresses[found.length]!;
          found.push(this.#find(partition, key, now));
        } while (found.length < addresses.length && !this.#turns.isOver);
      });
    }
    return found;
  }

  scan(
    partition: string,
    { from, to = BEYOND, limit, reverse }: DriverScan,
    now: number,
  ): Awaitable<DriverPage<ReadItem>> {
    const statement = reverse ? SQLITE_STATEMENTS.scanDown : SQLITE_STATEMENTS.scanUp;
    const page = new PageOfItems<ReadItem>(limit);
    let [low, high] = [from, to];
    const goOnAfter = (name: string): void => {
      if (reverse) high = Buffer.from(name);
      else low = Buffer.from(`${name}\0`);
    };
    /** Tells whether the page is done. */
    const step = (): boolean => {
      do {
        const count = Math.min(limit + 1 - page.items.length, BLOCK);
        const asked = { statement, values: [toKey(partition), low, high, count] };
        const rows = this.#connection.lists(asked) as readonly ScannedRow[];
        let reached: string | undefined;
        try {
          for (const row of rows) {
            const [name, , , , , expiresAt] = row;
            if (expiresAt === null || expiresAt > now) {
              if (page.isFull) return true;
              if (isLeftOut(row)) {
                const item = this.#find(partition, name, now);
                if (item !== undefined) page.add(item, sizeOf(item));
              } else page.add(decodeScanned(row), row[JSON_AT]?.length ?? row[BYTES_AT]?.length ?? 0);
            }
            reached = name;
          }
        } finally {
          // What is read again, since the file was busy, goes on from here.
          if (reached !== undefined) goOnAfter(reached);
        }
        if (rows.length < count) return true;
      } while (!this.#turns.isOver);
      return false;
    };
    const goOn = async (isDone: Awaitable<boolean>): Promise<DriverPage<ReadItem>> => {
      for (let done = await isDone; !done; done = await this.#read(step));
      return page;
    };
    const isDone = this.#read(step);
    return isDone === true ? page : goOn(isDone);
  }

  async keys(
    partition: string,
    { from, to = BEYOND, limit, reverse }: DriverScan,
    now: number,
  ): Promise<DriverPage<string>> {
    const statement = reverse ? SQLITE_STATEMENTS.keysDown : SQLITE_STATEMENTS.keysUp;
    const items: string[] = [];
    let hasMore = false;
    await this.#walk(partition, { from, to, reverse }, { statement, values: [] }, (row) => {
      if (!isLive(row, now)) return false;
      hasMore = items.length === limit;
      if (!hasMore) items.push(row['name'] as string);
      return hasMore;
    });
    return { items, hasMore };
  }

  async query(
    partition: string,
    filter: JsonFilter,
    { from, to = BEYOND, limit, reverse }: DriverScan,
    now: number,
  ): Promise<DriverPage<StoredItem>> {
    const page = new PageOfItems<StoredItem>(limit);
    await this.#walk(partition, { from, to, reverse }, sqliteQuery(filter), (row) => {
      if (row['json'] === null || !isLive(row, now)) return false;
      if (page.isFull) return true;
      const item = toItem(row, row['name'] as string);
      page.add(item, sizeOf(item));
      return false;
    });
    return page;
  }

  async partitions(
    { from, to = BEYOND }: ByteRange,
    limit: number,
    now: number,
  ): Promise<DriverPage<string>> {
    const items: string[] = [];
    for (let next: Uint8Array = from; ;) {
      const found = await this.#read(() =>
        this.#connection.first({ statement: SQLITE_STATEMENTS.nextPartition, values: [next, to] }),
      );
      if (found === undefined) return { items, hasMore: false };
      const bytes = found['partition'] as Buffer;
      next = Buffer.concat([bytes, NUL]);
      const partition = toText(bytes);
      if (!(await this.#holdsLive(partition, now))) continue;
      if (items.length === limit) return { items, hasMore: true };
      items.push(partition);
    }
  }

  async range(partition: string, key: string, start: number, end: number, now: number): Promise<StoredRange> {
    for (let reads = 0; reads < MAX_READS; reads += 1) {
      const row = await this.#read(() => this.#look(partition, key, now));
      if (row === undefined) return { values: [] };
      if (row['kind'] !== KIND.list) return 'wrong-type';
      const length = row['length'] as number;
      const first = Math.max(start < 0 ? length + start : start, 0);
      const last = Math.min(end < 0 ? length + end : end, length - 1);
      const values = await this.#elements(row['list'] as string, first, last);
      if (values.length === Math.max(last - first + 1, 0)) return { values };
    }
    throw new StorageError('CORRUPT', `A list misses elements, or is replaced again and again.`);
  }

  async length(partition: string, key: string, now: number): Promise<number | undefined> {
    const row = await this.#read(() => this.#look(partition, key, now));
    if (row === undefined) return 0;
    return row['kind'] === KIND.list ? (row['length'] as number) : undefined;
  }

  async stats(now: number): Promise<BackendStats> {
    let items = 0;
    const step = (after: number): number | undefined => {
      for (const row of this.#connection.iterate({ statement: SQLITE_STATEMENTS.all, values: [after] })) {
        if (isLive(row, now)) items += 1;
        if (items > COUNT_LIMIT) return undefined;
        if (this.#turns.isOver) return row['id'] as number;
      }
      return undefined;
    };
    for (let after: number | undefined = -Infinity; after !== undefined;) {
      const from: number = after;
      after = await this.#read(() => step(from));
    }
    return { items: Math.min(items, COUNT_LIMIT), isCapped: items > COUNT_LIMIT };
  }

  #find(partition: string, key: string, now: number): StoredItem | undefined {
    const values = [toKey(partition), toKey(key)];
    const row = this.#connection.first({ statement: SQLITE_STATEMENTS.get, values });
    return row === undefined || !isLive(row, now) ? undefined : toItem(row, key);
  }

  #look(partition: string, key: string, now: number): SqlRow | undefined {
    const values = [toKey(partition), toKey(key)];
    const row = this.#connection.first({ statement: SQLITE_STATEMENTS.list, values });
    return row === undefined || !isLive(row, now) ? undefined : row;
  }

  async #elements(list: string, first: number, last: number): Promise<StoredValue[]> {
    const values: StoredValue[] = [];
    while (first + values.length <= last) {
      const before = values.length;
      await this.#read(() => {
        const asked = { statement: SQLITE_STATEMENTS.elements, values: [list, first + before, last] };
        for (const row of this.#connection.iterate(asked)) {
          // A gap: the list is gone, and is being swept.
          if (row['position'] !== first + values.length) break;
          values.push(fromColumns(row));
          if (this.#turns.isOver) break;
        }
      });
      if (values.length === before) break;
    }
    return values;
  }

  async #holdsLive(partition: string, now: number): Promise<boolean> {
    let holds = false;
    const all = { from: Buffer.alloc(0), to: BEYOND, reverse: false };
    await this.#walk(partition, all, { statement: SQLITE_STATEMENTS.keysUp, values: [] }, (row) => {
      holds = isLive(row, now);
      return holds;
    });
    return holds;
  }

  /** Visits rows in the order of keys until one of them says that it is the last. */
  async #walk(
    partition: string,
    within: Within,
    { statement, values }: { readonly statement: SqlStatement; readonly values: readonly SqlValue[] },
    isLast: (row: SqlRow) => boolean,
  ): Promise<void> {
    let { from, to } = within;
    const step = (): Buffer | undefined => {
      const asked: SqlQuery = { statement, values: [toKey(partition), from, to, ...values] };
      for (const row of this.#connection.iterate(asked)) {
        if (isLast(row)) return undefined;
        if (this.#turns.isOver) return Buffer.from(row['name'] as string);
      }
      return undefined;
    };
    for (let reached = await this.#read(step); reached !== undefined; reached = await this.#read(step))
      if (within.reverse) to = reached;
      else from = Buffer.concat([reached, NUL]);
  }

  #read<T>(work: () => T): Awaitable<T> {
    const again = (error: unknown): Promise<T> => {
      if (!isBusy(error)) throw error;
      return retryWhileBusy(work, performance.now() + this.#busyTimeoutMs);
    };
    try {
      const answer = this.#turns.run(work);
      return isPromise(answer) ? answer.catch(again) : answer;
    } catch (error) {
      return again(error);
    }
  }
}

class PageOfItems<T> implements DriverPage<T> {
  readonly items: T[] = [];
  hasMore = false;
  readonly #limit: number;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Asked when there is another: then there is more. */
  get isFull(): boolean {
    const count = this.items.length;
    this.hasMore = count === this.#limit || (count > 0 && this.#bytes > MAX_PAGE_BYTES);
    return this.hasMore;
  }

  add(item: T, bytes: number): void {
    this.#bytes += bytes;
    this.items.push(item);
  }
}

const sizeOf = ({ value }: StoredItem): number => value?.length ?? 0;

/** Too large to be read together with others. */
function isLeftOut([, kind, json, bytes]: ScannedRow): boolean {
  return kind !== KIND.list && json === null && bytes === null;
}

function decodeScanned([key, kind, json, bytes, version, expiresAt]: ScannedRow): Item {
  return decodeColumns({ key, kind, json, bytes, version, expiresAt });
}

function isLive({ expires_at: expiresAt }: SqlRow, now: number): boolean {
  return expiresAt === null || (expiresAt as number) > now;
}

function toItem(row: SqlRow, key: string): StoredItem {
  const { kind, version, expires_at: expiresAt } = row;
  return {
    key,
    value: kind === KIND.list ? undefined : fromColumns(row),
    version: version as string,
    expiresAt: expiresAt === null ? undefined : (expiresAt as number),
  };
}
