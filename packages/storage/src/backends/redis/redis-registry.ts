import type { DriverPage } from '../../driver';
import type { ByteRange } from '../../byte-range';
import { newId } from '../../new-id';
import type { RedisReply } from './redis-client';
import type { RedisConnection } from './redis-connection';
import { SHARDS, type RedisNames } from './redis-names';
import { COUNT, LIST, REGISTER, SWEEP, UNREGISTER, VACATE } from './redis-scripts';

interface Registered {
  readonly name: Buffer;
  readonly token: Buffer;
}

interface PartitionCount {
  /** At least. */
  readonly visible: number;
  /** At most. */
  readonly expired: number;
  /** Behind how many of the expired to look for what lasts; -1: there is no more. */
  readonly next: number;
}

const PAGE = 100;
/** Of one `sweep()`, so that it stays a small step however many partitions there are. */
const SWEPT_PARTITIONS = 1_000;
/** Of what is noted as expired, in one step of the server. */
const LOOKED_AT = 1_000;
const NUL = Buffer.of(0);

/**
 * The partitions that may hold something: each is registered before the first write into it, in one of 16 shards, and
 * taken off some time after its last item is gone. In between it is listed here, and hidden where it holds nothing.
 */
export class RedisRegistry {
  readonly #connection: RedisConnection;
  readonly #names: RedisNames;
  readonly #registering = new Map<string, Promise<unknown>>();
  /** Where the next sweep goes on. */
  #swept = { shard: 0, from: Buffer.alloc(0) };

  constructor(connection: RedisConnection, names: RedisNames) {
    this.#connection = connection;
    this.#names = names;
  }

  /** @param generation seen before; a registration that another began with an older one may have been undone */
  async register(partition: string, generation: string): Promise<void> {
    const which = `${generation} ${partition}`;
    let pending = this.#registering.get(which);
    if (pending === undefined) {
      const { partitions, tokens } = this.#names.shard(this.#names.shardOf(partition));
      pending = this.#connection
        .write(REGISTER, [partitions, tokens], [partition, newId()])
        .finally(() => this.#registering.delete(which));
      this.#registering.set(which, pending);
    }
    await pending;
  }

  async list({ from, to }: ByteRange, limit: number, now: number): Promise<DriverPage<string>> {
    const items: string[] = [];
    const size = Math.ceil((limit + 1) / SHARDS) + 8;
    for (let next: Buffer | undefined = from; next !== undefined;) {
      const start: Buffer = next;
      const pages = await Promise.all(
        Array.from({ length: SHARDS }, (_, shard) => this.#page(shard, start, to, size)),
      );
      // Behind the end of a page there may be more of its shard.
      const ends = pages.filter((page) => page.length === size).map((page) => page.at(-1)!.name);
      const end = ends.sort((a, b) => Buffer.compare(a, b))[0];
      const names = pages
        .flat()
        .map(({ name }) => name)
        .filter((name) => end === undefined || Buffer.compare(name, end) <= 0)
        .sort((a, b) => Buffer.compare(a, b))
        .map((name) => name.toString());
      const counts = await Promise.all(names.map((name) => this.#count(name, now, 1)));
      for (const [index, name] of names.entries()) {
        if (counts[index]! <= 0) continue;
        if (items.length === limit) return { items, hasMore: true };
        items.push(name);
      }
      next = end && Buffer.concat([end, NUL]);
    }
    return { items, hasMore: false };
  }

  /** Exact where fewer than `enough` are visible; else at least that many are. */
  async #count(partition: string, now: number, enough: number): Promise<number> {
    let { visible, next } = await this.#glance(partition, now);
    while (visible < enough && next >= 0)
      ({ visible, next } = await this.#glance(partition, now, next, LOOKED_AT));
    return visible;
  }

  /** Counts up to a little more than `limit`. */
  async countAll(limit: number, now: number): Promise<number> {
    let total = 0;
    for (let shard = 0; shard < SHARDS && total <= limit; shard += 1)
      for await (const page of this.#pages(shard, Buffer.alloc(0))) {
        const counts = await Promise.all(
          page.map(({ name }) => this.#count(name.toString(), now, limit + 1)),
        );
        for (const visible of counts) total += Math.max(visible, 0);
        if (total > limit) break;
      }
    return total;
  }

  /** Goes round the partitions, a part of them each time. */
  async sweep(limit: number, now: number): Promise<number> {
    let swept = 0;
    let seen = 0;
    const { shard: first, from } = this.#swept;
    // The shard that it begins within comes again at the end, from its start.
    for (let turn = 0; turn <= SHARDS; turn += 1) {
      const shard = (first + turn) % SHARDS;
      this.#swept = { shard, from: turn === 0 ? from : Buffer.alloc(0) };
      for await (const page of this.#pages(shard, this.#swept.from)) {
        swept += await this.#sweepPage(page, limit - swept, now);
        seen += page.length;
        if (swept === limit) return swept;
        this.#swept = { shard, from: Buffer.concat([page.at(-1)!.name, NUL]) };
        if (seen >= SWEPT_PARTITIONS) return swept;
      }
    }
    return swept;
  }

  async #sweepPage(page: readonly Registered[], limit: number, now: number): Promise<number> {
    // What is counted as expired and lasts is found by sweeping, and a partition that holds some is not vacant.
    const counts = await Promise.all(page.map(({ name }) => this.#glance(name.toString(), now)));
    let swept = 0;
    for (const [place, { visible, expired }] of counts.entries()) {
      const partition = page[place]!.name.toString();
      const { index, expiries } = this.#names.partition(partition);
      for (let isMore = expired > 0; isMore && swept < limit;) {
        const asked = limit - swept;
        const answer = await this.#connection.write(SWEEP, [index, expiries], [now, asked]);
        const [gone, seen] = answer as [number, number];
        swept += gone;
        isMore = seen === asked;
      }
      if (visible <= 0) await this.#retire(partition, page[place]!.token);
    }
    return swept;
  }

  async #glance(partition: string, now: number, offset = 0, lookedAt = 0): Promise<PartitionCount> {
    const { index, expiries } = this.#names.partition(partition);
    const answer = await this.#connection.read(COUNT, [index, expiries], [now, offset, lookedAt]);
    const [visible, expired, next] = answer as [number, number, number];
    return { visible, expired, next };
  }

  /**
   * Who registers meanwhile has either written a newer token than the one read before, or seen an older generation
   * and is sent to register again: no partition that holds something is ever missing here.
   */
  async #retire(partition: string, token: Buffer): Promise<void> {
    const { index, generation } = this.#names.partition(partition);
    const isVacant = (await this.#connection.write(VACATE, [index, generation], [newId()])) === 1;
    if (!isVacant) return;
    const { partitions, tokens } = this.#names.shard(this.#names.shardOf(partition));
    await this.#connection.write(UNREGISTER, [partitions, tokens], [partition, token]);
  }

  async *#pages(shard: number, from: Buffer): AsyncGenerator<readonly Registered[]> {
    for (let next: Buffer | undefined = from; next !== undefined;) {
      const page: readonly Registered[] = await this.#page(shard, next, undefined, PAGE);
      if (page.length > 0) yield page;
      next = page.length === PAGE ? Buffer.concat([page.at(-1)!.name, NUL]) : undefined;
    }
  }

  async #page(
    shard: number,
    from: Buffer,
    to: Buffer | undefined,
    size: number,
  ): Promise<readonly Registered[]> {
    const { partitions, tokens } = this.#names.shard(shard);
    const bounds = lexBounds(from, to);
    const flat = (await this.#connection.read(LIST, [partitions, tokens], [...bounds, size])) as RedisReply[];
    const found: Registered[] = [];
    for (let index = 0; index < flat.length; index += 2)
      found.push({ name: flat[index] as Buffer, token: flat[index + 1] as Buffer });
    return found;
  }
}

/** For ZRANGEBYLEX: from the first bound, which is never empty, up to but not including the second. */
export function lexBounds(
  from: Buffer,
  to: Buffer | undefined,
): [min: string | Buffer, max: string | Buffer] {
  return [
    from.length === 0 ? '(' : Buffer.concat([Buffer.from('['), from]),
    to === undefined ? '+' : Buffer.concat([Buffer.from('('), to]),
  ];
}
