/** A document, a filter or an update: what the members mean is said where it is made. */
export type MongoDocument = Record<string, unknown>;

/** A session of the driver, as it made it. */
export interface MongoSession {
  startTransaction(options?: object): void;
  commitTransaction(): Promise<unknown>;
  abortTransaction(): Promise<unknown>;
  endSession(): Promise<unknown>;
}

/** The parts of `mongodb` that are used, so that another copy of it, or a client of the user's, fits as well. */
export interface MongoClient {
  connect(): Promise<unknown>;
  close(force?: boolean): Promise<unknown>;
  db(name?: string): MongoDatabase;
  startSession(): MongoSession;
}

export interface MongoDatabase {
  command(command: MongoDocument): Promise<MongoDocument>;
  collection(name: string, options?: object): MongoCollection;
  listCollections(filter: MongoDocument): { toArray(): Promise<MongoDocument[]> };
}

export interface MongoCollection {
  createIndexes(indexes: readonly MongoDocument[], options?: object): Promise<unknown>;
  findOne(filter: MongoDocument, options?: object): Promise<MongoDocument | null>;
  find(filter: MongoDocument, options?: object): MongoCursor;
  insertOne(document: MongoDocument, options?: object): Promise<unknown>;
  updateOne(
    filter: MongoDocument,
    update: MongoDocument | readonly MongoDocument[],
    options?: object,
  ): Promise<{ readonly matchedCount: number }>;
  replaceOne(filter: MongoDocument, document: MongoDocument, options?: object): Promise<unknown>;
  findOneAndUpdate(
    filter: MongoDocument,
    update: MongoDocument,
    options?: object,
  ): Promise<MongoDocument | null>;
  findOneAndDelete(filter: MongoDocument, options?: object): Promise<MongoDocument | null>;
  deleteOne(filter: MongoDocument, options?: object): Promise<{ readonly deletedCount: number }>;
  deleteMany(filter: MongoDocument, options?: object): Promise<{ readonly deletedCount: number }>;
  bulkWrite(operations: readonly MongoDocument[], options?: object): Promise<unknown>;
  countDocuments(filter: MongoDocument, options?: object): Promise<number>;
}

export interface MongoCursor extends AsyncIterable<MongoDocument> {
  next(): Promise<MongoDocument | null>;
  /** What has come, and was not asked for yet. */
  readBufferedDocuments(): MongoDocument[];
  toArray(): Promise<MongoDocument[]>;
  close(): Promise<void>;
}
