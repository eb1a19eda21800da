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
import type { StorageError } from '../../errors';
import { Bodies } from './bodies';
import { readNumber } from './dynamo-attributes';
import type { Attributes, DynamoClient, DynamoModule } from './dynamo-client';
import { explainDynamoError } from './dynamo-errors';
import { DynamoKeys } from './dynamo-keys';
import { DynamoTable } from './dynamo-table';
import { DynamoTransactions } from './dynamo-transactions';
import { DynamoValues, type DynamoParts } from './dynamo-values';
import { isVisible, readHead } from './heads';
import { addressName } from '../../address-name';
import { inParallel } from '../../in-parallel';
import { keyBounds } from './key-bounds';
import { ListReader } from './list-reader';
import { ListWriter } from './list-writer';
import { PartitionRegistry } from './partition-registry';
import { prepareTable, type TableWishes } from './prepare-table';
import { Sweeper } from './sweeper';

export interface DynamodbDriverOptions extends TableWishes {
  readonly openClient: () => Promise<{ readonly client: DynamoClient; readonly commands: DynamoModule }>;
  readonly isClientOurs: boolean;
  readonly table: string;
  readonly keyPrefix: string;
  readonly transact: boolean;
  readonly retryMs: number;
  readonly maxValueBytes: number;
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
}

interface Opened {
  readonly client: DynamoClient;
  readonly table: DynamoTable;
  readonly registry: PartitionRegistry;
  readonly values: DynamoValues;
  readonly listReader: ListReader;
  readonly listWriter: ListWriter;
  readonly sweeper: Sweeper;
  readonly transactions: DynamoTransactions;
}

/** All but the partition key, and what a list says of its elements. */
const LISTED = 'sk, version, expires_at, json, octets, body, body_kind, byte_count, element_count';
/** What tells a key, and whether it is visible. */
const NAMED = 'sk, expires_at';
/** After so many a page of keys ends: the server goes through 1 MB of items for each, whatever is wanted of them. */
const ANSWERS = 16;
const COUNT_LIMIT = 10_000;
const PAGE_BYTES = 4 * 2 ** 20;
const WIDTH = 32;
/** Of items whose values are kept elsewhere. */
const LARGE_WIDTH = 4;

export class DynamodbDriver implements Driver {
  readonly name = 'dynamodb';
  readonly capabilities: Capabilities;
  readonly openTimeoutMs: number | undefined;
  readonly transact?: (writes: readonly DriverWrite[], now: number) => Promise<Verdict[]>;
  readonly #options: DynamodbDriverOptions;
  readonly #keys: DynamoKeys;
  #opened: Opened | undefined;

  constructor(options: DynamodbDriverOptions) {
    this.#options = options;
    this.#keys = new DynamoKeys(options.keyPrefix);
    const { maxValueBytes, transact } = options;
    this.capabilities = { transact, query: false, publish: false, maxValueBytes };
    this.openTimeoutMs = options.createTable ? Math.max(options.createTimeoutMs, options.retryMs) : undefined;
    if (transact) this.transact = (writes, now) => this.#open().transactions.apply(writes, now);
  }

  async open(): Promise<void> {
    const { openClient, table: name, retryMs, random, onError } = this.#options;
    const { client, commands } = await openClient();
    const table = new DynamoTable(client, commands, { name, retryMs, random });
    const bodies = new Bodies(table, this.#keys, (error) => onError(explainDynamoError(error)));
    const registry = new PartitionRegistry(table, this.#keys);
    const parts: DynamoParts = { table, keys: this.#keys, bodies, registry };
    const values = new DynamoValues(parts);
    const listWriter = new ListWriter(parts);
    this.#opened = {
      ...{ client, table, registry, values, listWriter },
      listReader: new ListReader(parts),
      sweeper: new Sweeper(parts),
      transactions: new DynamoTransactions(parts, values, listWriter),
    };
    await prepareTable(table, this.#options);
  }

  close(): void {
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.table.end();
    if (this.#options.isClientOurs) opened?.client.destroy();
  }

  explain(error: unknown): StorageError {
    return explainDynamoError(error);
  }

  get(partition: string, key: string, now: number): Promise<StoredItem | undefined> {
    return this.#open().values.get(partition, key, now);
  }

  async getMany(addresses: readonly Address[], now: number): Promise<(StoredItem | undefined)[]> {
    const { table, values } = this.#open();
    const distinct = new Map(addresses.map((address) => [addressName(address), address]));
    const wanted = [...distinct.values()];
    const items = await table.getMany(wanted.map(({ partition, key }) => this.#keys.item(partition, key)));
    const found = await inParallel(wanted, LARGE_WIDTH, ({ partition, key }, place) =>
      values.resolve(partition, key, items[place], now),
    );
    const byName = new Map(wanted.map((address, place) => [addressName(address), found[place]]));
    return addresses.map((address) => byName.get(addressName(address)));
  }

  async scan(partition: string, scan: DriverScan, now: number): Promise<DriverPage<StoredItem>> {
    const { values } = this.#open();
    const { limit } = scan;
    const items: StoredItem[] = [];
    let bytes = 0;
    for await (const page of this.#pages(partition, scan, LISTED)) {
      const wanted: Attributes[] = [];
      let isFull = false;
      // What has expired is hidden here: the server would read it as well, and look at each for it.
      const visible = page.filter((item) => isVisible(readHead(item), now));
      for (const item of visible) {
        bytes += sizeOf(item);
        const count = items.length + wanted.length;
        isFull = count === limit || (bytes > PAGE_BYTES && count > 0);
        if (isFull) break;
        wanted.push(item);
      }
      const found = await inParallel(wanted, LARGE_WIDTH, (item) =>
        values.resolve(partition, keyOf(item), item, now),
      );
      // Those that were deleted while their parts were read are left out, and may be the last.
      for (const item of found) if (item !== undefined) items.push(item);
      const last = wanted.at(-1);
      if (isFull) return { items, hasMore: true, ...(last && { stoppedAt: keyOf(last) }) };
    }
    return { items, hasMore: false };
  }

  /** By their heads alone: what a head names is there, whatever becomes of its body. */
  async keys(partition: string, scan: DriverScan, now: number): Promise<DriverPage<string>> {
    const { limit } = scan;
    const items: string[] = [];
    let answers = 0;
    for await (const page of this.#pages(partition, scan, NAMED)) {
      for (const item of page) {
        if (!isVisible({ expiresAt: readNumber(item, 'expires_at') }, now)) continue;
        if (items.length === limit) return { items, hasMore: true };
        items.push(keyOf(item));
      }
      answers += 1;
      const last = page.at(-1);
      if (answers >= ANSWERS && items.length > 0 && last !== undefined)
        return { items, hasMore: true, stoppedAt: keyOf(last) };
    }
    return { items, hasMore: false };
  }

  partitions(range: ByteRange, limit: number, now: number): Promise<DriverPage<string>> {
    return this.#open().registry.list(range, limit, now);
  }

  range(partition: string, key: string, start: number, end: number, now: number): Promise<StoredRange> {
    return this.#open().listReader.range(partition, key, start, end, now);
  }

  length(partition: string, key: string, now: number): Promise<number | undefined> {
    return this.#open().listReader.length(partition, key, now);
  }

  write(write: DriverWrite, now: number): Promise<Verdict> {
    const { values, listWriter } = this.#open();
    switch (write.type) {
      case 'set':
        return values.set(write, now);
      case 'delete':
        return values.remove(write, now);
      case 'append':
        return listWriter.append(write, now);
    }
  }

  async batch(writes: readonly DriverWrite[], now: number): Promise<(Verdict | Error)[]> {
    const groups = new Map<string, number[]>();
    for (const [place, write] of writes.entries()) {
      const name = addressName(write);
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [place]);
      else group.push(place);
    }
    const outcomes = new Array<Verdict | Error>(writes.length);
    await inParallel([...groups.values()], WIDTH, async (places) => {
      // To one address in their order.
      for (const place of places)
        outcomes[place] = await this.write(writes[place]!, now).catch((error: unknown) => error as Error);
    });
    return outcomes;
  }

  sweep(limit: number, now: number): Promise<number> {
    return this.#open().sweeper.sweep(limit, now);
  }

  async stats(now: number): Promise<BackendStats> {
    const items = await this.#open().registry.count(COUNT_LIMIT, now);
    return { items: Math.min(items, COUNT_LIMIT), isCapped: items > COUNT_LIMIT };
  }

  /** All items within the bounds of a scan, visible or not. */
  async *#pages(
    partition: string,
    scan: DriverScan,
    attributes: string,
  ): AsyncGenerator<readonly Attributes[]> {
    const bounds = keyBounds(scan);
    if (bounds === undefined) return;
    const query = {
      partition: this.#keys.items(partition),
      where: bounds.where,
      attributes,
      // The bounds may be among them, and one more tells whether anything follows.
      limit: scan.limit + 3,
      reverse: scan.reverse,
    };
    for await (const page of this.#open().table.pages(query))
      yield page.filter((item) => bounds.has(item['sk']!.B!));
  }

  #open(): Opened {
    if (this.#opened === undefined) throw new Error('The driver is used outside its life.');
    return this.#opened;
  }
}

function keyOf({ sk }: Attributes): string {
  return Buffer.from(sk!.B!).toString();
}

/** What it takes to hand it over. */
function sizeOf(item: Attributes): number {
  const own = item['octets']?.B?.length ?? item['json']?.S?.length ?? 0;
  return own + (readNumber(item, 'byte_count') ?? 0);
}
