import type { Address, BackendStats, Capabilities } from '../../backend';
import type { ByteRange } from '../../byte-range';
import type {
  Driver,
  DriverPage,
  DriverScan,
  DriverWrite,
  SetWrite,
  StoredItem,
  StoredRange,
  Verdict,
} from '../../driver';
import type { StorageError } from '../../errors';
import { isPlainSet } from '../../plain-set';
import { WritesInOrder, type Run } from '../../writes-in-order';
import { Odds } from './odds';
import type { RedisArgument, RedisClient, RedisReply } from './redis-client';
import { RedisConnection } from './redis-connection';
import { explainRedisError, replyCode } from './redis-errors';
import { RedisListener } from './redis-listener';
import { RedisNames } from './redis-names';
import { decodeElement, decodeRecord, encodeElement, encodeRecord } from './redis-records';
import { lexBounds, RedisRegistry } from './redis-registry';
import type { RedisScript } from './redis-script';
import { GROW, KEYS, LENGTH, PUBLISH, RANGE, SCAN, SET, WRITE } from './redis-scripts';
import { warnOfEviction } from './warn-of-eviction';

export interface RedisDriverOptions {
  readonly openClient: () => Promise<RedisClient>;
  readonly isClientOurs: boolean;
  readonly keyPrefix: string;
  readonly waitReplicas: number;
  readonly waitTimeoutMs: number;
  readonly quitMs: number;
  readonly heartbeatMs: number;
  readonly maxValueBytes: number;
  readonly onError: (error: unknown) => void;
  readonly onWarning: (message: string) => void;
}

interface Opened {
  readonly connection: RedisConnection;
  readonly registry: RedisRegistry;
  readonly listener: RedisListener;
}

/** Whether there may be more, the last key that was read, and keys and records by turns. */
type ScanAnswer = [goesOn: number, last: Buffer, ...found: Buffer[]];

/** The server's clock and ours may differ; what it drops on its own must have expired by every one of them. */
const GRACE_MS = 60_000;
const COUNT_LIMIT = 10_000;
const PAGE_BYTES = 4 * 2 ** 20;
/** Items that the server looks at in one step; and keys alone. */
const CHUNK = 250;
const KEYS_CHUNK = 500;

const VERDICTS = {
  w: { status: 'written' },
  e: { status: 'exists' },
  c: { status: 'conflict' },
  d: { status: 'deleted' },
  m: { status: 'missing' },
  t: { status: 'wrong-type' },
} as const satisfies Record<string, Verdict>;

export class RedisDriver implements Driver {
  readonly name = 'redis';
  readonly capabilities: Capabilities;
  readonly #options: RedisDriverOptions;
  readonly #names: RedisNames;
  /** Whether what is set is mostly there already. */
  readonly #overwrites = new Odds();
  readonly #order: WritesInOrder;
  #opened: Opened | undefined;
  #hasWarned = false;

  constructor(options: RedisDriverOptions) {
    this.#options = options;
    this.#names = new RedisNames(options.keyPrefix);
    this.#order = new WritesInOrder(options.heartbeatMs);
    const { maxValueBytes } = options;
    this.capabilities = { transact: true, query: false, publish: true, maxValueBytes };
  }

  async open(): Promise<void> {
    const { openClient, isClientOurs: isOurs, onError } = this.#options;
    const client = await openClient();
    const connection = new RedisConnection(client, { ...this.#options, isOurs });
    const listener = new RedisListener(() => duplicateOf(client), {
      ...this.#options,
      onError: (error) => onError(explainRedisError(error)),
    });
    this.#opened = { connection, listener, registry: new RedisRegistry(connection, this.#names) };
    await connection.open();
    await warnOfEviction(client, (message) => {
      if (!this.#hasWarned) this.#options.onWarning(message);
      this.#hasWarned = true;
    });
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await Promise.all([opened?.listener.close(), opened?.connection.close()]);
  }

  explain(error: unknown): StorageError {
    return this.#opened?.connection.explain(error) ?? explainRedisError(error);
  }

  async get(partition: string, key: string, now: number): Promise<StoredItem | undefined> {
    const name = this.#names.item(partition, key);
    let record: Buffer | null;
    try {
      record = await this.#open().connection.commands.getBuffer(name);
    } catch (error) {
      if (replyCode(error) !== 'WRONGTYPE') throw error;
      const length = await this.length(partition, key, now);
      // Another set a value meanwhile.
      if (length === undefined) return this.get(partition, key, now);
      return length === 0 ? undefined : { key, version: '' };
    }
    if (record === null) return undefined;
    const item = decodeRecord(key, record);
    return item.expiresAt === undefined || item.expiresAt > now ? item : undefined;
  }

  getMany(addresses: readonly Address[], now: number): Promise<(StoredItem | undefined)[]> {
    return Promise.all(addresses.map(({ partition, key }) => this.get(partition, key, now)));
  }

  async scan(
    partition: string,
    { from, to, limit, reverse }: DriverScan,
    now: number,
  ): Promise<DriverPage<StoredItem>> {
    const { index, expiries } = this.#names.partition(partition);
    let [min, max] = lexBounds(from, to);
    const items: StoredItem[] = [];
    for (let bytes = 0; ;) {
      const count = Math.min(limit + 1 - items.length, CHUNK);
      const bounds = reverse ? ['ZREVRANGEBYLEX', max, min] : ['ZRANGEBYLEX', min, max];
      const args = [...bounds, count, Math.max(PAGE_BYTES - bytes, 0)];
      const [goesOn, last, ...found] = (await this.#read(SCAN, [index, expiries], args)) as ScanAnswer;
      for (let at = 0; at < found.length; at += 2) {
        const record = found[at + 1]!;
        const item = decodeRecord(String(found[at]), record);
        if (item.expiresAt !== undefined && item.expiresAt <= now) continue;
        bytes += record.length;
        const isFull = items.length === limit || (bytes > PAGE_BYTES && items.length > 0);
        if (isFull) return { items, hasMore: true };
        items.push(item);
      }
      if (goesOn === 0) return { items, hasMore: false };
      const bound = Buffer.concat([Buffer.from('('), last]);
      if (reverse) max = bound;
      else min = bound;
    }
  }

  async keys(
    partition: string,
    { from, to, limit, reverse }: DriverScan,
    now: number,
  ): Promise<DriverPage<string>> {
    const { index, expiries } = this.#names.partition(partition);
    let [min, max] = lexBounds(from, to);
    const items: string[] = [];
    for (;;) {
      const count = Math.min(limit + 1 - items.length, KEYS_CHUNK);
      const bounds = reverse ? ['ZREVRANGEBYLEX', max, min] : ['ZRANGEBYLEX', min, max];
      const answer = await this.#read(KEYS, [index, expiries], [now, ...bounds, count]);
      const [seen, last, ...found] = answer as [number, Buffer, ...Buffer[]];
      const room = limit - items.length;
      items.push(...found.slice(0, room).map(String));
      if (found.length > room) return { items, hasMore: true };
      if (seen < count) return { items, hasMore: false };
      const bound = Buffer.concat([Buffer.from('('), last]);
      if (reverse) max = bound;
      else min = bound;
    }
  }

  partitions(range: ByteRange, limit: number, now: number): Promise<DriverPage<string>> {
    return this.#open().registry.list(range, limit, now);
  }

  async range(partition: string, key: string, start: number, end: number, now: number): Promise<StoredRange> {
    const answer = await this.#read(RANGE, [this.#names.item(partition, key)], [now, start, end]);
    return answer === 0 ? 'wrong-type' : { values: (answer as Buffer[]).map(decodeElement) };
  }

  async length(partition: string, key: string, now: number): Promise<number | undefined> {
    const length = (await this.#read(LENGTH, [this.#names.item(partition, key)], [now])) as number;
    return length < 0 ? undefined : length;
  }

  write(write: DriverWrite, now: number): Promise<Verdict> {
    const { partition, key } = write;
    const name = this.#names.item(partition, key);
    if (!isPlainSet(write))
      return this.#order.make([name], wayOf(write), (run) => this.#write(write, now, run));
    const record = encodeRecord(write.value, write.version, write.expiresAt);
    const mayBeThere =
      this.#options.waitReplicas === 0 &&
      (write.expiresAt === undefined || !this.#open().connection.client.isCluster);
    // What is there is in the index, so that one command does it, which costs the server a third of the script.
    return mayBeThere && this.#overwrites.areGood
      ? this.#order.make([name], 'overwrite', (run) => this.#overwrite(name, write, record, now, run))
      : this.#order.make([name], 'add', (run) => this.#add(write, record, now, run));
  }

  /** At once; those to one address are in their order as all are. */
  batch(writes: readonly DriverWrite[], now: number): Promise<(Verdict | Error)[]> {
    return Promise.all(
      writes.map((write) => this.write(write, now).catch((error: unknown) => error as Error)),
    );
  }

  transact(writes: readonly DriverWrite[], now: number): Promise<Verdict[]> {
    const names = writes.map(({ partition, key }) => this.#names.item(partition, key));
    return this.#order.make(names, undefined, (run) => this.#transact(writes, now, run));
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#open().connection.send(PUBLISH, [this.#channel(channel)], [message]);
  }

  subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>> {
    // The driver puts a prefix of its own before keys, as which a channel is published to, and not before this.
    const { keyPrefix = '' } = this.#open().connection.client.options;
    return this.#open().listener.subscribe(`${keyPrefix}${this.#channel(channel)}`, listener);
  }

  sweep(limit: number, now: number): Promise<number> {
    return this.#open().registry.sweep(limit, now);
  }

  async stats(now: number): Promise<BackendStats> {
    const items = await this.#open().registry.countAll(COUNT_LIMIT, now);
    return { items: Math.min(items, COUNT_LIMIT), isCapped: items > COUNT_LIMIT };
  }

  async #write(write: DriverWrite, now: number, run: Run): Promise<Verdict> {
    if (write.type === 'append' && write.expiresAt === undefined) {
      const { partition, key, version, values } = write;
      const args = [now, version, ...values.map(encodeElement)];
      const length = await this.#open().connection.write(GROW, [this.#names.item(partition, key)], args, run);
      if (length !== -1) return { status: 'written', length: length as number };
      run.isLong = true;
    }
    return (await this.#transact([write], now, run))[0]!;
  }

  async #overwrite(
    name: string,
    write: SetWrite,
    record: string | Buffer,
    now: number,
    run: Run,
  ): Promise<Verdict> {
    const { partition, key, expiresAt } = write;
    const { connection } = this.#open();
    const { expiries } = this.#names.partition(partition);
    const wasThere = await (expiresAt === undefined
      ? connection.overwrite(name, record)
      : connection.overwrite(name, record, { expiries, key, expiresAt, ttlMs: expiresAt - now + GRACE_MS }));
    this.#overwrites.note(wasThere);
    if (wasThere) return VERDICTS.w;
    run.isLong = true;
    await this.#setByScript(write, record, now, run);
    return VERDICTS.w;
  }

  async #add(write: SetWrite, record: string | Buffer, now: number, run: Run): Promise<Verdict> {
    const isNew = await this.#setByScript(write, record, now, run);
    this.#overwrites.note(!isNew);
    return VERDICTS.w;
  }

  /** Tells whether the key is new. */
  async #setByScript(
    { partition, key, expiresAt }: SetWrite,
    record: string | Buffer,
    now: number,
    run: Run,
  ): Promise<boolean> {
    const { index, expiries, generation, items } = this.#names.partition(partition);
    const added = await this.#admitted(
      partition,
      SET,
      [index, expiries, generation, `${items}${key}`],
      (seen) =>
        // What is left out is neither encoded nor read.
        expiresAt === undefined
          ? seen === ''
            ? [key, record]
            : [key, record, seen]
          : [key, record, seen, ...lifetime(expiresAt, now)],
      run,
    );
    return added === 1;
  }

  async #transact(writes: readonly DriverWrite[], now: number, run: Run): Promise<Verdict[]> {
    const { partition } = writes[0]!;
    const { index, expiries, generation, items } = this.#names.partition(partition);
    const keys = [index, expiries, generation, ...writes.map(({ key }) => `${items}${key}`)];
    const fields = writes.flatMap((write) => toFields(write, now));
    const answer = await this.#admitted(partition, WRITE, keys, (seen) => [now, seen, ...fields], run);
    return (answer as (number | Buffer)[]).map((one) =>
      typeof one === 'number'
        ? { status: 'written', length: one }
        : VERDICTS[one.toString() as keyof typeof VERDICTS],
    );
  }

  /** Writes into a partition that the registry knows; where the script finds it does not, it is told first. */
  async #admitted(
    partition: string,
    script: RedisScript,
    keys: readonly string[],
    toArguments: (seen: string) => readonly RedisArgument[],
    run: Run,
  ): Promise<RedisReply> {
    const { connection, registry } = this.#open();
    for (let seen = ''; ;) {
      const answer = await connection.write(script, keys, toArguments(seen), run);
      if (!Buffer.isBuffer(answer)) return answer;
      seen = answer.toString();
      run.isLong = true;
      await registry.register(partition, seen);
    }
  }

  #read(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<RedisReply> {
    return this.#open().connection.read(script, keys, args);
  }

  #channel(channel: string): string {
    const { client } = this.#open().connection;
    return this.#names.channel(client.isCluster ? 0 : (client.options.db ?? 0), channel);
  }

  #open(): Opened {
    if (this.#opened === undefined) throw new Error('The driver is used outside its life.');
    return this.#opened;
  }
}

/** What takes the same steps. */
function wayOf(write: DriverWrite): string {
  if (write.type === 'delete') return 'delete';
  return write.type === 'append' && write.expiresAt === undefined ? 'grow' : 'write';
}

/** expiresAt and ttlMs; the server drops it no earlier than our clock says. */
function lifetime(expiresAt: number | undefined, now: number): [number | '', number | ''] {
  return expiresAt === undefined ? ['', ''] : [expiresAt, expiresAt - now + GRACE_MS];
}

function toFields(write: DriverWrite, now: number): RedisArgument[] {
  switch (write.type) {
    case 'delete':
      return ['d', write.key, '', '', '', write.ifVersion ?? '', 0];
    case 'append': {
      const { key, version, expiresAt, values } = write;
      const elements = values.map(encodeElement);
      return ['a', key, version, ...lifetime(expiresAt, now), '', elements.length, ...elements];
    }
    case 'set': {
      const { key, value, version, expiresAt, ifAbsent, ifVersion } = write;
      // No version is a space.
      const condition = ifAbsent ? ' ' : (ifVersion ?? '');
      const record = encodeRecord(value, version, expiresAt);
      return ['s', key, version, ...lifetime(expiresAt, now), condition, 1, record];
    }
  }
}

function duplicateOf(client: RedisClient): RedisClient {
  return client.isCluster
    ? client.duplicate([], { lazyConnect: true })
    : client.duplicate({ lazyConnect: true });
}
