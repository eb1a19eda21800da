import { setTimeout as wait } from 'node:timers/promises';
import type { DriverWrite, Verdict } from '../../driver';
import type { MongoClient, MongoCollection, MongoDocument, MongoSession } from './mongodb-client';
import { isEndUnknown, isUndone } from './mongodb-errors';
import { decide, RECORD_FIELDS, type Change, type MongoRecord, type RemoveAt } from './mongodb-records';

interface Transacted {
  readonly verdicts: Verdict[];
  /** What was there before. */
  readonly touched: readonly MongoRecord[];
}

interface Parts {
  readonly client: MongoClient;
  readonly items: MongoCollection;
  readonly writeConcern: object;
  readonly timeoutMs: number;
}

/** Of the time of a call; after that, it says why it fails before it is said to take too long. */
const TRYING = 0.8;
const MAX_PAUSE_MS = 50;

/**
 * Looks at all documents of one snapshot, decides, and writes. What undoes it (another's write to one of the documents,
 * a lock that did not come free, a new primary) makes it begin anew while there is time.
 */
export class MongoTransactions {
  readonly #parts: Parts;
  readonly #removeAt: RemoveAt;

  constructor(parts: Parts, removeAt: RemoveAt) {
    this.#parts = parts;
    this.#removeAt = removeAt;
  }

  async transact(writes: readonly DriverWrite[], now: number): Promise<Transacted> {
    const until = performance.now() + TRYING * this.#parts.timeoutMs;
    return whileIt(isUndone, until, () => this.#attempt(writes, now, until));
  }

  async #attempt(writes: readonly DriverWrite[], now: number, until: number): Promise<Transacted> {
    const { client, items, writeConcern } = this.#parts;
    const session = client.startSession();
    let isDone = false;
    try {
      session.startTransaction({
        readConcern: { level: 'snapshot' },
        readPreference: 'primary',
        writeConcern,
      });
      const { operations, ...transacted } = await this.#look(writes, now, session);
      if (operations.length > 0) await items.bulkWrite(operations, { session, ordered: true });
      // Also what was made before and is only found: maybe too few hold it yet.
      if (!transacted.verdicts.some(isRefusal)) {
        await whileIt(isEndUnknown, until, () => session.commitTransaction());
        isDone = true;
      }
      return transacted;
    } finally {
      // What failed or was refused is undone by the server in any case; telling it frees the documents sooner.
      if (!isDone) await session.abortTransaction().catch(() => undefined);
      await session.endSession();
    }
  }

  async #look(
    writes: readonly DriverWrite[],
    now: number,
    session: MongoSession,
  ): Promise<Transacted & { readonly operations: readonly MongoDocument[] }> {
    const { partition } = writes[0]!;
    const filter = { partition, key: { $in: writes.map(({ key }) => key) } };
    const options = { session, projection: { ...RECORD_FIELDS, key: 1 } };
    const documents = await this.#parts.items.find(filter, options).toArray();
    const found = new Map(documents.map((document) => [document['key'], document as unknown as MongoRecord]));
    const decisions = writes.map((write) => decide(found.get(write.key), write, now, this.#removeAt));
    const verdicts = decisions.map(({ verdict }) => verdict);
    if (verdicts.some(isRefusal)) return { verdicts, touched: [], operations: [] };
    const operations = decisions.flatMap(({ change }, index) => {
      const write = writes[index]!;
      return change === undefined ? [] : [toOperation(write, found.get(write.key), change)];
    });
    return { verdicts, operations, touched: [...found.values()] };
  }
}

/** Tries again, after a pause, what fails in a way that passes. */
async function whileIt<T>(
  passes: (error: unknown) => boolean,
  until: number,
  run: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      const pauseMs = Math.random() * Math.min(2 ** attempt, MAX_PAUSE_MS);
      if (!passes(error) || performance.now() + pauseMs > until) throw error;
      await wait(pauseMs);
    }
  }
}

function isRefusal({ status }: Verdict): boolean {
  return status === 'exists' || status === 'conflict' || status === 'wrong-type';
}

function toOperation(
  { partition, key }: DriverWrite,
  found: MongoRecord | undefined,
  change: Change,
): MongoDocument {
  const filter = { _id: found?._id, partition, key };
  if (change.type === 'delete') return { deleteOne: { filter } };
  if (found !== undefined) return { updateOne: { filter, update: change.update } };
  return { insertOne: { document: { partition, key, ...(change.update['$set'] as MongoDocument) } } };
}
