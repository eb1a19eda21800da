import { StorageError } from '../../errors';
import type { MongoClient, MongoCollection, MongoDatabase, MongoDocument } from './mongodb-client';
import { isDuplicateKey, isUnknownCommand } from './mongodb-errors';

interface Indexed {
  readonly items: MongoCollection;
  readonly chunks: MongoCollection;
}

interface Collections extends Indexed {
  readonly hasTransactions: boolean;
  /** What the server's clock shows, or later. */
  readonly serverNow: () => number;
}

interface CollectionsOptions {
  readonly database: string | undefined;
  readonly collectionPrefix: string;
  readonly writeConcern: { readonly w: number | 'majority' };
}

/** What documents become, whatever a client that was handed in says. */
const READING = {
  readPreference: 'primary',
  readConcern: { level: 'local' },
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: true,
  useBigInt64: false,
  ignoreUndefined: false,
  raw: false,
};

/**
 * The collections, which may not be there yet, and what has to be known of the server.
 *
 * @throws {StorageError} `DATABASE_UNSUPPORTED` where a collection orders text by a language
 */
export async function findCollections(
  client: MongoClient,
  { database, collectionPrefix, writeConcern }: CollectionsOptions,
): Promise<Collections> {
  const db = client.db(database);
  const { localTime, setName, msg } = await sayHello(db);
  // A single server takes sessions, and no transactions. `isdbgrid` is the router of a sharded cluster.
  const hasTransactions = setName !== undefined || msg === 'isdbgrid';
  if (!hasTransactions && typeof writeConcern.w === 'number' && writeConcern.w > 1)
    throw new StorageError(
      'CONFIG_INVALID',
      `"w" is ${writeConcern.w}, and MongoDB is a single server there. Leave it out, or connect to a replica set.`,
    );
  const names = [`${collectionPrefix}items`, `${collectionPrefix}chunks`] as const;
  await checkCollation(db, names);
  const [items, chunks] = names.map((name) => db.collection(name, { ...READING, writeConcern }));
  return {
    items: items!,
    chunks: chunks!,
    hasTransactions,
    serverNow: clockFrom(localTime === undefined ? Date.now() : Number(localTime)),
  };
}

/**
 * Goes on from there by the later of two: the clock of the machine may be set back, and the one that never is stands
 * still while the machine sleeps.
 */
function clockFrom(shown: number): () => number {
  const [wall, steady] = [Date.now(), performance.now()];
  return () => shown + Math.max(Date.now() - wall, performance.now() - steady);
}

/** Servers before 4.2.10, and 4.4.0 and 4.4.1, know it by its old name alone. */
async function sayHello(db: MongoDatabase): Promise<MongoDocument> {
  try {
    return await db.command({ hello: 1 });
  } catch (error) {
    if (!isUnknownCommand(error)) throw error;
    return db.command({ isMaster: 1 });
  }
}

/**
 * Makes the collections and their indexes where they are missing. Where there is much in them already, as after a
 * restore without its indexes, that takes the server its time, and a connection is quiet for as long.
 *
 * @param timeoutMs after which it gives up; the server goes on, and the next that opens waits for the same indexes
 */
export async function makeIndexes({ items, chunks }: Indexed, timeoutMs: number): Promise<void> {
  const options = { socketTimeoutMS: timeoutMs };
  await createIndexes(
    items,
    [
      { key: { partition: 1, key: 1 }, name: 'recap_address', unique: true },
      { key: { expiresAt: 1 }, name: 'recap_expires_at', sparse: true },
      { key: { dropped: 1 }, name: 'recap_dropped', sparse: true },
      { key: { list: 1 }, name: 'recap_list', sparse: true },
      { key: { removeAt: 1 }, name: 'recap_remove_at', expireAfterSeconds: 0 },
    ],
    options,
  );
  await createIndexes(chunks, [{ key: { list: 1, start: 1 }, name: 'recap_list', unique: true }], options);
}

async function createIndexes(
  collection: MongoCollection,
  indexes: readonly MongoDocument[],
  options: object,
): Promise<void> {
  try {
    await collection.createIndexes(indexes, options);
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw new StorageError(
      'CORRUPT',
      'A collection holds several documents for one address: its unique index was missing. Remove what is too much.',
      { cause: error },
    );
  }
}

/** The collation of a collection is that of its indexes and comparisons; keys go by their bytes. */
async function checkCollation(db: MongoDatabase, names: readonly string[]): Promise<void> {
  for (const { name, options } of await db.listCollections({ name: { $in: names } }).toArray()) {
    const { collation } = (options ?? {}) as { collation?: unknown };
    if (collation !== undefined)
      throw new StorageError(
        'DATABASE_UNSUPPORTED',
        `The collection "${String(name)}" has a collation, so it would take different keys for one. Drop it, or give another "collectionPrefix".`,
      );
  }
}
