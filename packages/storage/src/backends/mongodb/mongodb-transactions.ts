import { setTimeout as wait } from 'node:timers/promises';
import type { DriverWrite, Verdict } from '../../driver';
import { StorageError } from '../../errors';
import type { MongoClient, MongoCollection, MongoDocument, MongoSession } from './mongodb-client';
import { isTransientConflict } from './mongodb-errors';
import { decide, RECORD_FIELDS, type Change, type MongoRecord, type RemoveAt } from './mongodb-records';

interface Transacted {
  readonly verdicts: Verdict[];
  /** What had elements elsewhere. */
  readonly touched: readonly MongoRecord[];
}

const ATTEMPTS = 100;

/** Looks at all documents of one snapshot, decides, and writes; another's write to one of them makes it begin anew. */
export class MongoTransactions {
  readonly #client: MongoClient;
  readonly #items: MongoCollection;
  readonly #removeAt: RemoveAt;

  constructor(client: MongoClient, items: MongoCollection, removeAt: RemoveAt) {
    this.#client = client;
    this.#items = items;
    this.#removeAt = removeAt;
  }

  async transact(writes: readonly DriverWrite[], now: number): Promise<Transacted> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(writes, now);
      } catch (error) {
        if (!isTransientConflict(error) || attempt === ATTEMPTS) throw error;
        await wait(Math.random() * Math.min(2 ** attempt, 50));
      }
    }
  }

  async #attempt(writes: readonly DriverWrite[], now: number): Promise<Transacted> {
    const session = this.#client.startSession();
    let isDone = false;
    try {
      session.startTransaction({ readConcern: { level: 'snapshot' }, readPreference: 'primary' });
      const { verdicts, changes, touched } = await this.#look(writes, now, session);
      if (changes !== undefined) {
        for (const [write, change] of changes) await this.#apply(write, change, session);
        await session.commitTransaction();
        isDone = true;
      }
      return { verdicts, touched };
    } finally {
      // What failed or was refused is undone by the server in any case; telling it frees the documents sooner.
      if (!isDone) await session.abortTransaction().catch(() => undefined);
      await session.endSession();
    }
  }

  async #look(writes: readonly DriverWrite[], now: number, session: MongoSession) {
    const { partition } = writes[0]!;
    const keys = writes.map(({ key }) => key);
    const documents = await this.#items
      .find({ partition, key: { $in: keys } }, { session, projection: { ...RECORD_FIELDS, key: 1 } })
      .toArray();
    const found = new Map(documents.map((document) => [document['key'], document as unknown as MongoRecord]));
    const decisions = writes.map((write) => decide(found.get(write.key), write, now, this.#removeAt));
    const verdicts = decisions.map(({ verdict }) => verdict);
    const isRefused = verdicts.some(({ status }) => ['exists', 'conflict', 'wrong-type'].includes(status));
    if (isRefused) return { verdicts, touched: [], changes: undefined };
    const changes = decisions.flatMap(({ change }, index) => {
      const write = writes[index]!;
      return change === undefined ? [] : [[{ write, found: found.get(write.key) }, change] as const];
    });
    return { verdicts, changes, touched: [...found.values()].filter(({ chunked }) => chunked) };
  }

  async #apply(
    {
      write: { partition, key },
      found,
    }: { readonly write: DriverWrite; readonly found: MongoRecord | undefined },
    change: Change,
    session: MongoSession,
  ): Promise<void> {
    if (found === undefined) {
      if (change.type === 'delete') return;
      const fields = change.update['$set'] as MongoDocument;
      await this.#items.insertOne({ partition, key, ...fields }, { session });
      return;
    }
    const { _id } = found;
    const { length } =
      change.type === 'delete'
        ? { length: (await this.#items.deleteOne({ _id }, { session })).deletedCount }
        : { length: (await this.#items.updateOne({ _id }, change.update, { session })).matchedCount };
    if (length === 0)
      throw new StorageError('UNAVAILABLE', 'A document left a transaction that had read it.');
  }
}
