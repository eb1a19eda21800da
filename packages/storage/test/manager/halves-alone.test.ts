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

describe('the backend beneath a role', () => {
  it('keeps what the role does, and does what the role cannot', async () => {
    const manager = managerOf(false);
    const { database } = await manager.connect();
    const backend = await manager.openBackend('database');
    expect(await manager.openBackend('database')).toBe(backend);
    const address = { partition: 'orders', key: 'a' };
    expect(await backend.set(address, 1, { ifAbsent: true })).toEqual(expect.any(String));
    expect(await backend.set(address, 2, { ifAbsent: true })).toBeUndefined();
    await database.set('b', { kind: 'note' });
    const [partition] = (await backend.partitions('recap:database:')).items;
    expect((await backend.scan(partition!)).items).toMatchObject([{ key: 'b', value: { kind: 'note' } }]);
    expect(await database.keys()).toEqual(['b']);
  });

  it('makes versions as the program says', async () => {
    const manager = new StorageManager(
      { cache: { type: 'memory' }, database: { type: 'memory' } },
      { environment: {}, newId: () => 'mine' },
    );
    managers.push(manager);
    const backend = await manager.openBackend('cache');
    expect(await backend.set({ partition: 'p', key: 'a' }, 1)).toBe('mine');
  });

  it('is not closed by whoever has it, but by the manager', async () => {
    const manager = managerOf(true);
    const backend = await manager.openBackend('cache');
    await backend.close();
    await backend.set({ partition: 'p', key: 'a' }, 1);
    const cache = await manager.createCacheBackend();
    await cache.set('a', 1);
    expect(await cache.get('a')).toBe(1);
    await manager.disconnect();
    await expect(backend.get({ partition: 'p', key: 'a' })).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(manager.openBackend('cache')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('is opened with all that can be wrong', async () => {
    const manager = managerOf(true);
    await expect(manager.openBackend('database')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    for (const role of ['Cache', '__proto__', undefined])
      await expect(manager.openBackend(role as 'cache')).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    const alone = new StorageManager({ cache: { type: 'memory' } } as never, { environment: {} });
    managers.push(alone);
    await expect(alone.openBackend('database')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
