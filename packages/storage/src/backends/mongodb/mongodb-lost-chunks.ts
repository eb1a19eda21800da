import type { MongoCollection } from './mongodb-client';
import type { MongoLists } from './mongodb-lists';

/**
 * Finds chunks that no item knows of: of a list that was deleted while its elements were copied, by a program that then
 * died. Every list has an id of its own, which an item names before the first chunk is written and, once it has ceased
 * to, never names again. So no list is lost whose elements are just being copied.
 */
export class MongoLostChunks {
  readonly #items: MongoCollection;
  readonly #chunks: MongoCollection;
  readonly #lists: MongoLists;
  /** The last list that was looked at. */
  #last = '';

  constructor(items: MongoCollection, chunks: MongoCollection, lists: MongoLists) {
    this.#items = items;
    this.#chunks = chunks;
    this.#lists = lists;
  }

  /** Looks at some chunks, by indexes alone, and goes on from there the next time. Says how many lists were lost. */
  async sweep(limit: number): Promise<number> {
    const found = await this.#chunks
      .find(
        { list: { $gt: this.#last } },
        {
          sort: { list: 1, start: 1 },
          limit,
          batchSize: limit + 1,
          projection: { _id: 0, list: 1 },
        },
      )
      .toArray();
    const lists = new Set(found.map(({ list }) => list as string));
    const lost = lists.size === 0 ? [] : await this.#lostOf(lists);
    if (lost.length > 0) await this.#lists.dropChunks(lost);
    this.#last = found.length < limit ? '' : (found.at(-1)!['list'] as string);
    return lost.length;
  }

  async #lostOf(lists: ReadonlySet<string>): Promise<string[]> {
    const lost = new Set(lists);
    // In this order: a list that an item drops in between is found by one or the other, or its chunks are removed.
    for (const name of ['list', 'dropped']) {
      if (lost.size === 0) break;
      const naming = await this.#items
        .find({ [name]: { $in: [...lost] } }, { projection: { _id: 0, [name]: 1 } })
        .toArray();
      for (const document of naming) for (const list of [document[name]].flat()) lost.delete(list as string);
    }
    return [...lost];
  }
}
