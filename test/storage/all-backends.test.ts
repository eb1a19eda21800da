import {
  createCacheBackend,
  createCachedDatabase,
  createDatabaseBackend,
  createStorageBackends,
  type Backend,
  type CachingStrategy,
  type FallbackEvent,
} from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { faultyBackend } from '../../packages/storage/test/faulty-backend';
import { until } from '../faults/rig/until';
import { allEngines } from './engines/all-engines';
import { memory } from './engines/memory';

const STRATEGIES: readonly CachingStrategy[] = ['read-through', 'write-through', 'write-behind'];
const VALUES = [{ name: 'Ann', tags: ['$gt', 'a\0b'] }, new Uint8Array([0, 255]), 'x'.repeat(500_000), null];

/** What is composed of backends is so of any of them. */
for (const engine of allEngines)
  (engine.missing === undefined ? describe : describe.skip)(`with ${engine.name}`, () => {
    let opened: Backend[] = [];
    const open = async (): Promise<Backend> => {
      const backend = await engine.open(new FakeClock());
      opened.push(backend);
      return backend;
    };

    afterEach(async () => {
      for (const backend of opened) await backend.close();
      opened = [];
    });
    afterAll(() => engine.end?.());

    it.each(STRATEGIES)('as its cache and its database, a cached database is %s', async (strategy) => {
      const backend = await open();
      const direct = createDatabaseBackend(backend);
      const cached = createCachedDatabase({
        cache: createCacheBackend(backend, { keyPrefix: 'cache:' }),
        database: direct,
        ...{ strategy, ttlSeconds: 60 },
      });
      await cached.connect();
      for (const [index, value] of VALUES.entries()) await cached.set(`k${index}`, value);
      await cached.append('l', 1, 'two');
      await cached.delete('k3');
      for (let round = 0; round < 2; round += 1) {
        expect(await cached.mget(['k0', 'k1', 'k2', 'k3'])).toEqual([...VALUES.slice(0, 3), undefined]);
        expect(await cached.getRange('l')).toEqual([1, 'two']);
      }
      expect(cached.stats().hits).toBeGreaterThan(0);
      await cached.flush();
      expect(await direct.mget(['k0', 'k1', 'k2', 'k3'])).toEqual([...VALUES.slice(0, 3), undefined]);
      await cached.disconnect();
    });

    it.each(['stood in for by memory', 'that stands in for memory'])(
      'a database %s loses nothing',
      async (how) => {
        const [one, other] = [await open(), await memory.open(new FakeClock())];
        opened.push(other);
        const [first, second] = how.startsWith('stood') ? [one, other] : [other, one];
        const { backend, faults } = faultyBackend(first);
        const events: FallbackEvent['type'][] = [];
        const { manager, backends } = await createStorageBackends(
          {
            database: {
              ...{ type: 'custom', backend, retry: false, circuitBreaker: { resetAfterMs: 50 } },
              fallback: { to: [{ type: 'custom', backend: second }], probeIntervalMs: 20, stableMs: 50 },
            },
          },
          { onFallback: ({ type }) => void events.push(type), logger: {} },
        );
        const { database } = backends;
        try {
          await database.set('before', 1);
          await database.append('l', 'a');
          await database.set('gone', 1);
          faults.isDown = true;
          await until(
            'the other takes over',
            () =>
              database.set('meanwhile', VALUES[0]!).then(
                () => events.includes('degraded'),
                () => false,
              ),
            Boolean,
          );
          await database.set('bytes', VALUES[1]!);
          await database.append('m', 'b', 'c');
          await database.delete('gone');
          faults.isDown = false;
          await until('the first is used again', () => events.includes('recovered'), Boolean);
          expect(await database.mget(['before', 'meanwhile', 'bytes', 'gone'])).toEqual([
            ...[1, VALUES[0], VALUES[1]],
            undefined,
          ]);
          expect([await database.getRange('l'), await database.getRange('m')]).toEqual([['a'], ['b', 'c']]);
          expect(events).not.toContain('conflict');
        } finally {
          await manager.disconnect();
        }
      },
    );
  });
