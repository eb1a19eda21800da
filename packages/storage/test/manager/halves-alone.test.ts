import { createMemoryBackend } from '../../src/backends/memory/memory-backend';
import { StorageManager } from '../../src/manager/storage-manager';
import { faultyBackend } from '../faulty-backend';

const managers: StorageManager[] = [];
afterEach(async () => {
  await Promise.all(managers.splice(0).map((manager) => manager.disconnect()));
});

function managerOf(isDatabaseDown: boolean): StorageManager {
  const { backend, faults } = faultyBackend(createMemoryBackend({ sweepIntervalMs: 0 }));
  faults.isDown = isDatabaseDown;
  const manager = new StorageManager(
    {
      cache: { type: 'memory' },
      database: { type: 'custom', backend, retry: false, circuitBreaker: false },
    },
    { environment: {} },
  );
  managers.push(manager);
  return manager;
}

describe('a half that is asked for alone', () => {
  // It was closed when that happened while connect() was under way.
  it.each(['before', 'during', 'after'])(
    'stays open when it was asked for %s a connect() that cannot open the other',
    async (when) => {
      const manager = managerOf(true);
      const before = when === 'before' ? manager.createCacheBackend() : undefined;
      const connecting = expect(manager.connect()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      const during = when === 'during' ? manager.createCacheBackend() : undefined;
      await connecting;
      const cache = await (before ?? during ?? manager.createCacheBackend());
      await cache.set('a', 1);
      expect(await cache.get('a')).toBe(1);
      await expect(manager.connect()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(await cache.get('a')).toBe(1);
      expect(await manager.createCacheBackend()).toBe(cache);
    },
  );

  it('rejects with what kept it from being opened, during connect() as well', async () => {
    const manager = managerOf(true);
    const connecting = expect(manager.connect()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(manager.createDatabaseBackend()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await connecting;
  });

  it('is not given to a caller once the manager was disconnected meanwhile', async () => {
    const manager = managerOf(false);
    const halves = [manager.createCacheBackend(), manager.createDatabaseBackend()];
    const disconnecting = manager.disconnect();
    for (const half of halves) await expect(half).rejects.toMatchObject({ code: 'CLOSED' });
    await disconnecting;
  });
});
