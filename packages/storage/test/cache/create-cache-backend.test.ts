import { createCacheBackend, createDatabaseBackend, createMemoryBackend } from '../../src';

it('a cache and a database on one backend are apart', async () => {
  const backend = createMemoryBackend();
  const cache = createCacheBackend(backend, { ownsBackend: false });
  const database = createDatabaseBackend(backend);
  await cache.set('session:123', { user: 'Ann' }, 3600);
  await database.set('session:123', { user: 'Bob' });
  expect(await cache.get('session:123')).toEqual({ user: 'Ann' });
  await cache.clear();
  await cache.disconnect();
  expect(await database.keys('session:*')).toEqual(['session:123']);
  await database.append('messages:789', { content: 'Hello' }, { content: 'Bye' });
  expect(await database.getRange('messages:789', -10, -1)).toHaveLength(2);
  await database.disconnect();
});
