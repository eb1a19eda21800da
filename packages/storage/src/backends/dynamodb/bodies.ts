import type { Address } from '../../backend';
import { StorageError } from '../../errors';
import { newId } from '../../new-id';
import { number } from './dynamo-attributes';
import type { Attribute, Attributes } from './dynamo-client';
import { segmentKey, type DynamoKeys } from './dynamo-keys';
import type { DynamoTable, TableQuery } from './dynamo-table';
import { inParallel } from '../../in-parallel';

export interface Body {
  readonly id: string;
  /** On the clock that only goes forward. */
  readonly begunAt: number;
}

const WIDTH = 8;
/** Whoever has seen for an hour that no item names a body may take it away: none is named any more by then. */
const COMMIT_MS = 10 * 60_000;
/** A call takes so many items of a body away by itself; the sweep takes the rest. */
const DROPPED_AT_ONCE = 2_000;
/** Of a part, or of an element. */
const LAST = 2 ** 48 - 1;

/**
 * What belongs to an item and is kept outside of it. A body is noted before anything is written into it, and counts
 * from the moment that its item names it: what a crash leaves behind is found by the note. So is a run that goes into a
 * body which an item names already; that note is taken away once the item names the run.
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
    // Before the note is there: whoever sees it first is later.
    const begunAt = performance.now();
    return { id: await this.#note(partition, key, now), begunAt };
  }

  /** Of a run in a body that is named, so that its own note would find nothing. */
  async beginRun(body: string, { partition, key }: Address, now: number): Promise<string> {
    return this.#note(partition, key, now, body);
  }

  async #note(partition: string, key: string, now: number, runOf?: string): Promise<string> {
    const id = newId();
    await this.#table.put({
      ...this.#keys.body(id),
      owner_partition: { S: partition },
      owner_key: { S: key },
      created_at: number(now),
      ...(runOf !== undefined && { run_of: { S: runOf } }),
    });
    return id;
  }

  /** The item names the run by now. A failure is nobody's but the sweep's. */
  async settleRun(run: string): Promise<void> {
    await this.#table.remove(this.#keys.body(run)).catch(this.#onError);
  }

  /** Whether a list that names the body names the run as well, asked when nobody is about to do so any more. */
  async holdsRun(body: string, run: string, owner: Attributes): Promise<boolean> {
    const isIt = (entry: Attribute): boolean => entry.M?.['run']?.S === run;
    // First the tail, since elements move from it into segments.
    const head = await this.#table.get(owner, 'body, tail');
    if (head?.['body']?.S !== body) return false;
    if (head['tail']?.L?.some(isIt) === true) return true;
    const query = {
      partition: this.#keys.bodyItems(body),
      where: {
        expression: 'sk BETWEEN :from AND :to',
        values: { ':from': { B: segmentKey(0) }, ':to': { B: segmentKey(LAST) } },
      },
      attributes: 'entries',
    };
    for await (const items of this.#table.pages(query))
      if (items.some((item) => item['entries']?.L?.some(isIt) === true)) return true;
    return false;
  }

  /** Whether nothing of it is left. */
  async dropRun(body: string, run: string): Promise<boolean> {
    const [from, to] = [0, LAST].map((part) => this.#keys.part(body, run, part)['sk']!);
    return this.#dropNoted(run, {
      partition: this.#keys.bodyItems(body),
      where: { expression: 'sk BETWEEN :from AND :to', values: { ':from': from!, ':to': to! } },
    });
  }

  /** To be asked right before an item is to name it. */
  checkAge({ begunAt }: Pick<Body, 'begunAt'>): void {
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
    return this.#dropNoted(body, { partition: this.#keys.bodyItems(body) });
  }

  async #dropNoted(note: string, query: TableQuery): Promise<boolean> {
    let dropped = 0;
    for await (const items of this.#table.pages({ ...query, attributes: 'pk, sk' })) {
      await this.#table.removeMany(items);
      dropped += items.length;
      if (dropped >= DROPPED_AT_ONCE) return false;
    }
    await this.#table.removeMany([this.#keys.body(note)]);
    return true;
  }

  /** As `forget`. */
  async forgetRun(body: string, run: string): Promise<void> {
    await this.dropRun(body, run).catch(this.#onError);
  }

  /** Notes of bodies and runs after this one, in an order that stays. */
  async page(after: Attributes | undefined, limit: number) {
    return this.#table.query({ partition: this.#keys.bodies(), limit, after });
  }
}
