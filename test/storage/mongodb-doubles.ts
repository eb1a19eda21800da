import type { Document, MongoClient } from 'mongodb';

/** The client, whose collections fail in bulk with what this makes of their errors. */
export function withBulkError(client: MongoClient, toError: (error: object) => object): MongoClient {
  return withCollections(client, ({ bulkWrite }) => ({
    bulkWrite: (...args: unknown[]) =>
      bulkWrite!(...args).catch((error: unknown) => Promise.reject(toError(error as object) as Error)),
  }));
}

/** The client, whose commands other than those of collections go through `around`. */
export function withCommands(
  client: MongoClient,
  around: (command: Document, run: (command: Document) => Promise<Document>) => Promise<Document>,
): MongoClient {
  return over(client, {
    db: (...args: Parameters<MongoClient['db']>) => {
      const db = client.db(...args);
      return over(db, {
        command: (command: Document) => around(command, (one) => db.command(one)),
      });
    },
  });
}

type Methods = Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>;

/** The client, of whose collections some methods are others: made of the ones that they have, and of their names. */
export function withCollections(
  client: MongoClient,
  toOthers: (methods: Methods, collection: string) => Methods,
): MongoClient {
  return over(client, {
    db: (...args: Parameters<MongoClient['db']>) => {
      const db = client.db(...args);
      return over(db, {
        collection: (...named: Parameters<typeof db.collection>) => {
          const collection = db.collection(...named);
          const methods = over(collection, {}) as unknown as Methods;
          return over(collection, toOthers(methods, collection.collectionName));
        },
      });
    },
  });
}

function over<T extends object>(target: T, others: object): T {
  return new Proxy(target, {
    get: (_target, name) => {
      if (name in others) return (others as Readonly<Record<string | symbol, unknown>>)[name];
      const member = (target as Readonly<Record<string | symbol, unknown>>)[name];
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}
