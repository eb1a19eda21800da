import { Aggregator } from 'mingo';
import { BSON } from 'mongodb';
import { toOuter } from './bson-values.mjs';
import { checkCommand } from './check-command.mjs';
import { Collection } from './collection.mjs';
import { FailPoint } from './fail-point.mjs';
import { ServerError } from './server-error.mjs';
import { Sessions } from './transaction.mjs';

const BATCH_BYTES = 16 * 2 ** 20;
const MAX_WRITES = 100_000;

/** What the server does with commands: collections of any number of databases, and open cursors. */
export class Commands {
  #databases = new Map();
  #cursors = new Map();
  #lastCursor = 0;
  #sessions = new Sessions();
  #failPoint = new FailPoint();
  #transaction;

  /** @param {string} [address] of a replica set of one member; without it, a single server */
  constructor(address) {
    this.address = address;
  }

  /** @returns {object} the answer */
  run(command, bytes) {
    const [name] = Object.keys(command);
    const handler = HANDLERS[name];
    const isEnd = name === 'commitTransaction' || name === 'abortTransaction';
    if (handler === undefined && !isEnd)
      throw new ServerError(59, 'CommandNotFound', `no such command: '${name}'`);
    if (this.address === undefined && command.txnNumber !== undefined)
      throw new ServerError(
        20,
        'IllegalOperation',
        'Transaction numbers are only allowed on a replica set member or mongos',
      );
    checkCommand(name, command, this.address === undefined);
    return this.#failPoint.around(name, () =>
      this.#sessions.run(command, (transaction) => {
        this.#transaction = transaction;
        try {
          return handler.call(this, command, { name, database: command.$db, bytes });
        } finally {
          this.#transaction = undefined;
        }
      }),
    );
  }

  /** How long the answer to the last command is held back. */
  get delayMs() {
    return this.#failPoint.delayMs;
  }

  configureFailPoint(command) {
    this.#failPoint.configure(command);
    return {};
  }

  collection(database, name) {
    const collections = this.database(database);
    if (!collections.has(name)) collections.set(name, new Collection());
    const collection = collections.get(name);
    return this.#transaction?.fork(collection) ?? collection;
  }

  database(name) {
    if (!this.#databases.has(name)) this.#databases.set(name, new Map());
    return this.#databases.get(name);
  }

  drop(name) {
    this.#databases.delete(name);
  }

  /** The first of the documents, and a cursor for the others. */
  openCursor(namespace, documents, { batchSize = 101, isSingle = false }) {
    const rest = documents[Symbol.iterator]();
    const { batch, isDone, pending } = takeBatch(rest, batchSize);
    if (isDone || isSingle) return { id: BSON.Long.ZERO, ns: namespace, firstBatch: batch };
    this.#lastCursor += 1;
    this.#cursors.set(this.#lastCursor, { namespace, rest, pending });
    return { id: BSON.Long.fromNumber(this.#lastCursor), ns: namespace, firstBatch: batch };
  }

  readCursor(id, batchSize = Infinity) {
    const cursor = this.#cursors.get(Number(id));
    if (cursor === undefined) throw new ServerError(43, 'CursorNotFound', `cursor id ${id} not found`);
    const { batch, isDone, pending } = takeBatch(cursor.rest, batchSize, cursor.pending);
    cursor.pending = pending;
    if (isDone) this.#cursors.delete(Number(id));
    return {
      id: isDone ? BSON.Long.ZERO : BSON.Long.fromNumber(Number(id)),
      ns: cursor.namespace,
      nextBatch: batch,
    };
  }

  killCursor(id) {
    return this.#cursors.delete(Number(id));
  }

  get openCursors() {
    return this.#cursors.size;
  }
}

/** As many as are asked for, or as fit into an answer. */
function takeBatch(rest, batchSize, pending) {
  const batch = [];
  let bytes = 0;
  for (let next = pending ?? rest.next(); ; next = rest.next()) {
    if (next.done) return { batch, isDone: true };
    if (batch.length >= batchSize) return { batch, isDone: false, pending: next };
    const size = BSON.calculateObjectSize(toOuter(next.value));
    if (batch.length > 0 && bytes + size > BATCH_BYTES) return { batch, isDone: false, pending: next };
    batch.push(next.value);
    bytes += size;
  }
}

function project(document, projection = {}) {
  const names = Object.entries(projection);
  if (names.length === 0 || document === undefined) return document;
  const others = names.filter(([name]) => name !== '_id').map(([, is]) => Boolean(is));
  if (new Set(others).size > 1)
    throw new ServerError(31_254, 'Location31254', 'Cannot do exclusion in inclusion projection');
  const isInclusive =
    names.some(([name, is]) => name !== '_id' && is) || (names.length === 1 && projection._id);
  return Object.fromEntries(
    Object.entries(document).filter(([name]) => {
      if (name === '_id') return projection._id === undefined || Boolean(projection._id);
      return isInclusive ? Boolean(projection[name]) : projection[name] === undefined;
    }),
  );
}

function hello() {
  const { address } = this;
  const members = { hosts: [address], me: address, primary: address, secondary: false };
  return {
    ...(address !== undefined && { ...members, setName: 'stand-in', setVersion: 1 }),
    helloOk: true,
    ismaster: true,
    isWritablePrimary: true,
    maxBsonObjectSize: 16 * 2 ** 20,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: MAX_WRITES,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: 30,
    connectionId: 1,
    minWireVersion: 0,
    maxWireVersion: 21,
    readOnly: false,
    recapStandIn: true,
  };
}

/** Each write by itself; those after one that failed, only where they are not in order. */
function writeEach(writes, ordered, write) {
  if (writes.length === 0 || writes.length > MAX_WRITES)
    throw new ServerError(16, 'InvalidLength', 'Write batch sizes must be between 1 and 100000.');
  const writeErrors = [];
  for (const [index, one] of writes.entries())
    try {
      write(one, index);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      writeErrors.push({ index, code: error.code, errmsg: error.message, ...error.more });
      if (ordered) break;
    }
  return writeErrors.length > 0 ? { writeErrors } : {};
}

const HANDLERS = {
  hello,
  isMaster: hello,
  ismaster: hello,
  ping: () => ({}),
  endSessions: () => ({}),

  configureFailPoint(command) {
    return this.configureFailPoint(command);
  },

  buildInfo: () => ({ version: '7.0.0', versionArray: [7, 0, 0, 0], modules: [], recapStandIn: true }),

  create({ create, collation }, { database }) {
    if (this.database(database).has(create)) throw new ServerError(48, 'NamespaceExists', `${create} exists`);
    this.collection(database, create).collation = collation;
    return {};
  },

  listCollections({ filter = {} }, { database }) {
    const names = [...this.database(database)].map(([name, { collation }]) => ({
      name,
      type: 'collection',
      options: collation === undefined ? {} : { collation },
    }));
    const found = new Aggregator([{ $match: filter }]).run(names);
    return { cursor: this.openCursor(`${database}.$cmd.listCollections`, found, {}) };
  },

  createIndexes({ createIndexes, indexes }, { database }) {
    const collection = this.collection(database, createIndexes);
    for (const index of indexes) collection.createIndex(index);
    return {};
  },

  listIndexes({ listIndexes }, { database }) {
    const { indexes } = this.collection(database, listIndexes);
    return { cursor: this.openCursor(`${database}.${listIndexes}`, indexes, {}) };
  },

  insert({ insert, documents, ordered = true }, { database, bytes }) {
    const collection = this.collection(database, insert);
    let n = 0;
    const failed = writeEach(documents, ordered, (document) => {
      collection.insert(document, bytes);
      n += 1;
    });
    return { n, ...failed };
  },

  update({ update, updates, ordered = true }, { database, bytes }) {
    const collection = this.collection(database, update);
    const upserted = [];
    let [n, nModified] = [0, 0];
    const failed = writeEach(updates, ordered, ({ q, u, upsert, multi }, index) => {
      if (multi)
        throw new ServerError(115, 'CommandNotSupported', 'The stand-in updates one document at once.');
      const { before, after, isInserted } = collection.update(q, u, { upsert, bytes });
      if (isInserted) upserted.push({ index, _id: after._id });
      if (isInserted || before !== undefined) n += 1;
      if (before !== undefined) nModified += 1;
    });
    return { n, nModified, ...(upserted.length > 0 && { upserted }), ...failed };
  },

  delete({ delete: name, deletes, ordered = true }, { database }) {
    const collection = this.collection(database, name);
    let n = 0;
    const failed = writeEach(deletes, ordered, ({ q, limit }) => {
      n += collection.delete(q, { limit }).length;
    });
    return { n, ...failed };
  },

  findAndModify(
    { findAndModify, query = {}, sort, remove, update, new: isNew, upsert, fields },
    { database, bytes },
  ) {
    const collection = this.collection(database, findAndModify);
    if (remove) {
      const [value] = collection.delete(query, { sort, limit: 1 });
      return { lastErrorObject: { n: value === undefined ? 0 : 1 }, value: project(value, fields) ?? null };
    }
    const { before, after, isInserted } = collection.update(query, update, { upsert, sort, bytes });
    const n = after === undefined ? 0 : 1;
    const value = isNew ? after : before;
    return {
      lastErrorObject: {
        n,
        updatedExisting: before !== undefined,
        ...(isInserted && { upserted: after._id }),
      },
      value: project(value, fields) ?? null,
    };
  },

  find({ find, filter = {}, sort, skip, limit, projection, batchSize, singleBatch }, { database }) {
    // A snapshot: what is written while the cursor is open is not seen by it.
    const found = [...this.collection(database, find).find(filter, { sort, skip, limit })];
    const documents = found.map((document) => project(document, projection));
    return {
      cursor: this.openCursor(`${database}.${find}`, documents, { batchSize, isSingle: singleBatch }),
    };
  },

  getMore({ getMore, batchSize }) {
    return { cursor: this.readCursor(getMore, batchSize) };
  },

  killCursors({ cursors }) {
    const cursorsKilled = cursors.filter((id) => this.killCursor(id));
    return { cursorsKilled, cursorsNotFound: [], cursorsAlive: [], cursorsUnknown: [] };
  },

  aggregate({ aggregate, pipeline, cursor = {} }, { database }) {
    const found = new Aggregator(pipeline).run([...this.collection(database, aggregate).find({})]);
    return { cursor: this.openCursor(`${database}.${aggregate}`, found, cursor) };
  },

  count({ count, query = {}, limit }, { database }) {
    return { n: [...this.collection(database, count).find(query, { limit })].length };
  },

  drop({ drop }, { database }) {
    if (!this.database(database).delete(drop)) throw new ServerError(26, 'NamespaceNotFound', 'ns not found');
    return {};
  },

  dropDatabase(_command, { database }) {
    this.drop(database);
    return { dropped: database };
  },
};
