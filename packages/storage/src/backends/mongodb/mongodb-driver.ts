import type { Address, BackendStats, Capabilities } from '../../backend';
import type { ByteRange } from '../../byte-range';
import type {
  Driver,
  DriverPage,
  DriverScan,
  DriverWrite,
  ReadItem,
  StoredItem,
  StoredRange,
  Verdict,
} from '../../driver';
import { CallDeadlines } from '../../call-deadlines';
import { StorageError } from '../../errors';
import type { JsonFilter } from '../../json-filter';
import type { MongoClient } from './mongodb-client';
import { explainMongoError } from './mongodb-errors';
import { MongoReader } from './mongodb-reader';
import { findCollections, makeIndexes } from './mongodb-collections';
import { MongoLists } from './mongodb-lists';
import { MongoLostChunks } from './mongodb-lost-chunks';
import { MongoSweep } from './mongodb-sweep';
import { MongoWriter } from './mongodb-writer';

export interface MongoDriverOptions {
  readonly openClient: () => Promise<MongoClient>;
  readonly isClientOurs: boolean;
  readonly database: string | undefined;
  readonly collectionPrefix: string;
  readonly writeConcern: { readonly w: number | 'majority'; readonly journal: boolean };
  readonly timeoutMs: number;
  readonly closeMs: number;
  readonly maxValueBytes: number;
  readonly onError: (error: unknown) => void;
}

/** How long making indexes may take at least, of all that opening does. */
const INDEXES_MS = 600_000;

interface Opened {
  readonly client: MongoClient;
  readonly reader: MongoReader;
  readonly lists: MongoLists;
  readonly writer: MongoWriter;
  readonly sweep: MongoSweep;
}

export class MongoDriver implements Driver {
  readonly name = 'mongodb';
  /** Whether there are transactions is known once it is open. */
  readonly capabilities: { -readonly [Name in keyof Capabilities]: Capabilities[Name] };
  readonly explain = explainMongoError;
  readonly openTimeoutMs: number;
  readonly #options: MongoDriverOptions;
  #client: MongoClient | undefined;
  #opened: Opened | undefined;

  constructor(options: MongoDriverOptions) {
    this.#options = options;
    const { maxValueBytes, timeoutMs } = options;
    this.openTimeoutMs = timeoutMs + INDEXES_MS;
    this.capabilities = { transact: false, query: true, publish: false, maxValueBytes };
  }

  async open(): Promise<void> {
    const { openClient, writeConcern, timeoutMs, onError } = this.#options;
    const client = await openClient();
    this.#client = client;
    const text = `MongoDB did not answer within ${timeoutMs} ms.`;
    const deadline = new CallDeadlines(timeoutMs, () => new StorageError('UNAVAILABLE', text));
    const collections = await deadline.inTime(this.#reach(client));
    await makeIndexes(collections, INDEXES_MS);
    const { items, chunks, hasTransactions, serverNow } = collections;
    const lists = new MongoLists(items, chunks, onError);
    const sweep = new MongoSweep(items, lists, new MongoLostChunks(items, chunks, lists));
    this.capabilities.transact = hasTransactions;
    this.#opened = {
      client,
      lists,
      sweep,
      reader: new MongoReader(items),
      writer: new MongoWriter({
        ...{ client, items, lists, sweep },
        ...{ writeConcern, timeoutMs, serverNow, onError },
      }),
    };
  }

  async #reach(client: MongoClient): ReturnType<typeof findCollections> {
    if (this.#options.isClientOurs) await client.connect();
    return findCollections(client, this.#options);
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#opened = undefined;
    if (client === undefined || !this.#options.isClientOurs) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#options.closeMs);
    });
    // It tells the server of its end, which may not answer any more.
    await Promise.race([client.close(true), late]).finally(() => clearTimeout(timer));
  }

  get(partition: string, key: string, now: number): Promise<StoredItem | undefined> {
    return this.#open().reader.get(partition, key, now);
  }

  getMany(addresses: readonly Address[], now: number): Promise<(StoredItem | undefined)[]> {
    return this.#open().reader.getMany(addresses, now);
  }

  scan(partition: string, scan: DriverScan, now: number): Promise<DriverPage<ReadItem>> {
    return this.#open().reader.scan(partition, scan, now);
  }

  keys(partition: string, scan: DriverScan, now: number): Promise<DriverPage<string>> {
    return this.#open().reader.keys(partition, scan, now);
  }

  partitions(range: ByteRange, limit: number, now: number): Promise<DriverPage<string>> {
    return this.#open().reader.partitions(range, limit, now);
  }

  range(partition: string, key: string, start: number, end: number, now: number): Promise<StoredRange> {
    return this.#open().lists.range(partition, key, start, end, now);
  }

  length(partition: string, key: string, now: number): Promise<number | undefined> {
    return this.#open().reader.length(partition, key, now);
  }

  write(write: DriverWrite, now: number): Promise<Verdict> {
    return this.#open().writer.write(write, now);
  }

  batch(writes: readonly DriverWrite[], now: number): Promise<(Verdict | Error)[]> {
    return this.#open().writer.batch(writes, now);
  }

  transact(writes: readonly DriverWrite[], now: number): Promise<Verdict[]> {
    return this.#open().writer.transact(writes, now);
  }

  query(partition: string, filter: JsonFilter, scan: DriverScan, now: number): Promise<DriverPage<ReadItem>> {
    return this.#open().reader.query(partition, filter, scan, now);
  }

  sweep(limit: number, now: number): Promise<number> {
    return this.#open().sweep.sweep(limit, now);
  }

  stats(now: number): Promise<BackendStats> {
    return this.#open().reader.stats(now);
  }

  #open(): Opened {
    if (this.#opened === undefined)
      throw new StorageError('NOT_OPEN', 'The mongodb backend is used outside its life.');
    return this.#opened;
  }
}
