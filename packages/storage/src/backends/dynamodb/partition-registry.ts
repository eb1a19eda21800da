import type { ByteRange } from '../../byte-range';
import type { DriverPage } from '../../driver';
import { newId } from '../../new-id';
import { number } from './dynamo-attributes';
import type { Attributes } from './dynamo-client';
import type { DynamoKeys } from './dynamo-keys';
import type { DynamoTable } from './dynamo-table';
import { VISIBLE } from './heads';
import { inParallel } from '../../in-parallel';
import { keyBounds } from './key-bounds';
import { Sightings } from './sightings';

interface Registration {
  readonly now: number;
  /** On the clock that only goes forward. */
  readonly at: number;
}

/** How long a process relies on having seen that a partition is registered. */
const TRUST_MS = 5 * 60_000;
const MAX_TRUSTED = 10_000;
const WIDTH = 16;

/**
 * The partitions that may hold something: each is registered before an item is written into it, and hidden where it
 * holds nothing. An empty one is marked, and taken off by whoever has seen that mark for an hour if it is still empty,
 * and nobody has registered it again since; whoever relies on having seen it registered without the mark has done so for
 * five minutes at most.
 */
export class PartitionRegistry {
  readonly #table: DynamoTable;
  readonly #keys: DynamoKeys;
  readonly #trusted = new Map<string, Registration>();
  readonly #registering = new Map<string, Promise<void>>();
  /** Of registrations that are marked as empty; there is a new one wherever the mark goes. */
  readonly #marked = new Sightings();

  constructor(table: DynamoTable, keys: DynamoKeys) {
    this.#table = table;
    this.#keys = keys;
  }

  async register(partition: string, now: number): Promise<void> {
    const known = this.#trusted.get(partition);
    if (known !== undefined && isFresh(known, now)) return;
    let pending = this.#registering.get(partition);
    if (pending === undefined) {
      pending = this.#register(partition, now).finally(() => this.#registering.delete(partition));
      this.#registering.set(partition, pending);
    }
    await pending;
  }

  async list(range: ByteRange, limit: number, now: number): Promise<DriverPage<string>> {
    const bounds = keyBounds(range);
    if (bounds === undefined) return { items: [], hasMore: false };
    const items: string[] = [];
    const query = {
      partition: this.#keys.partitions(),
      where: bounds.where,
      attributes: 'sk',
      // Some are hidden, and the bounds may be among them.
      limit: limit + 3,
    };
    for await (const page of this.#table.pages(query)) {
      const names = page.map(toName).filter((name) => bounds.has(Buffer.from(name)));
      const visible = await inParallel(names, WIDTH, (name) => this.holdsVisible(name, now));
      for (const [place, name] of names.entries()) {
        if (!visible[place]!) continue;
        if (items.length === limit) return { items, hasMore: true };
        items.push(name);
      }
    }
    return { items, hasMore: false };
  }

  /** Counts up to a little more than `limit`. */
  async count(limit: number, now: number): Promise<number> {
    let total = 0;
    for await (const page of this.#table.pages({
      partition: this.#keys.partitions(),
      attributes: 'sk',
      limit: 100,
    })) {
      await inParallel(page.map(toName), WIDTH, async (name) => {
        if (total > limit) return;
        const query = { ...this.#visible(name, now), limit: 1_000 };
        for await (const items of this.#table.pages(query)) {
          total += items.length;
          if (total > limit) return;
        }
      });
      if (total > limit) break;
    }
    return total;
  }

  /** Marks those of a page that are empty, and takes off those that have been for long; resolves to its last one. */
  async retire(after: Attributes | undefined, limit: number, now: number): Promise<Attributes | undefined> {
    const page = await this.#table.query({ partition: this.#keys.partitions(), limit, after });
    await inParallel(page.items, WIDTH, (entry) => this.#retire(entry, now));
    if (page.last === undefined) this.#marked.endRound();
    return page.last;
  }

  async holdsVisible(partition: string, now: number): Promise<boolean> {
    const query = this.#visible(partition, now);
    // The first is visible as a rule, and may be large.
    for (let limit = 1, after: Attributes | undefined; ; limit = Math.min(limit * 4, 256)) {
      const page = await this.#table.query({ ...query, limit, after });
      if (page.items.length > 0) return true;
      if (page.last === undefined) return false;
      after = page.last;
    }
  }

  #visible(partition: string, now: number) {
    return {
      partition: this.#keys.items(partition),
      attributes: 'sk',
      filter: { expression: VISIBLE, values: { ':now': number(now) } },
    };
  }

  async #register(partition: string, now: number): Promise<void> {
    const key = this.#keys.partition(partition);
    // Before the look: what is seen then is true from then on.
    const registration = { now, at: performance.now() };
    const found = await this.#table.get(key);
    if (found === undefined || found['empty_since'] !== undefined)
      await this.#table.put({ ...key, registration: { S: newId() } });
    this.#trusted.delete(partition);
    this.#trusted.set(partition, registration);
    if (this.#trusted.size > MAX_TRUSTED) this.#trusted.delete(this.#trusted.keys().next().value!);
  }

  async #retire(entry: Attributes, now: number): Promise<void> {
    const partition = toName(entry);
    const isMarked = entry['empty_since'] !== undefined;
    const key = this.#keys.partition(partition);
    const seen = { ':seen': entry['registration']! };
    const isOld = isMarked && this.#marked.isOld(entry['registration']!.S!);
    if (isMarked && !isOld) return;
    // What has expired and not been swept counts as well.
    const { items } = await this.#table.query({
      partition: this.#keys.items(partition),
      attributes: 'sk',
      limit: 1,
    });
    const isSame = { expression: 'registration = :seen', values: seen };
    if (items.length === 0 && isOld) await this.#table.remove(key, isSame);
    else if (items.length === 0)
      await this.#table.update(
        key,
        { expression: 'SET empty_since = :now', values: { ':now': number(now) } },
        isSame,
      );
    else if (isOld)
      await this.#table.update(
        key,
        { expression: 'SET registration = :next REMOVE empty_since', values: { ':next': { S: newId() } } },
        isSame,
      );
  }
}

function isFresh({ now: then, at }: Registration, now: number): boolean {
  return now >= then && now - then < TRUST_MS && performance.now() - at < TRUST_MS;
}

function toName({ sk }: Attributes): string {
  return Buffer.from(sk!.B!).toString();
}
