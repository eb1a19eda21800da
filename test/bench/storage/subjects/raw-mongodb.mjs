import { MongoClient } from 'mongodb';
import { KEYS } from '../values.mjs';

/** Elements of a list in one document. */
const BUCKET = 256;

/** `mongodb` by hand, as durable and with as many connections: one command for one operation, lists in buckets. */
export async function openSubject(_kind, { url, database }) {
  const client = new MongoClient(url, { maxPoolSize: 20 });
  const options = { writeConcern: { w: 'majority', journal: true } };
  const values = client.db(database).collection('messages', options);
  const buckets = client.db(database).collection('buckets', options);
  await values.createIndex({ key: 1 }, { unique: true });
  await buckets.createIndex({ list: 1, bucket: 1 }, { unique: true });
  const lengths = new Map();
  const withoutId = { projection: { _id: 0, json: 1 } };
  return {
    get: async (id) => (await values.findOne({ key: KEYS[id] }, withoutId))?.json,
    set: (id, json) => values.updateOne({ key: KEYS[id] }, { $set: { json } }, { upsert: true }),
    append: async (list, value) => {
      // Who appends alone knows which bucket it is.
      const bucket = Math.floor((lengths.get(list) ?? 0) / BUCKET);
      const { count } = await buckets.findOneAndUpdate(
        { list, bucket },
        { $push: { elements: value }, $inc: { count: 1 } },
        { upsert: true, returnDocument: 'after', projection: { count: 1 } },
      );
      const length = bucket * BUCKET + count;
      lengths.set(list, length);
      return length;
    },
    list: async (list) => {
      const last = await buckets.findOne({ list }, { sort: { bucket: -1 } });
      return { length: last.bucket * BUCKET + last.count, last: last.elements.at(-1) };
    },
    drop: async (list) => {
      lengths.delete(list);
      await buckets.deleteMany({ list });
    },
    scan: async (from, limit) => {
      const found = values.find({ key: { $gte: KEYS[from] } }, { ...withoutId, sort: { key: 1 }, limit });
      return (await found.toArray()).map(({ json }) => json);
    },
    keys: async () => {
      const found = values.find({}, { projection: { _id: 0, key: 1 }, sort: { key: 1 } });
      return (await found.toArray()).map(({ key }) => key);
    },
    count: () => values.countDocuments(),
    close: () => client.close(),
  };
}
