import type { Bodies } from './bodies';
import { number } from './dynamo-attributes';
import type { Attributes } from './dynamo-client';
import { EXPIRY_INDEX, EXPIRY_SHARDS, type DynamoKeys } from './dynamo-keys';
import type { DynamoTable } from './dynamo-table';
import type { DynamoParts } from './dynamo-values';
import { readHead } from './heads';
import { inParallel } from '../../in-parallel';
import type { PartitionRegistry } from './partition-registry';
import { Sightings } from './sightings';

/** Of one sweep, so that it stays a small step however many there are. */
const LOOKED_AT = { bodies: 100, partitions: 25 };
const WIDTH = 8;

/** Gives back the space of what has expired, of bodies that no item names, and of partitions that are empty. */
export class Sweeper {
  readonly #table: DynamoTable;
  readonly #keys: DynamoKeys;
  readonly #bodies: Bodies;
  readonly #registry: PartitionRegistry;
  /** Of notes of what no item names: younger ones may be about to be named. */
  readonly #unnamed = new Sightings();
  /** Where the next sweep goes on. */
  #body: Attributes | undefined;
  #partition: Attributes | undefined;

  constructor({ table, keys, bodies, registry }: DynamoParts) {
    this.#table = table;
    this.#keys = keys;
    this.#bodies = bodies;
    this.#registry = registry;
  }

  async sweep(limit: number, now: number): Promise<number> {
    let swept = 0;
    for (let shard = 0; shard < EXPIRY_SHARDS && swept < limit; shard += 1)
      swept += await this.#sweepShard(shard, limit - swept, now);
    if (swept < limit) swept += await this.#sweepBodies(limit - swept);
    this.#partition = await this.#registry.retire(this.#partition, LOOKED_AT.partitions, now);
    return swept;
  }

  async #sweepShard(shard: number, limit: number, now: number): Promise<number> {
    let swept = 0;
    const query = {
      partition: this.#keys.shard(shard),
      where: { expression: 'expires_at <= :now', values: { ':now': number(now) } },
      index: { name: EXPIRY_INDEX, partitionName: 'expiry_shard' },
      limit,
    };
    for await (const found of this.#table.pages(query)) {
      const due = found.slice(0, limit - swept);
      const removed = await inParallel(due, WIDTH, ({ pk, sk }) =>
        this.#removeExpired({ pk: pk!, sk: sk! }, now),
      );
      swept += removed.filter(Boolean).length;
      if (swept === limit) break;
    }
    return swept;
  }

  /** The index follows the table, so the item may have been written again. */
  async #removeExpired(key: Attributes, now: number): Promise<boolean> {
    const condition = { expression: 'expires_at <= :now', values: { ':now': number(now) } };
    const old = await this.#table.remove(key, condition);
    if (old === 'refused' || old === undefined) return false;
    const { body } = readHead(old);
    if (body !== undefined) await this.#bodies.forget(body);
    return true;
  }

  async #sweepBodies(limit: number): Promise<number> {
    const page = await this.#bodies.page(this.#body, LOOKED_AT.bodies);
    const owners = new Map(page.items.map((note) => [nameOf(note), this.#keys.item(...ownerOf(note))]));
    const heads = await this.#table.getMany([...owners.values()], 'pk, sk, body');
    const named = new Set(heads.map((head) => head?.['body']?.S));
    // Whether a list names a run takes long to find out, and is asked of old ones only.
    const unnamed = page.items.filter((note) => note['run_of'] !== undefined || !named.has(bodyOf(note)));
    const old = unnamed.filter((note) => this.#unnamed.isOld(bodyOf(note)));
    const isOrphan = await inParallel(old, WIDTH, async (note) => !(await this.#isNamed(note, named)));
    const orphans = old.filter((_, place) => isOrphan[place]);
    const dropped = await inParallel(orphans.slice(0, limit), WIDTH, (note) => this.#drop(note));
    // What did not fit into this sweep is looked at again.
    if (orphans.length > limit || dropped.includes(false)) return Math.min(orphans.length, limit);
    this.#body = page.last;
    if (page.last === undefined) this.#unnamed.endRound();
    return orphans.length;
  }

  async #isNamed(note: Attributes, named: ReadonlySet<string | undefined>): Promise<boolean> {
    const id = bodyOf(note);
    const body = note['run_of']?.S;
    if (body === undefined) return named.has(id);
    const owner = this.#keys.item(...ownerOf(note));
    if (!named.has(body) || !(await this.#bodies.holdsRun(body, id, owner))) return false;
    // Whoever appended it did not come so far as to take the note away.
    await this.#bodies.settleRun(id);
    return true;
  }

  async #drop(note: Attributes): Promise<boolean> {
    const body = note['run_of']?.S;
    return body === undefined ? this.#bodies.drop(bodyOf(note)) : this.#bodies.dropRun(body, bodyOf(note));
  }
}

function bodyOf({ sk }: Attributes): string {
  return Buffer.from(sk!.B!).toString();
}

function ownerOf(note: Attributes): [partition: string, key: string] {
  return [note['owner_partition']?.S ?? '', note['owner_key']?.S ?? ''];
}

function nameOf(note: Attributes): string {
  return JSON.stringify(ownerOf(note));
}
