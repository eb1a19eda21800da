import { addressName } from '../../address-name';
import type { DriverWrite, SetWrite, Verdict } from '../../driver';
import { isPlainSet } from '../../plain-set';
import type { MongoClient, MongoCollection, MongoDocument } from './mongodb-client';
import { explainMongoError, isDuplicateKey, isTooLarge } from './mongodb-errors';
import type { MongoLists } from './mongodb-lists';
import {
  decide,
  isLive,
  PLAIN,
  RECORD_FIELDS,
  valueFields,
  type Change,
  type MongoRecord,
} from './mongodb-records';
import type { MongoSweep } from './mongodb-sweep';
import { MongoTransactions } from './mongodb-transactions';

export interface MongoWriterParts {
  readonly client: MongoClient;
  readonly items: MongoCollection;
  readonly lists: MongoLists;
  readonly sweep: MongoSweep;
  readonly writeConcern: object;
  readonly timeoutMs: number;
  readonly serverNow: () => number;
  readonly onError: (error: unknown) => void;
}

/** Of one of several writes, by its place among them. */
interface WriteFailure {
  readonly index: number;
}

interface BulkFailure {
  readonly writeErrors?: WriteFailure | readonly WriteFailure[];
  readonly result?: { readonly getWriteConcernError?: () => unknown };
}

/** The server's clock may go on differently from what it was when it was asked, and removes in steps of a minute. */
const GRACE_MS = 3_600_000;
/** The last instant of a `Date`. */
const MAX_INSTANT = 8.64e15;

/**
 * Every write is one operation on one document, with its condition in the filter. What is most common is written at
 * once, and what then turns out to be in the way makes it look first, decide, and write if nothing has changed since.
 */
export class MongoWriter {
  readonly #parts: MongoWriterParts;
  readonly #items: MongoCollection;
  readonly #transactions: MongoTransactions;

  constructor(parts: MongoWriterParts) {
    this.#parts = parts;
    this.#items = parts.items;
    this.#transactions = new MongoTransactions(parts, this.#removeAt);
  }

  async write(write: DriverWrite, now: number): Promise<Verdict> {
    for (;;) {
      const verdict = await this.#writeAtOnce(write, now);
      if (verdict !== undefined) return verdict;
      const found = await this.#look(write);
      const decision = decide(found, write, now, this.#removeAt);
      if (decision.change === undefined) {
        if (found !== undefined && decision.verdict.status === 'written') await this.#confirm(found);
        return decision.verdict;
      }
      // Another was just as quick. Where many are, each would find again and again that something has changed.
      if (found !== undefined && isWrittenAtOnce(write, found, now)) continue;
      if (!(await this.#apply(write, found, decision.change))) continue;
      if (found?.chunked) await this.#tidyLater(found._id);
      return decision.verdict;
    }
  }

  /** Absent: something is in the way that has to be looked at. */
  async #writeAtOnce(write: DriverWrite, now: number): Promise<Verdict | undefined> {
    switch (write.type) {
      case 'set':
        if (!isPlainSet(write)) return undefined;
        return (await this.#setPlain(write, now)) ? { status: 'written' } : undefined;
      case 'append':
        return this.#grow(write, now);
      case 'delete': {
        if (write.ifVersion !== undefined) return undefined;
        const { partition, key } = write;
        const deleted = await this.#items.findOneAndDelete(
          { partition, key, ...PLAIN },
          { projection: { _id: 0, expiresAt: 1 } },
        );
        if (deleted === null) return undefined;
        return { status: isLive(deleted, now) ? 'deleted' : 'missing' };
      }
    }
  }

  async #look({ partition, key }: DriverWrite): Promise<MongoRecord | undefined> {
    const found = await this.#items.findOne({ partition, key }, { projection: RECORD_FIELDS });
    return (found ?? undefined) as MongoRecord | undefined;
  }

  /**
   * Waits until as many hold what was found as a write waits for: whoever made it may have failed to. Changes nothing,
   * after which the server waits for all that it has written before.
   */
  async #confirm({ _id, version }: MongoRecord): Promise<void> {
    await this.#items.updateOne({ _id, version }, { $set: { version } });
  }

  /** What writes without conditions, and to no address twice, goes together; everything else by itself. */
  async batch(writes: readonly DriverWrite[], now: number): Promise<(Verdict | Error)[]> {
    const addresses = new Map<string, number>();
    for (const write of writes)
      addresses.set(addressName(write), (addresses.get(addressName(write)) ?? 0) + 1);
    const isAlone = (write: DriverWrite): write is SetWrite =>
      isPlainSet(write) && addresses.get(addressName(write)) === 1;
    const plain = writes.filter(isAlone);
    const written = new Map<DriverWrite, Verdict | Error>();
    if (plain.length > 1) await this.#setMany(plain, now, written);
    // At once, but for those to one address, of which each waits for the one before.
    const last = new Map<string, Promise<unknown>>();
    return Promise.all(
      writes.map((write) => {
        const known = written.get(write);
        if (known !== undefined) return Promise.resolve(known);
        const address = addressName(write);
        const before = last.get(address) ?? Promise.resolve();
        const mine = before.then(() => this.write(write, now)).catch((error: unknown) => error as Error);
        last.set(address, mine);
        return mine;
      }),
    );
  }

  async transact(writes: readonly DriverWrite[], now: number): Promise<Verdict[]> {
    const { verdicts, touched } = await this.#withRoom(
      writes.filter(({ type }) => type === 'append'),
      () => this.#transactions.transact(writes, now),
    );
    for (const record of touched) {
      if (record.chunked) await this.#tidyLater(record._id);
      await this.#parts.lists.relieve(record);
    }
    return verdicts;
  }

  /** Whether it wrote; not where a list has elements elsewhere, or another was just as quick. */
  async #setPlain(write: SetWrite, now: number): Promise<boolean> {
    try {
      const { filter, replacement } = this.#toPlainSet(write, now);
      await this.#items.replaceOne(filter, replacement, { upsert: true });
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** Says of each that was written or failed; what is in the way of the others is not said. */
  async #setMany(
    writes: readonly SetWrite[],
    now: number,
    written: Map<DriverWrite, Verdict | Error>,
  ): Promise<void> {
    const operations = writes.map((write) => ({
      replaceOne: { ...this.#toPlainSet(write, now), upsert: true },
    }));
    const refused = new Map<number, unknown>();
    let unmet: unknown;
    try {
      await this.#items.bulkWrite(operations, { ordered: false });
    } catch (error) {
      const { writeErrors, result } = error as BulkFailure;
      const each = [writeErrors ?? []].flat();
      // The connection broke, or nobody may write: nothing is known of any.
      if (each.length === 0) throw error;
      for (const one of each) refused.set(one.index, one);
      // What was not refused is held by fewer than it has to be, and a failover may undo it.
      unmet = result?.getWriteConcernError?.();
    }
    for (const [index, write] of writes.entries()) {
      const error = refused.get(index) ?? unmet;
      if (error === undefined) written.set(write, { status: 'written' });
      else if (!isDuplicateKey(error)) written.set(write, explainMongoError(error));
    }
  }

  #toPlainSet(write: SetWrite, now: number): Readonly<Record<'filter' | 'replacement', MongoDocument>> {
    const { partition, key, expiresAt } = write;
    const fields = valueFields(write, this.#removeAt(expiresAt, now));
    return { filter: { partition, key, ...PLAIN }, replacement: { partition, key, ...fields } };
  }

  async #grow(write: DriverWrite & { type: 'append' }, now: number): Promise<Verdict | undefined> {
    return this.#withRoom([write], () => this.#parts.lists.grow(write, now));
  }

  /** Once more, where documents of lists would be too large with what they hold already. */
  async #withRoom<T>(appends: readonly DriverWrite[], make: () => Promise<T>): Promise<T> {
    try {
      return await make();
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      const filter = { $or: appends.map(({ partition, key }) => ({ partition, key })), kind: 'list' };
      const found =
        appends.length === 0 ? [] : await this.#items.find(filter, { projection: { list: 1 } }).toArray();
      if (found.length === 0) throw error;
      for (const list of found) await this.#parts.lists.spill(list);
    }
    return make();
  }

  /** Whether it was done; not where the document is not what it was. */
  async #apply(
    { partition, key }: DriverWrite,
    found: MongoRecord | undefined,
    change: Change,
  ): Promise<boolean> {
    if (found === undefined) {
      if (change.type === 'delete') return true;
      try {
        await this.#items.insertOne({ partition, key, ...(change.update['$set'] as MongoDocument) });
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    }
    const { _id, version, chunked } = found;
    const filter = { _id, version, ...(chunked ? { chunked } : PLAIN) };
    if (change.type === 'delete') return (await this.#items.deleteOne(filter)).deletedCount > 0;
    return (await this.#items.updateOne(filter, change.update)).matchedCount > 0;
  }

  /** The write is made, whatever becomes of this; sweeping tries again. */
  async #tidyLater(_id: unknown): Promise<void> {
    const { sweep, onError } = this.#parts;
    try {
      const record = await this.#items.findOne(
        { _id, dropped: { $exists: true } },
        { projection: { dropped: 1 } },
      );
      if (record !== null) await sweep.tidy(record as unknown as MongoRecord);
    } catch (error) {
      onError(error);
    }
  }

  readonly #removeAt = (expiresAt: number | undefined, now: number): Date | undefined => {
    if (expiresAt === undefined) return undefined;
    const at = Math.ceil(this.#parts.serverNow() + (expiresAt - now) + GRACE_MS);
    return at > MAX_INSTANT ? undefined : new Date(at);
  };
}

/** Whether what was found is what a write without looking goes over. */
function isWrittenAtOnce(write: DriverWrite, found: MongoRecord, now: number): boolean {
  if (write.type === 'append') return found.kind === 'list' && isLive(found, now);
  const isConditional = write.ifVersion !== undefined || (write.type === 'set' && write.ifAbsent);
  return !isConditional && found.chunked === undefined;
}
