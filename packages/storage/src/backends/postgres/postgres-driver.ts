import { addressName } from '../../address-name';
import type { Address, BackendStats, Capabilities } from '../../backend';
import type { ByteRange } from '../../byte-range';
import type {
  Driver,
  DriverPage,
  DriverScan,
  DriverWrite,
  ReadItem,
  SetWrite,
  StoredItem,
  StoredRange,
  Verdict,
} from '../../driver';
import { errorCode, type StorageError } from '../../errors';
import type { JsonFilter } from '../../json-filter';
import { isPlainSet } from '../../plain-set';
import { WritesInOrder } from '../../writes-in-order';
import { driveLater } from '../sql/drive-steps';
import type { SqlDialect, SqlQuery, SqlRow, SqlRunner, SqlSteps } from '../sql/sql-contract';
import { isAccepted, SqlOperations } from '../sql/sql-operations';
import { toColumns, toItem, toKey, toText } from '../sql/sql-rows';
import { GatheredCalls } from './gathered-calls';
import { PoolPlaces } from './pool-places';
import type { PostgresClient, PostgresPool } from './postgres-client';
import { explainPostgresError, isOfOneCall } from './postgres-errors';
import { PostgresListener } from './postgres-listener';
import { decodeRow, mostTogether, takePage } from './postgres-page';
import { fitInOne, groupsOf } from './statement-size';
import { hearErrors } from './unheard-errors';
import { postgresQuery } from './postgres-query';
import { postgresDialect } from './postgres-schema';
import { postgresStatements } from './postgres-statements';
import { prepareTables, readOnly } from './prepare-tables';

export interface PostgresDriverOptions {
  readonly openPool: () => Promise<PostgresPool>;
  /** A pool that was handed in stays open. */
  readonly isPoolOurs: boolean;
  readonly schema: string | undefined;
  /** Tells this schema's statements and channels from another's on the same connections. */
  readonly suffix: string;
  readonly preparesStatements: boolean;
  readonly maxValueBytes: number;
  /** How long a call may take. */
  readonly timeoutMs: number;
  readonly onError: (error: unknown) => void;
}

interface Opened {
  readonly pool: PostgresPool;
  readonly places: PoolPlaces;
  readonly listener: PostgresListener;
  readonly stopHearing: () => void;
}

interface Get extends Address {
  readonly now: number;
}

/** Beyond every name: no UTF-8 holds this byte. */
const BEYOND = Buffer.of(0xff);
const NUL = Buffer.of(0);

export class PostgresDriver implements Driver, SqlRunner {
  readonly name = 'postgres';
  readonly capabilities: Capabilities;
  readonly #options: PostgresDriverOptions;
  readonly #dialect: SqlDialect;
  readonly #operations: SqlOperations;
  readonly #own: ReturnType<typeof postgresStatements>;
  readonly #gets: GatheredCalls<Get, StoredItem | undefined>;
  readonly #sets: GatheredCalls<{ readonly write: SetWrite; readonly now: number }, Verdict>;
  readonly #order: WritesInOrder;
  /** Of the values that were read of late. */
  #usualBytes = 0;
  /** By a setting that was found when it was opened. */
  #isReadOnly = false;
  #opened: Opened | undefined;

  constructor(options: PostgresDriverOptions) {
    this.#options = options;
    this.capabilities = {
      transact: true,
      query: true,
      publish: true,
      maxValueBytes: options.maxValueBytes,
    };
    this.#dialect = postgresDialect(options.schema);
    this.#operations = new SqlOperations(this.#dialect);
    this.#own = postgresStatements(this.#dialect, this.#operations.statements);
    this.#order = new WritesInOrder(options.timeoutMs);
    this.#gets = new GatheredCalls({
      one: ({ partition, key, now }) => this.run(this.#operations.get(partition, key, now)),
      many: (gets) => this.#getTogether(gets),
      bytesOf: () => this.#usualBytes,
      isOfOne: isOfOneCall,
      patienceMs: options.timeoutMs,
    });
    this.#sets = new GatheredCalls({
      one: ({ write, now }) => this.run(this.#operations.write(write, now)),
      many: async (sets) => {
        // Of those to one address, the last is what can be seen.
        const last = new Map(sets.map(({ write }) => [addressName(write), write]));
        await this.#setMany([...last.values()]);
        return sets.map(() => ({ status: 'written' }));
      },
      identityOf: ({ write }) => addressName(write),
      bytesOf: ({ write }) => write.value.length,
      isOfOne: isOfOneCall,
      patienceMs: options.timeoutMs,
    });
  }

  async open(): Promise<void> {
    const { openPool, suffix, timeoutMs } = this.#options;
    const pool = await openPool();
    // Without a listener, a connection that breaks while idle ends the process.
    if (this.#options.isPoolOurs) pool.on('error', this.#tell);
    const listener = new PostgresListener({ pool, suffix, heartbeatMs: timeoutMs, onError: this.#tell });
    const places = new PoolPlaces(pool, this.#options.isPoolOurs);
    this.#opened = { pool, places, listener, stopHearing: hearErrors(pool) };
    const { isReadOnly } = await prepareTables({
      schema: this.#options.schema,
      dialect: this.#dialect,
      ask: (query) => pool.query(query),
      together: (work) => this.#together(work),
    });
    this.#isReadOnly = isReadOnly;
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.listener.close();
    opened?.stopHearing();
    if (this.#options.isPoolOurs) await opened?.pool.end();
  }

  explain(error: unknown): StorageError {
    if (this.#isReadOnly && errorCode(error) === '25006') return readOnly(error);
    return explainPostgresError(error, this.#opened?.places.areTaken);
  }

  async get(partition: string, key: string, now: number): Promise<StoredItem | undefined> {
    const item = await this.#gets.make({ partition, key, now });
    this.#usualBytes += ((item?.value?.length ?? 0) - this.#usualBytes) / 16;
    return item;
  }

  async getMany(addresses: readonly Address[], now: number): Promise<(StoredItem | undefined)[]> {
    const found = new Array<StoredItem | undefined>(addresses.length).fill(undefined);
    const partitions = addresses.map(({ partition }) => toKey(partition));
    const keys = addresses.map(({ key }) => toKey(key));
    const rows = await this.#ask({ statement: this.#own.getMany, values: [partitions, keys, now] });
    for (const row of rows) found[Number(row['ordinality']) - 1] = toItem(row);
    return found;
  }

  scan(partition: string, scan: DriverScan, now: number): Promise<DriverPage<ReadItem>> {
    const statement = scan.reverse ? this.#own.scanDown : this.#own.scanUp;
    return this.#page(partition, scan, now, ({ from, to = BEYOND, limit }) => ({
      statement,
      values: [toKey(partition), from, to, now, limit + 1, mostTogether(limit)],
    }));
  }

  keys(partition: string, scan: DriverScan, now: number): Promise<DriverPage<string>> {
    return this.run(this.#operations.keys(partition, scan, now));
  }

  partitions(range: ByteRange, limit: number, now: number): Promise<DriverPage<string>> {
    return this.run(this.#operations.partitions(range, limit, now));
  }

  range(partition: string, key: string, start: number, end: number, now: number): Promise<StoredRange> {
    return this.run(this.#operations.range(partition, key, start, end, now));
  }

  length(partition: string, key: string, now: number): Promise<number | undefined> {
    return this.run(this.#operations.length(partition, key, now));
  }

  write(write: DriverWrite, now: number): Promise<Verdict> {
    const way = isPlainSet(write) ? 'gathered' : undefined;
    return this.#order.make([addressName(write)], way, () => this.#write(write, now));
  }

  batch(writes: readonly DriverWrite[], now: number): Promise<(Verdict | Error)[]> {
    return this.#order.make([...new Set(writes.map(addressName))], undefined, () => this.#batch(writes, now));
  }

  transact(writes: readonly DriverWrite[], now: number): Promise<Verdict[]> {
    return this.#order.make(writes.map(addressName), undefined, () =>
      this.runTogether(this.#operations.transact(writes, now), isAccepted),
    );
  }

  query(partition: string, filter: JsonFilter, scan: DriverScan, now: number): Promise<DriverPage<ReadItem>> {
    return this.#page(partition, scan, now, (rest) =>
      postgresQuery(this.#dialect, partition, filter, rest, now),
    );
  }

  publish(channel: string, message: string): Promise<void> {
    return this.#open().listener.publish(channel, message);
  }

  subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>> {
    return this.#open().listener.subscribe(channel, listener);
  }

  sweep(limit: number, now: number): Promise<number> {
    return this.run(this.#operations.sweep(limit, now));
  }

  stats(now: number): Promise<BackendStats> {
    return this.run(this.#operations.stats(now));
  }

  run<T>(steps: SqlSteps<T>): Promise<T> {
    return driveLater(steps, (query) => this.#ask(query));
  }

  runTogether<T>(steps: SqlSteps<T>, isKept: (result: T) => boolean = () => true): Promise<T> {
    return this.#together(
      (client) => driveLater(steps, async (query) => (await client.query(this.#toConfig(query))).rows),
      isKept,
    );
  }

  async #write(write: DriverWrite, now: number): Promise<Verdict> {
    if (isPlainSet(write)) return this.#sets.make({ write, now });
    if (write.type !== 'append') return this.run(this.#operations.write(write, now));
    const { partition, key, values, version, expiresAt = null } = write;
    if (!fitInOne(values)) return this.runTogether(this.#operations.write(write, now));
    const columns = values.map((value) => toColumns(value, this.#dialect));
    const list = [toKey(partition), toKey(key), now, version, expiresAt, values.length];
    const [grown] = await this.#ask(
      columns.length === 1
        ? { statement: this.#own.appendOne, values: [...list, ...columns[0]!] }
        : {
            statement: this.#own.append,
            values: [...list, ...([0, 1, 2] as const).map((column) => columns.map((row) => row[column]))],
          },
    );
    if (grown !== undefined) return { status: 'written', length: Number(grown['length']) };
    return this.runTogether(this.#operations.write(write, now));
  }

  /** What writes without conditions, and to no address twice, goes together; everything else by itself. */
  async #batch(writes: readonly DriverWrite[], now: number): Promise<(Verdict | Error)[]> {
    const addresses = new Map<string, number>();
    for (const write of writes) {
      const address = addressName(write);
      addresses.set(address, (addresses.get(address) ?? 0) + 1);
    }
    const isPlain = (write: DriverWrite): write is SetWrite =>
      isPlainSet(write) && addresses.get(addressName(write)) === 1;
    const done = new Map<DriverWrite, Verdict | Error>();
    for (const group of groupsOf(writes.filter(isPlain))) {
      if (group.length === 1) continue;
      try {
        if (await this.#hasSetMany(group)) for (const write of group) done.set(write, { status: 'written' });
      } catch (error) {
        // Of a batch of which a part is made, the rest is told by itself: the whole is not to be made again.
        if (done.size === 0) throw error;
        for (const write of group) done.set(write, error as Error);
      }
    }
    const verdicts: (Verdict | Error)[] = [];
    for (const write of writes) {
      const known = done.get(write);
      if (known !== undefined) verdicts.push(known);
      else verdicts.push(await this.#write(write, now).catch((error: unknown) => error as Error));
    }
    return verdicts;
  }

  /** What is gone meanwhile is left out. */
  async #withLeftOut(
    partition: string,
    rows: readonly SqlRow[],
    leftOut: readonly SqlRow[],
    now: number,
  ): Promise<ReadItem[]> {
    const items = await this.getMany(
      leftOut.map(({ key }) => ({ partition, key: toText(key) })),
      now,
    );
    const apart = new Map(leftOut.map((row, place) => [row, items[place]]));
    return rows.flatMap((row) => (apart.has(row) ? (apart.get(row) ?? []) : decodeRow(row)));
  }

  async #together<T>(
    work: (client: PostgresClient) => Promise<T>,
    isKept: (result: T) => boolean = () => true,
  ): Promise<T> {
    const client = await this.#open().pool.connect();
    // What breaks between two queries reaches no query, and without a listener ends the process.
    client.on('error', this.#tell);
    let isClean = false;
    try {
      await client.query({ text: 'BEGIN' });
      const result = await work(client);
      await client.query({ text: isKept(result) ? 'COMMIT' : 'ROLLBACK' });
      isClean = true;
      return result;
    } finally {
      if (isClean) client.removeListener('error', this.#tell);
      // Closing the connection rolls back, and needs no answer from a server that may give none.
      client.release(!isClean);
    }
  }

  async #page(
    partition: string,
    scan: DriverScan,
    now: number,
    toQuery: (scan: DriverScan) => SqlQuery,
  ): Promise<DriverPage<ReadItem>> {
    const { limit, reverse } = scan;
    for (let rest = scan; ;) {
      const found = await this.#ask(toQuery(rest));
      const { rows, leftOut, hasMore } = takePage(found, limit);
      const items =
        leftOut.length === 0 ? rows.map(decodeRow) : await this.#withLeftOut(partition, rows, leftOut, now);
      if (items.length > 0 || !hasMore) return { items, hasMore };
      const last = rows.at(-1)!['key'] as Uint8Array;
      rest = reverse ? { ...rest, to: Buffer.from(last) } : { ...rest, from: Buffer.concat([last, NUL]) };
    }
  }

  async #getTogether(gets: readonly Get[]): Promise<(StoredItem | undefined)[]> {
    const found = await this.getMany(gets, Math.min(...gets.map(({ now }) => now)));
    return found.map((item, place) =>
      item?.expiresAt !== undefined && item.expiresAt <= gets[place]!.now ? undefined : item,
    );
  }

  /** Tells whether it wrote all; if not, none was, and each is tried by itself. */
  async #hasSetMany(writes: readonly SetWrite[]): Promise<boolean> {
    try {
      await this.#setMany(writes);
      return true;
    } catch (error) {
      if (!isOfOneCall(error) && this.explain(error).code === 'UNAVAILABLE') throw error;
      return false;
    }
  }

  /** All or none. */
  async #setMany(writes: readonly SetWrite[]): Promise<void> {
    const columns = writes.map(({ value }) => toColumns(value, this.#dialect));
    await this.#ask({
      statement: this.#own.setMany,
      values: [
        writes.map(({ partition }) => toKey(partition)),
        writes.map(({ key }) => toKey(key)),
        ...([0, 1, 2] as const).map((column) => columns.map((row) => row[column])),
        writes.map(({ version }) => version),
        writes.map(({ expiresAt = null }) => expiresAt),
      ],
    });
  }

  async #ask(query: SqlQuery): Promise<readonly SqlRow[]> {
    return (await this.#open().pool.query(this.#toConfig(query))).rows;
  }

  #toConfig({ statement: { name, text }, values }: SqlQuery): {
    text: string;
    values: unknown[];
    name?: string;
  } {
    const { preparesStatements, suffix } = this.#options;
    const own = values as unknown[];
    return preparesStatements && name !== ''
      ? { text, values: own, name: `${name}_${suffix}` }
      : { text, values: own };
  }

  readonly #tell = (error: unknown): void => this.#options.onError(this.explain(error));

  #open(): Opened {
    if (this.#opened === undefined) throw new Error('The driver is used outside its life.');
    return this.#opened;
  }
}
