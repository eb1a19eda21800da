import * as storage from '@recap/storage';
import { KEYS } from '../values.mjs';

const PARTITION = 'messages';
const HOUR_SECONDS = 3_600;
const FACTORIES = {
  memory: () => storage.createMemoryBackend(),
  file: ({ path }) => storage.createFileBackend({ path }),
  sqlite: ({ path }) => storage.createSqliteBackend({ path }),
  postgres: ({ url }) => storage.createPostgresBackend({ url }),
  redis: ({ url }) => storage.createRedisBackend({ url }),
  mongodb: ({ url, database }) => storage.createMongodbBackend({ url, database }),
  dynamodb: ({ type, ...place }) => storage.createDynamodbBackend(place),
};

/** @returns {Promise<import('@recap/storage').Backend>} not yet open */
export function makeBackend(place) {
  return FACTORIES[place.type](place);
}

/** The contract itself, or a role as programs open it. */
export async function openSubject(kind, place) {
  if (kind === 'contract') return openContract(makeBackend(place));
  const { manager, backends } = await storage.createStorageBackends({ cache: place, database: place });
  const close = () => manager.disconnect();
  if (kind === 'cache') return { ...asRole(backends.cache), ...newKeysOf(backends.cache), close };
  return { ...asRole(backends.database), ...listsOf(backends.database), close };
}

async function openContract(backend) {
  await backend.open();
  const addresses = KEYS.map((key) => ({ partition: PARTITION, key }));
  const ofBytes = KEYS.map((key) => ({ partition: 'bytes', key }));
  const listAt = (list) => ({ partition: 'lists', key: `list:${list}` });
  const valuesOf = ({ items }) => items.map(({ value }) => value);
  return {
    get: async (id) => (await backend.get(addresses[id]))?.value,
    set: (id, value) => backend.set(addresses[id], value),
    ...(backend.name === 'memory' && {
      getBytes: async (id) => (await backend.get(ofBytes[id]))?.value,
      setBytes: (id, value) => backend.set(ofBytes[id], value),
    }),
    append: (list, value) => backend.append(listAt(list), [value]),
    list: async (list) => ({
      length: await backend.length(listAt(list)),
      last: (await backend.range(listAt(list), -1, -1))[0],
    }),
    drop: (list) => backend.delete(listAt(list)),
    scan: async (from, limit) =>
      valuesOf(await backend.scan(PARTITION, { range: { gte: KEYS[from] }, limit })),
    count: async () => {
      let [count, after] = [0];
      do {
        const page = await backend.scan(PARTITION, { limit: 1_000, ...(after && { after }) });
        count += page.items.length;
        after = page.next;
      } while (after !== undefined);
      return count;
    },
    close: () => backend.close(),
  };
}

function asRole(role) {
  return {
    get: (id) => role.get(KEYS[id]),
    set: (id, value) => role.set(KEYS[id], value),
    keys: () => role.keys(),
    count: async () => (await role.keys()).length,
  };
}

function newKeysOf(cache) {
  return {
    setNew: (key, value) => cache.set(key, value, HOUR_SECONDS),
    take: async (key) => {
      const value = await cache.get(key);
      await cache.delete(key);
      return value;
    },
  };
}

function listsOf(database) {
  const listAt = (list) => `list:${list}`;
  return {
    append: (list, value) => database.append(listAt(list), value),
    list: async (list) => ({
      length: await database.getLength(listAt(list)),
      last: (await database.getRange(listAt(list), -1, -1))[0],
    }),
    drop: (list) => database.delete(listAt(list)),
  };
}
