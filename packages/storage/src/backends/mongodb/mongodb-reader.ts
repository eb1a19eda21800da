import type { Address, BackendStats } from '../../backend';
import type { ByteRange } from '../../byte-range';
import type { DriverPage, DriverScan, ReadItem, StoredItem } from '../../driver';
import type { JsonFilter } from '../../json-filter';
import type { MongoCollection, MongoDocument } from './mongodb-client';
import { mongodbQuery } from './mongodb-query';
import { isLive, ITEM_FIELDS, live, toItem, toReadItem, type MongoRecord } from './mongodb-records';
import { firstStringFrom } from './string-bounds';

const COUNT_LIMIT = 10_000;
/** Of a page, about; a page that is longer ends there. */
const PAGE_BYTES = 8 * 2 ** 20;
/** How many items are looked at for names of partitions at once. */
const NAMES = 100;

/** What a page is made of, and the fields that it takes. */
interface Reading<T> {
  readonly projection: MongoDocument;
  /** The bytes are those of its value, about. */
  readonly read: (document: MongoDocument) => { readonly item: T; readonly bytes: number };
}

const ITEMS: Reading<ReadItem> = { projection: ITEM_FIELDS, read: toReadItem };

const KEYS: Reading<string> = {
  projection: { _id: 0, key: 1 },
  // A page of the longest keys takes no more than 1 MiB.
  read: ({ key }) => ({ item: key as string, bytes: 0 }),
};

export class MongoReader {
  readonly #items: MongoCollection;

  constructor(items: MongoCollection) {
    this.#items = items;
  }

  async get(partition: string, key: string, now: number): Promise<StoredItem | undefined> {
    const found = await this.#items.findOne({ partition, key }, { projection: ITEM_FIELDS });
    if (found === null || !isLive(found, now)) return undefined;
    return toItem(found);
  }

  /** Partition by partition, and each in pages, so that no answer is larger than memory likes. */
  async getMany(addresses: readonly Address[], now: number): Promise<(StoredItem | undefined)[]> {
    const keys = new Map<string, Set<string>>();
    for (const { partition, key } of addresses)
      keys.set(partition, (keys.get(partition) ?? new Set()).add(key));
    const found = new Map<string, Map<string, StoredItem>>();
    await Promise.all(
      [...keys].map(async ([partition, wanted]) => {
        const items = new Map<string, StoredItem>();
        const filter = { partition, key: { $in: [...wanted] }, expiresAt: live(now) };
        for await (const document of this.#items.find(filter, { projection: ITEM_FIELDS })) {
          const item = toItem(document);
          items.set(item.key, item);
        }
        found.set(partition, items);
      }),
    );
    return addresses.map(({ partition, key }) => found.get(partition)?.get(key));
  }

  scan(partition: string, scan: DriverScan, now: number): Promise<DriverPage<ReadItem>> {
    return this.#page(partition, {}, scan, now, ITEMS);
  }

  keys(partition: string, scan: DriverScan, now: number): Promise<DriverPage<string>> {
    return this.#page(partition, {}, scan, now, KEYS);
  }

  query(partition: string, filter: JsonFilter, scan: DriverScan, now: number): Promise<DriverPage<ReadItem>> {
    return this.#page(partition, mongodbQuery(filter), scan, now, ITEMS);
  }

  async #page<T>(
    partition: string,
    more: MongoDocument,
    { limit, reverse, ...range }: DriverScan,
    now: number,
    { projection, read }: Reading<T>,
  ): Promise<DriverPage<T>> {
    const key = toCondition(range);
    if (key === undefined) return { items: [], hasMore: false };
    const order = reverse ? -1 : 1;
    const cursor = this.#items.find(
      { partition, key, expiresAt: live(now), ...more },
      {
        projection,
        sort: { partition: order, key: order },
        limit: limit + 1,
        batchSize: limit + 1,
      },
    );
    const items: T[] = [];
    let bytes = 0;
    try {
      for (let first = await cursor.next(); first !== null; first = await cursor.next()) {
        // What has come with it: asked for one by one, each would cost a turn of promises.
        for (const document of [first, ...cursor.readBufferedDocuments()]) {
          if (items.length === limit || (bytes > PAGE_BYTES && items.length > 0))
            return { items, hasMore: true };
          const one = read(document);
          bytes += one.bytes;
          items.push(one.item);
        }
      }
    } finally {
      await cursor.close();
    }
    return { items, hasMore: false };
  }

  /** Looks at some items at once, and goes on behind the last partition among them, past all of its keys. */
  async partitions(range: ByteRange, limit: number, now: number): Promise<DriverPage<string>> {
    let partition = toCondition(range);
    const names: string[] = [];
    while (partition !== undefined) {
      const found = await this.#items
        .find(
          { partition, expiresAt: live(now) },
          {
            projection: { _id: 0, partition: 1 },
            sort: { partition: 1, key: 1 },
            limit: NAMES,
            batchSize: NAMES + 1,
          },
        )
        .toArray();
      for (const document of found) {
        const name = document['partition'] as string;
        if (name === names.at(-1)) continue;
        if (names.length === limit) return { items: names, hasMore: true };
        names.push(name);
      }
      if (found.length < NAMES) break;
      const { $gte: _, ...rest } = partition;
      partition = { ...rest, $gt: names.at(-1)! };
    }
    return { items: names, hasMore: false };
  }

  async length(partition: string, key: string, now: number): Promise<number | undefined> {
    const found = await this.#items.findOne(
      { partition, key },
      { projection: { _id: 0, kind: 1, expiresAt: 1, length: 1 } },
    );
    const record = found as unknown as MongoRecord | null;
    if (record === null || !isLive(record, now)) return 0;
    return record.kind === 'list' ? record.length : undefined;
  }

  async stats(now: number): Promise<BackendStats> {
    // By an index, as all else: a server may be told to look at no document without one (`notablescan`).
    const visible = { partition: { $gte: '' }, expiresAt: live(now) };
    const items = await this.#items.countDocuments(visible, { limit: COUNT_LIMIT + 1 });
    return { items: Math.min(items, COUNT_LIMIT), isCapped: items > COUNT_LIMIT };
  }
}

interface NameCondition extends MongoDocument {
  readonly $gte?: string;
  readonly $gt?: string;
  readonly $lt?: string;
}

/** Names within the range; absent where there is none. The server compares text by its UTF-8 bytes. */
function toCondition({ from, to }: ByteRange): NameCondition | undefined {
  const first = firstStringFrom(from);
  if (first === undefined) return undefined;
  const behind = to === undefined ? undefined : firstStringFrom(to);
  return behind === undefined ? { $gte: first } : { $gte: first, $lt: behind };
}
