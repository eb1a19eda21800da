import { StorageError } from '../../errors';
import { newId } from '../../new-id';
import { number } from './dynamo-attributes';
import type { Attributes } from './dynamo-client';
import type { DynamoKeys } from './dynamo-keys';
import type { DynamoTable } from './dynamo-table';
import { inParallel } from './in-parallel';

export interface Body {
  readonly id: string;
  /** On the clock that only goes forward. */
  readonly begunAt: number;
}

const WIDTH = 8;
/** Whoever finds a body older than an hour that no item names may take it away: none is named any more by then. */
const COMMIT_MS = 10 * 60_000;
/** A call takes so many items of a body away by itself; the sweep takes the rest. */
const DROPPED_AT_ONCE = 2_000;

/**
 * What belongs to an item and is kept outside of it. A body is noted before anything is written into it, and counts
 * from the moment that its item names it: what a crash leaves behind is found by the note.
 */
export class Bodies {
  readonly #table: DynamoTable;
  readonly #keys: DynamoKeys;
  readonly #onError: (error: unknown) => void;

  constructor(table: DynamoTable, keys: DynamoKeys, onError: (error: unknown) => void) {
    this.#table = table;
    this.#keys = keys;
    this.#onError = onError;
  }

  async begin(partition: string, key: string, now: number): Promise<Body> {
    const id = newId();
    await this.#table.put({
      ...this.#keys.body(id),
      owner_partition: { S: partition },
      owner_key: { S: key },
      created_at: number(now),
    });
    return { id, begunAt: performance.now() };
  }

  /** To be asked right before an item is to name it. */
  checkAge({ begunAt }: Body): void {
    if (performance.now() - begunAt < COMMIT_MS) return;
    throw new StorageError('UNAVAILABLE', 'DynamoDB took longer than ten minutes for the parts of a value.');
  }

  async putParts(body: string, run: string, parts: readonly Uint8Array[]): Promise<void> {
    await inParallel(parts, WIDTH, (part, place) =>
      this.#table.put({ ...this.#keys.part(body, run, place), octets: { B: part } }),
    );
  }

  /** All bytes, or `undefined` where a part is missing. */
  async readParts(body: string, run: string, count: number): Promise<Buffer | undefined> {
    const places = Array.from({ length: count }, (_, place) => place);
    const parts = await inParallel(places, WIDTH, async (place) => {
      const item = await this.#table.get(this.#keys.part(body, run, place));
      return item?.['octets']?.B;
    });
    const whole = parts.filter((part) => part !== undefined);
    return whole.length < count ? undefined : Buffer.concat(whole);
  }

  /** As `drop`, for what no item names any more. A failure is nobody's but the sweep's. */
  async forget(body: string): Promise<void> {
    await this.drop(body).catch(this.#onError);
  }

  /** Whether nothing of it is left. */
  async drop(body: string): Promise<boolean> {
    let dropped = 0;
    const query = { partition: this.#keys.bodyItems(body), attributes: 'pk, sk' };
    for await (const items of this.#table.pages(query)) {
      await this.#table.removeMany(items);
      dropped += items.length;
      if (dropped >= DROPPED_AT_ONCE) return false;
    }
    await this.#table.removeMany([this.#keys.body(body)]);
    return true;
  }

  /** Notes of bodies after this one, in an order that stays. */
  async page(after: Attributes | undefined, limit: number) {
    return this.#table.query({ partition: this.#keys.bodies(), limit, after });
  }
}
