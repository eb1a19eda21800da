import type { AppendWrite, StoredRange, StoredValue, Verdict } from '../../driver';
import { StorageError } from '../../errors';
import { newId } from '../../new-id';
import type { MongoCollection, MongoDocument } from './mongodb-client';
import { isDuplicateKey } from './mongodb-errors';
import { fromElement, growing, isLive, live, sizeOf, type MongoRecord } from './mongodb-records';

/** What the document of a list holds at most before its elements move to one of their own. */
const TAIL_ELEMENTS = 256;
const TAIL_BYTES = 128 * 2 ** 10;
const ALL = 2 ** 30;

const GROWN = { _id: 1, list: 1, length: 1, tailStart: 1, tailBytes: 1 };

interface Chunk {
  readonly start: number;
  readonly count: number;
  readonly values: readonly unknown[];
}

/**
 * A list is one document that holds its newest elements, so that an append is one update of one document: all or
 * nothing, without a transaction. When there are many, they are copied to a document of their own, a chunk, and then
 * cut off; a chunk never changes, and counts only for what lies before `tailStart`, so a copy that is made twice, or
 * whose maker died, does no harm.
 */
export class MongoLists {
  readonly #items: MongoCollection;
  readonly #chunks: MongoCollection;
  readonly #onError: (error: unknown) => void;

  constructor(items: MongoCollection, chunks: MongoCollection, onError: (error: unknown) => void) {
    this.#items = items;
    this.#chunks = chunks;
    this.#onError = onError;
  }

  /**
   * Adds to a list that is there and visible, or begins one where nothing at all is; absent where something else is, or
   * the list had this version.
   */
  async grow(write: AppendWrite, now: number): Promise<Verdict | undefined> {
    const grown = await this.#growOrBegin(write, now);
    if (grown === undefined) return undefined;
    const { length = 0, tailStart = 0, tailBytes = 0 } = grown as unknown as MongoRecord;
    const { values } = write;
    // One of many who append at once, not each of them.
    const hasFilled =
      crosses(length - tailStart, values.length, TAIL_ELEMENTS) ||
      crosses(tailBytes, sizeOf(values), TAIL_BYTES);
    // The append is made, whatever becomes of this; a later one tries again.
    if (hasFilled) await this.spill(grown).catch(this.#onError);
    return { status: 'written', length };
  }

  async #growOrBegin(write: AppendWrite, now: number): Promise<MongoDocument | undefined> {
    const { partition, key, version } = write;
    try {
      const grown = await this.#items.findOneAndUpdate(
        { partition, key, kind: 'list', expiresAt: live(now), recent: { $ne: version } },
        { ...growing(write), $setOnInsert: { list: newId(), tailStart: 0 } },
        { upsert: true, returnDocument: 'after', projection: GROWN },
      );
      return grown ?? undefined;
    } catch (error) {
      if (isDuplicateKey(error)) return undefined;
      throw error;
    }
  }

  /** Moves a tail that is too long, where something else than `grow` has added to it. */
  async relieve({ _id, list, length = 0, tailStart = 0, tailBytes = 0 }: MongoRecord): Promise<void> {
    const isFull = length - tailStart >= TAIL_ELEMENTS || tailBytes >= TAIL_BYTES;
    if (list !== undefined && isFull) await this.spill({ _id, list }).catch(this.#onError);
  }

  /** Moves the tail of a list into a chunk. What comes in between, or stops it, leaves the list as it is. */
  async spill({ _id, list }: MongoDocument): Promise<void> {
    const marked = await this.#items.findOneAndUpdate(
      { _id, list },
      { $set: { chunked: true } },
      { returnDocument: 'after', projection: { tailStart: 1, tailBytes: 1, tail: 1 } },
    );
    if (marked === null) return;
    const {
      tailStart: start,
      tailBytes,
      tail,
    } = marked as {
      tailStart: number;
      tailBytes: number;
      tail: unknown[];
    };
    if (tail.length === 0) return;
    const count = await this.#copy({ list, start, count: tail.length, values: tail });
    // Numbers and names alone: nothing of the elements is taken for an expression.
    const cut = {
      tailStart: start + count,
      tail: { $slice: ['$tail', count, ALL] },
      tailBytes: { $max: [0, { $subtract: ['$tailBytes', Math.round((tailBytes * count) / tail.length)] }] },
    };
    const { matchedCount } = await this.#items.updateOne({ _id, list, tailStart: start }, [{ $set: cut }]);
    // Replaced or deleted meanwhile, and perhaps cleaned up already: then nobody else knows of the copy.
    if (matchedCount === 0 && (await this.#items.findOne({ _id, list }, { projection: { _id: 1 } })) === null)
      await this.dropChunks([list as string]);
  }

  async #copy(chunk: MongoDocument & Chunk): Promise<number> {
    try {
      await this.#chunks.insertOne(chunk);
      return chunk.count;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    // Another has copied the same elements, perhaps not as many.
    const { list, start } = chunk;
    const there = await this.#chunks.findOne({ list, start }, { projection: { count: 1 } });
    return (there as unknown as Chunk | null)?.count ?? 0;
  }

  async range(partition: string, key: string, start: number, end: number, now: number): Promise<StoredRange> {
    for (let attempt = 1; ; attempt += 1) {
      const found = await this.#items.findOne(
        { partition, key },
        { projection: { _id: 0, kind: 1, expiresAt: 1, list: 1, length: 1, tailStart: 1, tail: 1 } },
      );
      const record = found as unknown as (MongoRecord & { readonly tail: readonly unknown[] }) | null;
      if (record === null || !isLive(record, now)) return { values: [] };
      if (record.kind !== 'list') return 'wrong-type';
      const values = await this.#elements(record, start, end);
      if (values !== undefined) return { values };
      // Replaced, and its chunks gone, after the document was read.
      if (attempt === 10)
        throw new StorageError('CORRUPT', 'Elements of a list are missing. Restore it, or delete it.');
    }
  }

  /** Elements that are missing make it `undefined`. */
  async #elements(
    { list, length = 0, tailStart = 0, tail }: MongoRecord & { readonly tail: readonly unknown[] },
    start: number,
    end: number,
  ): Promise<StoredValue[] | undefined> {
    const first = Math.max(start < 0 ? length + start : start, 0);
    const last = Math.min(end < 0 ? length + end : end, length - 1);
    if (last < first) return [];
    const values: StoredValue[] = [];
    if (first < tailStart) {
      const chunks = await this.#chunksOf(list, first, Math.min(last, tailStart - 1));
      for (const chunk of chunks)
        for (const [index, element] of chunk.values.entries()) {
          const position = chunk.start + index;
          const isNext = position === first + values.length;
          if (isNext && position <= last && position < tailStart) values.push(fromElement(element));
        }
    }
    for (let position = first + values.length; position <= last; position += 1) {
      const element = tail[position - tailStart];
      if (position < tailStart || element === undefined) return undefined;
      values.push(fromElement(element));
    }
    return values;
  }

  /** The chunks that hold elements from the first to the last position, in order. */
  async #chunksOf(list: string | undefined, first: number, last: number): Promise<Chunk[]> {
    const [around] =
      first === 0
        ? []
        : await this.#chunks
            .find(
              { list, start: { $lte: first } },
              { sort: { start: -1 }, limit: 1, projection: { start: 1 } },
            )
            .toArray();
    const from = (around as unknown as Chunk | undefined)?.start ?? 0;
    const found = await this.#chunks
      .find(
        { list, start: { $gte: from, $lte: last } },
        { sort: { start: 1 }, projection: { _id: 0, start: 1, values: 1 } },
      )
      .toArray();
    return found as unknown as Chunk[];
  }

  /** Removes the chunks of lists that are no more. */
  async dropChunks(lists: readonly string[]): Promise<void> {
    await this.#chunks.deleteMany({ list: { $in: lists } });
  }
}

/** Whether what has been added, `grown` of it all, is what went over a multiple of `step`. */
function crosses(size: number, grown: number, step: number): boolean {
  return Math.floor(size / step) > Math.floor((size - grown) / step);
}
