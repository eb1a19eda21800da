import {
  createCacheBackend,
  createCachedDatabase,
  createDatabaseBackend,
  createMemoryBackend,
  createPostgresBackend,
  createRedisBackend,
  newId,
  type Backend,
  type CachedDatabase,
  type CachingStrategy,
} from '@recap/storage';

const { RECAP_TEST_POSTGRES_URL: postgres, RECAP_TEST_REDIS_URL: redis } = process.env;
const onServers = postgres === undefined || redis === undefined ? describe.skip : describe;

const opened: Backend[] = [];
const keep = (backend: Backend): Backend => {
  opened.push(backend);
  return backend;
};
const inPostgres = (): Backend => keep(createPostgresBackend({ url: postgres! }));
const inRedis = (): Backend => keep(createRedisBackend({ url: redis! }));

afterEach(async () => {
  await Promise.all(opened.splice(0).map((backend) => backend.close()));
});

async function open(
  strategy: CachingStrategy,
  keyPrefix: string,
  cacheBackend: Backend,
  invalidateOver?: Backend,
): Promise<CachedDatabase> {
  const cached = createCachedDatabase({
    cache: createCacheBackend(cacheBackend, { keyPrefix }),
    database: createDatabaseBackend(inPostgres(), { keyPrefix }),
    strategy,
    ttlSeconds: 60,
    ...(invalidateOver && { invalidateOver }),
  });
  await cached.connect();
  return cached;
}

onServers('a cached database on Redis and PostgreSQL', () => {
  it.each<CachingStrategy>(['read-through', 'write-through'])(
    '%s: two instances that write and read one key at once agree with the database at the end',
    async (strategy) => {
      const prefix = newId();
      const instances = await Promise.all([
        open(strategy, prefix, inRedis()),
        open(strategy, prefix, inRedis()),
      ]);
      for (let round = 0; round < 20; round += 1)
        await Promise.all(
          instances.flatMap((one, index) => [
            one.set('a', [round, index]),
            one.get('a'),
            one.mget(['a', 'b']),
          ]),
        );
      const database = createDatabaseBackend(inPostgres(), { keyPrefix: prefix });
      const kept = await database.get('a');
      for (const one of instances) expect(await one.get('a')).toEqual(kept);
      await instances[0].clear();
      expect(await instances[1].get('a')).toBeUndefined();
    },
  );

  it.each([
    ['PostgreSQL', inPostgres],
    ['Redis', inRedis],
  ])('instances with a cache in memory hear of writes over %s', async (_, bus) => {
    const prefix = newId();
    const [writer, reader] = await Promise.all([
      open('write-through', prefix, keep(createMemoryBackend()), bus()),
      open('write-through', prefix, keep(createMemoryBackend()), bus()),
    ]);
    await writer.set('a', 1);
    expect(await reader.get('a')).toBe(1);
    await writer.set('a', 2);
    while ((await reader.get('a')) !== 2) await new Promise((resolve) => setImmediate(resolve));
    await writer.clear();
    await Promise.all([writer.disconnect(), reader.disconnect()]);
  });
});
