import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { KEYS } from '../values.mjs';

/** Elements of a list in one document. */
const BUCKET = 256;

/** Where each value is. */
const partition = 'messages';
/** Of the versions of the last appends. */
const RECENT = 8;

/**
 * `mongodb` by hand, as durable and with as many connections: one command for one operation, lists in buckets, which
 * know their last versions, of which none is appended twice.
 */
export async function openSubject(_kind, { url, database }) {
  const client = new MongoClient(url, { maxPoolSize: 20 });
  const options = { writeConcern: { w: 'majority', journal: true } };
  const values = client.db(database).collection('messages', options);
  const buckets = client.db(database).collection('buckets', options);
  await values.createIndex({ partition: 1, key: 1 }, { unique: true });
  await buckets.createIndex({ list: 1, bucket: 1 }, { unique: true });
  const lengths = new Map();
  const content = { projection: { _id: 0, key: 1, json: 1, version: 1, expiresAt: 1 } };
  /** Also of what never expires. */
  const live = () => ({ $not: { $lte: Date.now() } });
  return {
    get: async (id) => {
      const found = await values.findOne({ partition, key: KEYS[id] }, content);
      return found === null || found.expiresAt <= Date.now() ? undefined : found.json;
    },
    set: (id, json) => {
      const address = { partition, key: KEYS[id] };
      return values.replaceOne(address, { ...address, json, version: randomUUID() }, { upsert: true });
    },
    append: async (list, value) => {
      // Who appends alone knows which bucket it is.
      const bucket = Math.floor((lengths.get(list) ?? 0) / BUCKET);
      const version = randomUUID();
      const { count } = await buckets.findOneAndUpdate(
        { list, bucket, expiresAt: live(), recent: { $ne: version } },
        {
          $push: { elements: value, recent: { $each: [version], $slice: -RECENT } },
          $inc: { count: 1 },
          $set: { version },
        },
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
      const wanted = { partition, key: { $gte: KEYS[from] }, expiresAt: live() };
      const found = await values.find(wanted, { ...content, sort: { key: 1 }, limit }).toArray();
      const items = found.map(({ key, json, version }) => ({ key, value: json, version }));
      return items.map(({ value }) => value);
    },
    keys: async () => {
      const found = values.find({ partition }, { projection: { _id: 0, key: 1 }, sort: { key: 1 } });
      return (await found.toArray()).map(({ key }) => key);
    },
    count: () => values.countDocuments(),
    close: () => client.close(),
  };
}
