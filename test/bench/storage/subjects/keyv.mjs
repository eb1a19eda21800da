import { createRequire } from 'node:module';
import { Unavailable } from '../../recorders/unavailable.mjs';
import { KEYS } from '../values.mjs';

const requirePeer = createRequire(new URL('../../storage-peers/package.json', import.meta.url));

const HOUR_MS = 3_600_000;

const STORES = {
  memory: () => undefined,
  file: () => {
    throw new Unavailable('Keyv has no adapter that keeps each value in a synced file');
  },
  sqlite: async ({ path }) => {
    const store = new (load('@keyv/sqlite').default)({ uri: `sqlite://${path}` });
    // As the others have it: by itself it syncs more often.
    await store.query('PRAGMA journal_mode = WAL');
    await store.query('PRAGMA synchronous = FULL');
    return store;
  },
  postgres: ({ url }) => new (load('@keyv/postgres').default)({ uri: url, max: 10 }),
  redis: ({ url }) => new (load('@keyv/redis').default)(url),
};

/** Keyv with its own adapter for the engine. */
export async function openSubject(_kind, place) {
  if (!(place.type in STORES)) throw new Unavailable(`there is none for ${place.type} here`);
  const { Keyv } = load('keyv');
  const store = await STORES[place.type](place);
  // As its own helper has it: the adapter for Redis puts the namespace before a key by itself.
  const useKeyPrefix = place.type !== 'redis';
  const keyv = new Keyv({
    ...(store && { store }),
    namespace: 'messages',
    useKeyPrefix,
    throwOnErrors: true,
  });
  const keys = async () => {
    const found = [];
    for await (const [key] of keyv.iterator({})) found.push(key);
    return found;
  };
  return {
    get: (id) => keyv.get(KEYS[id]),
    set: async (id, value) => {
      if (!(await keyv.set(KEYS[id], value))) throw new Error('Keyv did not set it.');
    },
    setNew: async (key, value) => {
      if (!(await keyv.set(key, value, HOUR_MS))) throw new Error('Keyv did not set it.');
    },
    take: async (key) => {
      const value = await keyv.get(key);
      await keyv.delete(key);
      return value;
    },
    keys,
    count: async () => (await keys()).length,
    close: () => keyv.disconnect(),
  };
}

function load(name) {
  try {
    return requirePeer(name);
  } catch (error) {
    throw new Unavailable(`${name} is not installed: ${error.message.split('\n')[0]}`);
  }
}
