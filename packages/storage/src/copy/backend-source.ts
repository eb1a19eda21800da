import type { Address, Backend, Item, Page, Value } from '../backend';
import { errorCode } from '../errors';
import { AdaptiveLimit } from './adaptive-limit';
import { versionsIn } from './copied-samples';
import type { ListPiece, Piece } from './piece';
import { sizeOf } from './piece';
import type { FindVersion, PieceSource, Position } from './piece-source';

const MIB = 2 ** 20;
const PAGE_BUDGET = 4 * MIB;
const LIST_BUDGET = MIB;
/** Lists whose beginning is asked for at the same time. */
const READ_AHEAD = 8;
/** A list that is written to all the time is left to the comparison in the end. */
const MAX_STARTS = 3;

type ListItem = Extract<Item, { type: 'list' }>;

/** Reads all that a backend keeps in partitions that begin with `prefix`. */
export class BackendSource implements PieceSource {
  readonly name: string;
  readonly maxValueBytes: number;
  readonly findVersion: FindVersion;
  readonly #backend: Backend;
  readonly #prefix: string;

  constructor(backend: Backend, prefix: string) {
    this.name = backend.name;
    this.maxValueBytes = backend.capabilities.maxValueBytes;
    this.findVersion = versionsIn(backend, prefix);
    this.#backend = backend;
    this.#prefix = prefix;
  }

  async *read(after?: Position): AsyncGenerator<Piece> {
    const limits = {
      items: new AdaptiveLimit(16, 1_000, PAGE_BUDGET),
      elements: new AdaptiveLimit(16, 1_000, LIST_BUDGET),
    };
    if (after !== undefined) yield* this.#partition(after.partition, limits, after.key);
    let last = after === undefined ? undefined : this.#prefix + after.partition;
    do {
      const options = last === undefined ? {} : { after: last };
      const page: Page<string> = await this.#backend.partitions(this.#prefix, options);
      for (const name of page.items) yield* this.#partition(name.slice(this.#prefix.length), limits);
      last = page.next;
    } while (last !== undefined);
  }

  async *#partition(partition: string, limits: Limits, from?: string): AsyncGenerator<Piece> {
    const within = this.#prefix + partition;
    let after = from;
    do {
      const options = { limit: limits.items.current, ...(after === undefined ? {} : { after }) };
      const page: Page<Item> = await this.#backend.scan(within, options);
      const lists = page.items.filter((item): item is ListItem => item.type === 'list');
      const starts = this.#startReading(within, lists, limits.elements);
      let bytes = 0;
      for (const item of page.items) {
        if (item.type === 'list') {
          yield* this.#list(partition, item, await starts.next(), limits.elements);
          continue;
        }
        bytes += sizeOf(item.value);
        yield { ...item, partition };
      }
      limits.items.took(page.items.length, bytes);
      after = page.next;
    } while (after !== undefined);
  }

  /** The beginnings of lists, some of them ahead of the one that is wanted. */
  #startReading(
    partition: string,
    lists: readonly ListItem[],
    limit: AdaptiveLimit,
  ): { next(): Promise<Chunk> } {
    const waiting = [...lists].reverse();
    const started: Promise<Chunk>[] = [];
    return {
      next: () => {
        while (started.length < READ_AHEAD) {
          const list = waiting.pop();
          if (list === undefined) break;
          const chunk = this.#chunk({ partition, key: list.key }, 0, limit.current);
          // Whoever stops before it is asked for must not leave a rejection behind.
          chunk.catch(() => undefined);
          started.push(chunk);
        }
        return started.shift()!;
      },
    };
  }

  async *#list(
    partition: string,
    found: ListItem,
    begun: Chunk,
    limit: AdaptiveLimit,
  ): AsyncGenerator<ListPiece> {
    const address = { partition: this.#prefix + partition, key: found.key };
    let head: ListItem | undefined = found;
    let chunk = begun;
    for (let starts = 1; head !== undefined && starts <= MAX_STARTS; starts += 1) {
      for (let offset = 0; ;) {
        limit.took(chunk.values.length, chunk.bytes);
        const { values, isEnd } = chunk;
        const end: number = offset + values.length;
        // What fills its page exactly may be the end all the same.
        const next: Chunk = isEnd ? NOTHING : await this.#chunk(address, end, limit.current);
        const isLast = isEnd || next.values.length === 0;
        if (isLast && offset > 0) {
          const now = await this.#head(address);
          if (now?.version !== head.version) {
            head = now;
            break;
          }
        }
        if (values.length > 0) yield { ...head, partition, offset, values, isLast };
        if (isLast) return;
        offset = end;
        chunk = next;
      }
      if (head !== undefined) chunk = await this.#chunk(address, 0, limit.current);
    }
  }

  async #chunk(address: Address, start: number, limit: number): Promise<Chunk> {
    let values: Value[];
    try {
      values = await this.#backend.range(address, start, start + limit - 1);
    } catch (error) {
      // There is a value now; the comparison in the end sees it.
      if (errorCode(error) !== 'WRONG_TYPE') throw error;
      values = [];
    }
    const bytes = values.reduce((sum: number, value) => sum + sizeOf(value), 0);
    return { values, bytes, isEnd: values.length < limit };
  }

  async #head({ partition, key }: Address): Promise<ListItem | undefined> {
    const { items } = await this.#backend.scan(partition, { range: { gte: key, lte: key }, limit: 1 });
    const [item] = items;
    return item?.type === 'list' ? item : undefined;
  }
}

interface Limits {
  readonly items: AdaptiveLimit;
  readonly elements: AdaptiveLimit;
}

interface Chunk {
  readonly values: readonly Value[];
  readonly bytes: number;
  readonly isEnd: boolean;
}

const NOTHING: Chunk = { values: [], bytes: 0, isEnd: true };
