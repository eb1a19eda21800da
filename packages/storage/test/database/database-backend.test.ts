import {
  createCacheBackend,
  createCachedDatabase,
  createDatabaseBackend,
  createMemoryBackend,
  type CachingStrategy,
} from '../../src';
import { describeDatabase } from '../../src/testing';

describeDatabase('memory', async (clock) => {
  const backend = createMemoryBackend({ clock, sweepIntervalMs: 0 });
  return async (keyPrefix) => createDatabaseBackend(backend, { keyPrefix });
});

describe.each<CachingStrategy>(['read-through', 'write-through', 'write-behind'])('%s', (strategy) => {
  describeDatabase(
    'a cache before memory',
    async (clock) => {
      const cacheBackend = createMemoryBackend({ clock, sweepIntervalMs: 0 });
      const databaseBackend = createMemoryBackend({ clock, sweepIntervalMs: 0 });
      return async (keyPrefix) =>
        createCachedDatabase({
          cache: createCacheBackend(cacheBackend, { keyPrefix, clock }),
          database: createDatabaseBackend(databaseBackend, { keyPrefix }),
          strategy,
          ttlSeconds: 60,
        });
    },
    { sharesAtOnce: strategy !== 'write-behind' },
  );
});
