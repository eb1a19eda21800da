import type { MongoCollection, MongoDocument } from './mongodb-client';
import type { MongoLists } from './mongodb-lists';
import type { MongoLostChunks } from './mongodb-lost-chunks';
import { PLAIN, RECORD_FIELDS, toRemoval, type MongoRecord } from './mongodb-records';

/** Gives space back: of what has expired, and of lists that are no more. */
export class MongoSweep {
  readonly #items: MongoCollection;
  readonly #lists: MongoLists;
  readonly #lostChunks: MongoLostChunks;

  constructor(items: MongoCollection, lists: MongoLists, lostChunks: MongoLostChunks) {
    this.#items = items;
    this.#lists = lists;
    this.#lostChunks = lostChunks;
  }

  async sweep(limit: number, now: number): Promise<number> {
    const isExpired = { expiresAt: { $lte: now } };
    const found = await this.#find(isExpired, limit);
    const plain = found.filter(({ chunked }) => chunked === undefined).map(({ _id }) => _id);
    let swept = 0;
    if (plain.length > 0) {
      // Looked at again on the document itself, which may have been written meanwhile.
      const { deletedCount } = await this.#items.deleteMany({ ...isExpired, ...PLAIN, _id: { $in: plain } });
      swept += deletedCount;
    }
    for (const record of found) if (record.chunked) swept += await this.#remove(record, isExpired);
    if (found.length === limit) return limit;
    const dropping = await this.#find({ dropped: { $exists: true } }, limit - found.length);
    for (const record of dropping) {
      await this.tidy(record);
      swept += 1;
    }
    const left = limit - found.length - dropping.length;
    return left > 0 ? swept + (await this.#lostChunks.sweep(left)) : swept;
  }

  /** Removes the elements of the lists that a document has dropped, and then its note of them. */
  async tidy({ _id, dropped = [] }: Pick<MongoRecord, '_id' | 'dropped'>): Promise<void> {
    await this.#lists.dropChunks(dropped);
    await this.#items.deleteOne({ _id, kind: 'gone', dropped: [...dropped] });
    // Where there is a list again, `chunked` speaks of that one.
    const isValue = { _id, dropped: [...dropped], list: { $exists: false } };
    const { matchedCount } = await this.#items.updateOne(isValue, { $unset: { dropped: '', chunked: '' } });
    if (matchedCount === 0)
      await this.#items.updateOne({ _id, dropped: [...dropped] }, { $unset: { dropped: '' } });
  }

  /** First it is gone for everyone, and then its elements are: another's clock may call it visible. */
  async #remove(record: MongoRecord, isExpired: MongoDocument): Promise<number> {
    const { _id, version } = record;
    const change = toRemoval(record);
    if (change.type === 'update' && record.kind !== 'gone') {
      const { matchedCount } = await this.#items.updateOne({ _id, version, ...isExpired }, change.update);
      if (matchedCount === 0) return 0;
    }
    const [gone] = await this.#find({ _id, kind: 'gone' }, 1);
    if (gone === undefined) return 0;
    await this.tidy(gone);
    return 1;
  }

  async #find(filter: MongoDocument, limit: number): Promise<MongoRecord[]> {
    const options = { limit, batchSize: limit + 1, projection: RECORD_FIELDS };
    return (await this.#items.find(filter, options).toArray()) as unknown as MongoRecord[];
  }
}
