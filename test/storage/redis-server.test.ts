import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  createCacheBackend,
  createRedisBackend,
  type Backend,
  type RedisBackendOptions,
} from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { Redis } from 'ioredis';
import { startFaultProxy, type FaultProxy } from '../faults/rig/fault-proxy';
import { until } from '../faults/rig/until';
import { startKillableServer, type KillableServer } from './killable-server';

const PASSWORD = 's3cret';
const at = (key: string, partition = 'p') => ({ partition, key });

describe('Redis as a server', () => {
  const clock = new FakeClock();
  let server: KillableServer | undefined;
  let url = '';
  let folder = '';
  let admin: Redis;
  let opened: Backend[] = [];
  let proxies: FaultProxy[] = [];

  const make = (options: RedisBackendOptions = {}): Backend => {
    const backend = createRedisBackend({ url, clock, sweepIntervalMs: 0, ...options });
    opened.push(backend);
    return backend;
  };
  const open = async (options?: RedisBackendOptions): Promise<Backend> => {
    const backend = make(options);
    await backend.open();
    return backend;
  };
  const proxied = async (): Promise<FaultProxy> => {
    const proxy = await startFaultProxy(new URL(url));
    proxies.push(proxy);
    return proxy;
  };
  /** A test that needs the server. */
  const itOnServer = (title: string, body: () => Promise<void>): void => {
    it(title, async () => {
      if (server !== undefined) await body();
    });
  };
  const failure = (call: Promise<unknown>): Promise<Error> =>
    call.then(
      () => Promise.reject(new Error('It did not fail.')),
      (error: unknown) => error as Error,
    );
  const works = async (backend: Backend): Promise<boolean> =>
    backend.set(at('again'), 1).then(
      () => true,
      () => false,
    );

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'recap-redis-'));
    // Where the tests run as root, the server runs as another user.
    chmodSync(folder, 0o777);
    server = await startKillableServer('redis', { requirepass: PASSWORD, unixsocket: join(folder, 's') });
    if (server === undefined) return;
    url = server.url.replace('//', `//:${PASSWORD}@`);
    admin = new Redis(url, { retryStrategy: () => 50 });
    admin.on('error', () => undefined);
  });
  beforeEach(async () => {
    if (server !== undefined) await admin.flushall();
  });
  afterEach(async () => {
    const [backends, ways] = [opened, proxies];
    [opened, proxies] = [[], []];
    for (const backend of backends) await backend.close();
    for (const proxy of ways) await proxy.close();
  });
  afterAll(async () => {
    if (server === undefined) return;
    admin.disconnect();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  itOnServer('is reached by its socket', async () => {
    const socket = join(folder, 's');
    for (const place of [
      { url: undefined, host: socket, password: PASSWORD, db: 3 },
      { url: `unix://${socket}?db=3`, password: PASSWORD },
    ]) {
      const backend = await open(place as RedisBackendOptions);
      expect(await works(backend)).toBe(true);
    }
    await admin.select(3);
    expect(await admin.dbsize()).toBeGreaterThan(0);
    await admin.select(0);
  });

  // It was encrypted all the same.
  itOnServer('is asked without TLS where tls: false stands beside a URL that wants it', async () => {
    const backend = await open({ url: url.replace('redis:', 'rediss:'), tls: false });
    expect(await works(backend)).toBe(true);
  });

  itOnServer('that refuses the password is ACCESS_DENIED, without a word of it', async () => {
    const wrong = await failure(make({ url: url.replace(PASSWORD, 'wr0ng') }).open());
    const user = await failure(make({ username: 'nobody', password: 'wr0ng' }).open());
    const none = await failure(make({ url: server!.url }).open());
    for (const error of [wrong, user, none]) {
      expect(error).toMatchObject({ code: 'ACCESS_DENIED' });
      expect(inspect(error, { depth: 10 })).not.toMatch(/wr0ng|s3cret/);
    }
  });

  // Within a script, Redis 7.0 gives it no code of its own; it was tried again, and a fallback took over.
  itOnServer('that does not allow the user what a script needs is ACCESS_DENIED', async () => {
    await admin.call('ACL', 'SETUSER', 'limited', 'on', '>l1mited', '~*', '&*', '+@all', '-@write');
    const backend = await open({ username: 'limited', password: 'l1mited' });
    expect(await failure(backend.append(at('l'), [1]))).toMatchObject({ code: 'ACCESS_DENIED' });
    expect(await failure(backend.set(at('a'), 1, { expiresAt: clock.now() + 60_000 }))).toMatchObject({
      code: 'ACCESS_DENIED',
    });
  });

  itOnServer('that has no such database is ACCESS_DENIED, and nothing goes into another one', async () => {
    const backend = make({ db: 77 });
    expect(await failure(backend.open())).toMatchObject({ code: 'ACCESS_DENIED' });
    expect(await failure(backend.set(at('a'), 1))).toBeInstanceOf(Error);
    expect(await admin.dbsize()).toBe(0);
  });

  itOnServer('that is not there is UNAVAILABLE, and is opened once it is', async () => {
    const proxy = await proxied();
    await proxy.down();
    const backend = make({ url: proxy.url });
    expect(await failure(backend.open())).toMatchObject({
      code: 'UNAVAILABLE',
      cause: { code: 'ECONNREFUSED' },
    });
    await proxy.up();
    await backend.open();
    expect(await works(backend)).toBe(true);
  });

  itOnServer('that swallows everything is UNAVAILABLE after timeoutMs, opening and later', async () => {
    const proxy = await proxied();
    proxy.toxics = { timeout: true };
    const backend = make({ url: proxy.url, timeoutMs: 300 });
    expect(await failure(backend.open())).toMatchObject({ code: 'UNAVAILABLE' });
    proxy.toxics = {};
    await backend.open();
    await backend.set(at('a'), 1);
    proxy.toxics = { timeout: true };
    const calls = [backend.get(at('a')), backend.set(at('a'), 2), backend.append(at('l'), [1])];
    for (const error of await Promise.all(calls.map(failure)))
      expect(error).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await backend.health(100)).toMatchObject({ healthy: false });
    const before = proxy.opened;
    await until(
      'a new connection is tried',
      () => proxy.opened,
      (count) => count > before,
    );
    proxy.toxics = {};
    await until('it works again', () => works(backend), Boolean);
    proxy.toxics = { timeout: true };
    await backend.close();
    expect(proxy.reached.timeout).toBeGreaterThan(0);
  });

  itOnServer('that answers slowly and in pieces is understood', async () => {
    const proxy = await proxied();
    proxy.toxics = { latency: { latencyMs: 5, jitterMs: 4 }, slicer: { maxBytes: 40 } };
    const backend = await open({ url: proxy.url });
    const value = 'ä'.repeat(300);
    await Promise.all([1, 2, 3].map((index) => backend.set(at(`k${index}`), value)));
    expect((await backend.scan('p')).items.map((item) => item.type === 'value' && item.value)).toEqual([
      value,
      value,
      value,
    ]);
  });

  itOnServer('that kills connections costs calls in flight at most, and no append comes twice', async () => {
    const backend = await open({ clientName: 'recap-killed' });
    const failed: Error[] = [];
    for (let round = 0; round < 10; round += 1) {
      const writes = Array.from({ length: 20 }, (_, index) => {
        const version = `v-${round}-${index}`;
        const append = (): Promise<unknown> => backend.append(at(`l${index}`), [round], { version });
        return append().catch(async (error: unknown) => {
          failed.push(error as Error);
          await until(
            'the append is made',
            () =>
              append().then(
                () => true,
                () => false,
              ),
            Boolean,
          );
        });
      });
      await admin.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await Promise.all(writes);
    }
    await until('it works again', () => works(backend), Boolean);
    expect(failed.length).toBeGreaterThan(0);
    for (const error of failed) expect(error).toMatchObject({ code: 'UNAVAILABLE' });
    for (let index = 0; index < 20; index += 1)
      expect(await backend.range(at(`l${index}`))).toEqual(Array.from({ length: 10 }, (_, round) => round));
  });

  itOnServer(
    'that is killed and started again fails calls at once meanwhile, and then serves them',
    async () => {
      const told: unknown[] = [];
      const backend = await open({ onError: (error) => told.push(error) });
      await server!.act('kill');
      const errors = await Promise.all(
        Array.from({ length: 30 }, (_, index) => failure(backend.get(at(`k${index}`)))),
      );
      for (const error of errors) expect(error).toMatchObject({ code: 'UNAVAILABLE' });
      await until(
        'the outage is told',
        () => told,
        ({ length }) => length > 0,
      );
      const late = await failure(backend.set(at('a'), 1));
      expect(inspect(late, { depth: 10 })).not.toContain(PASSWORD);
      await server!.act('restart');
      await until('it works again', () => works(backend), Boolean);
      expect(told.length).toBeLessThan(5);
    },
  );

  itOnServer('that ends the connection of a subscription is listened to again', async () => {
    const backend = await open();
    const heard: unknown[] = [];
    await backend.subscribe('c', (message) => heard.push(message));
    await backend.subscribe('d', (message) => heard.push(message));
    const ids = async (): Promise<string> =>
      [...String(await admin.call('CLIENT', 'LIST', 'TYPE', 'pubsub')).matchAll(/(?<=^id=)\d+/gm)].join();
    const before = await ids();
    await admin.client('KILL', 'TYPE', 'pubsub');
    await until('it listens again', ids, (now) => now !== '' && now !== before);
    await until(
      'all are heard',
      async () => {
        await backend.publish('c', 'again');
        await backend.publish('d', 'too');
        return heard;
      },
      (messages) => messages.includes('again') && messages.includes('too'),
    );
  });

  itOnServer(
    'sweeps what was overwritten with a lifetime, and not what was then overwritten without',
    async () => {
      const backend = await open();
      const keys = Array.from({ length: 20 }, (_, n) => `k${String(n).padStart(2, '0')}`);
      for (const key of keys) await backend.set(at(key), 0);
      const expiresAt = clock.now() + 1_000;
      await Promise.all(keys.map((key) => backend.set(at(key), 1, { expiresAt })));
      await Promise.all(keys.slice(10).map((key) => backend.set(at(key), 2)));
      expect((await backend.keys('p')).items).toEqual(keys);
      const names = await admin.keys('*k05');
      expect(await admin.pttl(names[0]!)).toBeGreaterThan(0);
      clock.advance(1_000);
      expect((await backend.keys('p')).items).toEqual(keys.slice(10));
      expect(await backend.getMany([at('k05'), at('k15')])).toMatchObject([undefined, { value: 2 }]);
      expect(await backend.sweep()).toBe(10);
      expect((await backend.stats()).items).toBe(10);
    },
  );

  itOnServer('that may evict items is warned of, once, and not otherwise', async () => {
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);
    await open({ onWarning });
    expect(warnings).toEqual([]);
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      const backend = await open({ onWarning });
      await backend.open();
      await admin.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await until('it works again', () => works(backend), Boolean);
      expect(warnings).toEqual([expect.stringContaining('"allkeys-lru"')]);
      const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
      const mistaken = await open({ onWarning: () => Promise.reject(new Error('My own mistake.')) });
      expect(await works(mistaken)).toBe(true);
      expect(warned).toHaveBeenCalledWith(expect.stringContaining('My own mistake.'), expect.anything());
      warned.mockRestore();
    } finally {
      await admin.config('SET', 'maxmemory-policy', 'noeviction');
    }
  });

  itOnServer('that may evict what has a lifetime lists and clears what it has not dropped', async () => {
    const cache = createCacheBackend(await open({ onWarning: () => undefined }), { clock });
    const used = Number(/^used_memory:(\d+)/m.exec(await admin.info('memory'))?.[1]);
    await admin.config('SET', 'maxmemory-policy', 'volatile-lru');
    await admin.config('SET', 'maxmemory', String(used + 2 * 2 ** 20));
    try {
      const keys = Array.from({ length: 2_000 }, (_, n) => `session:${n}`);
      const big = 'x'.repeat(2_000);
      for (let from = 0; from < keys.length; from += 500)
        await cache.mset(keys.slice(from, from + 500).map((key) => [key, big, 3_600] as const));
      // Else it drops more for the answers.
      await admin.config('SET', 'maxmemory', '0');
      const there = async (): Promise<string[]> => {
        const values = await cache.mget(keys);
        return keys.filter((_, n) => values[n] !== undefined).sort();
      };
      const left = await there();
      expect(left.length).toBeGreaterThan(100);
      expect(left.length).toBeLessThan(1_900);
      expect((await cache.keys()).sort()).toEqual(left);
      await cache.clear();
      expect(await there()).toEqual([]);
    } finally {
      await admin.config('SET', 'maxmemory', '0');
      await admin.config('SET', 'maxmemory-policy', 'noeviction');
    }
  });

  itOnServer('that is out of memory is CAPACITY_EXCEEDED, and a transaction changes nothing', async () => {
    const backend = await open();
    await backend.set(at('a'), 1);
    await backend.append(at('l'), [1]);
    await admin.config('SET', 'maxmemory', '1');
    try {
      const calls = [
        backend.set(at('a'), 2),
        backend.set(at('a'), 3),
        backend.set(at('b'), 1),
        backend.set(at('new', 'q'), 1),
        backend.append(at('l'), [2]),
        backend.transact([
          { type: 'delete', ...at('a') },
          { type: 'set', ...at('b'), value: 1 },
        ]),
      ];
      for (const error of await Promise.all(calls.map(failure)))
        expect(error).toMatchObject({ code: 'CAPACITY_EXCEEDED' });
      expect((await backend.scan('p')).items.map(({ key }) => key)).toEqual(['a', 'l']);
      expect(await backend.get(at('a'))).toMatchObject({ value: 1 });
      expect(await backend.delete(at('a'))).toBe(true);
    } finally {
      await admin.config('SET', 'maxmemory', '0');
    }
    expect(await backend.range(at('l'))).toEqual([1]);
  });

  itOnServer('that has become a replica is UNAVAILABLE for writes, and says why', async () => {
    const backend = await open();
    await backend.set(at('there'), 1);
    await admin.replicaof('127.0.0.1', '1');
    try {
      const calls = [backend.set(at('a'), 1), backend.set(at('there'), 2), backend.set(at('there'), 3)];
      for (const error of await Promise.all(calls.map(failure)))
        expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('replica') });
    } finally {
      await admin.replicaof('NO', 'ONE');
    }
    await until('it works again', () => works(backend), Boolean);
  });

  itOnServer('with no replica cannot give what waitReplicas asks for, and says what it did', async () => {
    const backend = await open({ waitReplicas: 1, waitTimeoutMs: 20 });
    const error = await failure(backend.set(at('a'), 1));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('0 of 1 replicas') });
  });

  itOnServer('is used through a client that is handed in, which stays open', async () => {
    const client = new Redis(url, { keyPrefix: 'theirs:' });
    const theirs: string[] = [];
    const backend = await open({ client });
    await backend.set(at('a'), 1);
    await backend.append(at('l'), [1]);
    await backend.append(at('l'), [2]);
    const end = await backend.subscribe('c', () => undefined);
    await end();
    expect((await backend.scan('p')).items.map(({ key }) => key)).toEqual(['a', 'l']);
    expect((await backend.partitions()).items).toEqual(['p']);
    await backend.close();
    expect(await client.ping()).toBe('PONG');
    for (const key of await admin.keys('*')) theirs.push(key.split(':')[0]!);
    expect(new Set(theirs)).toEqual(new Set(['theirs']));
    client.disconnect();
  });

  itOnServer('gets an expiry with each item that has one, no earlier than ours', async () => {
    const backend = await open();
    await backend.set(at('a'), 1, { expiresAt: clock.now() + 5_000 });
    await backend.append(at('l'), [1], { expiresAt: clock.now() + 5_000 });
    await backend.append(at('l'), [2]);
    await backend.set(at('kept'), 1);
    for (const key of ['a', 'l']) {
      const left = await admin.pttl(`recap:{p}:i:${key}`);
      expect(left).toBeGreaterThan(5_000);
      expect(left).toBeLessThanOrEqual(65_000);
    }
    expect(await admin.pttl('recap:{p}:i:kept')).toBe(-1);
    await backend.set(at('a'), 1);
    expect(await admin.pttl('recap:{p}:i:a')).toBe(-1);
  });

  itOnServer('may drop items on its own, and none of them is counted or found any more', async () => {
    const backend = await open();
    for (const key of ['a', 'b', 'c']) await backend.set(at(key), key);
    await admin.unlink('recap:{p}:i:b');
    expect((await backend.scan('p', { limit: 2 })).items.map(({ key }) => key)).toEqual(['a', 'c']);
    expect((await backend.stats()).items).toBe(2);
    expect(await backend.get(at('b'))).toBeUndefined();
  });

  itOnServer('lists keys without reading what they hold, and none that it dropped on its own', async () => {
    const backend = await open();
    for (const key of ['a', 'b', 'c']) await backend.set(at(key), 'x'.repeat(2_000_000));
    await backend.append(at('l'), [1]);
    await admin.unlink('recap:{p}:i:b');
    await admin.config('RESETSTAT');
    expect(await backend.keys('p')).toEqual({ items: ['a', 'c', 'l'] });
    expect(await admin.zrange('recap:{p}:k', 0, -1)).not.toContain('b');
    const statistics = await admin.info('commandstats');
    expect(statistics).toContain('cmdstat_exists');
    expect(statistics).not.toMatch(/cmdstat_(get|mget|getrange|lindex|lrange):/);
  });

  itOnServer(
    'sends a page of large values, lists and all, and no more of them than a page takes',
    async () => {
      const backend = await open();
      const keys = Array.from({ length: 30 }, (_, n) => `k${String(n).padStart(2, '0')}`);
      for (const [n, key] of keys.entries())
        if (n % 7 === 3) await backend.append(at(key), [n]);
        else await backend.set(at(key), { n, text: n % 5 === 2 ? '' : 'x'.repeat(1_500_000) });
      await admin.unlink(`recap:{p}:i:${keys[9]}`);
      const there = keys.filter((_, n) => n !== 9);
      for (const reverse of [false, true]) {
        const found: string[] = [];
        for (let after: string | undefined; ;) {
          await admin.config('RESETSTAT');
          const options = { limit: 12, reverse, ...(after === undefined ? {} : { after }) };
          const { items, next } = await backend.scan('p', options);
          const sent = /total_net_output_bytes:(\d+)/.exec(await admin.info('stats'))?.[1];
          // A page of 4 MiB, and the one that is too much.
          expect(Number(sent)).toBeLessThan(6_000_000);
          expect(items.length).toBeGreaterThan(1);
          for (const { key, type } of items)
            expect(type).toBe(keys.indexOf(key) % 7 === 3 ? 'list' : 'value');
          found.push(...items.map(({ key }) => key));
          if (next === undefined) break;
          after = next;
        }
        expect(found).toEqual(reverse ? [...there].reverse() : there);
      }
      expect(await admin.zrange('recap:{p}:k', 0, -1)).not.toContain(keys[9]);
    },
  );

  itOnServer('lists keys that have an expiry on record, and were overwritten for ever since', async () => {
    const backend = await open();
    const expiresAt = clock.now() + 1_000;
    for (const key of ['a', 'b', 'c', 'd']) await backend.set(at(key), 1, { expiresAt });
    await backend.set(at('d'), 1, { expiresAt: expiresAt + 1 });
    await backend.append(at('l'), [1], { expiresAt });
    await backend.append(at('m'), [1], { expiresAt });
    for (const key of ['b', 'm']) await backend.set(at(key), 2);
    clock.advance(1_000);
    expect(await admin.zrange('recap:{p}:x', 0, -1)).toContain('b');
    expect(await backend.keys('p')).toEqual({ items: ['b', 'd', 'm'] });
    expect(await backend.keys('p', { reverse: true, limit: 2 })).toMatchObject({ items: ['m', 'd'] });
  });

  itOnServer('holds what something else wrote: CORRUPT, never a value', async () => {
    const backend = await open();
    await backend.set(at('a'), 1);
    await admin.set('recap:{p}:i:a', 'no head');
    const calls = [
      backend.get(at('a')),
      backend.scan('p'),
      backend.range(at('a')),
      backend.append(at('a'), [1]),
      backend.delete(at('a'), { ifVersion: 'v' }),
    ];
    for (const error of await Promise.all(calls.map(failure)))
      expect(error).toMatchObject({ code: 'CORRUPT' });
    // So it can be found, and deleted.
    expect(await backend.keys('p')).toEqual({ items: ['a'] });
  });

  itOnServer('forgets partitions that are empty, and none that is written meanwhile', async () => {
    const [writer, sweeper, other] = await Promise.all([open(), open(), open()]);
    const names = Array.from({ length: 8 }, (_, index) => `p${index}`);
    let isWriting = true;
    const sweeping = [sweeper, other].map(async (backend) => {
      while (isWriting) await backend.sweep();
    });
    await Promise.all(
      names.map(async (name, index) => {
        for (let round = 0; round < 60; round += 1) {
          const backend = round % 2 === 0 ? writer : other;
          await backend.set(at('k', name), round);
          expect((await backend.partitions(name)).items).toEqual([name]);
          if (round < 59 || index % 2 === 1) await backend.delete(at('k', name));
        }
      }),
    );
    isWriting = false;
    await Promise.all(sweeping);
    expect((await writer.partitions()).items).toEqual(names.filter((_, index) => index % 2 === 0));
    await sweeper.sweep();
    const shards = await admin.keys('recap:{recap:*}:n');
    const registered = await Promise.all(shards.map((shard) => admin.zcard(shard)));
    expect(registered.reduce((sum, count) => sum + count, 0)).toBe(4);
  });

  itOnServer('keeps what lasts over what was to expire, and counts and sweeps the rest', async () => {
    const backend = await open();
    const names = Array.from({ length: 1_200 }, (_, index) => `k${String(index).padStart(4, '0')}`);
    const expiresAt = clock.now() + 1_000;
    for (const key of names) await backend.set(at(key), 1, { expiresAt });
    const lasting = names.slice(-400);
    await Promise.all(lasting.map((key) => backend.set(at(key), 2)));
    clock.advance(1_000);
    expect(await backend.stats()).toMatchObject({ items: 400 });
    expect(await backend.partitions()).toEqual({ items: ['p'] });
    expect(await backend.sweep(600)).toBe(600);
    expect(await backend.sweep(600)).toBe(200);
    expect(await backend.sweep(600)).toBe(0);
    expect((await backend.keys('p', { limit: 1_000 })).items).toEqual(lasting);
    expect(await admin.zcard('recap:{p}:x')).toBe(0);
    for (const key of lasting) expect(await admin.pttl(`recap:{p}:i:${key}`)).toBe(-1);
  });

  itOnServer('counts thousands that were to expire, and last', async () => {
    const backend = await open();
    const keys = Array.from({ length: 2_100 }, (_, index) => `k${index}`);
    const expiresAt = clock.now() + 1_000;
    await Promise.all(keys.map((key) => backend.set(at(key), 1, { expiresAt })));
    await Promise.all(keys.map((key) => backend.set(at(key), 2)));
    clock.advance(1_000);
    expect(await backend.stats()).toMatchObject({ items: 2_100 });
    expect(await admin.zcard('recap:{p}:x')).toBe(0);
  });

  itOnServer('looks at no more of what has expired than it has to', async () => {
    const backend = await open();
    const expiresAt = clock.now() + 1_000;
    const keys = Array.from({ length: 1_500 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => backend.set(at(key), 1, { expiresAt })));
    await backend.set(at('lasts'), 1);
    clock.advance(1_000);
    const looks = async (work: () => Promise<unknown>): Promise<number> => {
      await admin.config('RESETSTAT');
      await work();
      return Number(/^cmdstat_getrange:calls=(\d+)/m.exec(await admin.info('commandstats'))?.[1] ?? 0);
    };
    expect(await looks(() => backend.partitions())).toBe(0);
    expect(await looks(() => backend.sweep(100))).toBe(100);
    expect(await looks(() => backend.stats())).toBe(1_400);
    expect(await backend.stats()).toMatchObject({ items: 1 });
  });

  itOnServer('sweeps no more than it is asked for, and all that is there, past what lasts', async () => {
    const backend = await open();
    const expiresAt = clock.now() + 1_000;
    const names = Array.from({ length: 30 }, (_, index) => `k${index}`);
    for (const key of names) await backend.set(at(key), 1, { expiresAt });
    // They are noted before the others.
    for (const key of names.slice(0, 20)) await backend.set(at(key), 2, { expiresAt: expiresAt - 1 });
    for (const key of names.slice(0, 20)) await backend.set(at(key), 3);
    clock.advance(1_000);
    expect(await backend.sweep(5)).toBe(5);
    expect(await backend.sweep(10)).toBe(5);
    expect((await backend.keys('p')).items).toHaveLength(20);
  });

  itOnServer(
    'overwrites what is there, for ever, with a single command, and writes what is not',
    async () => {
      const backend = await open();
      const monitored = async (work: () => Promise<unknown>): Promise<string[]> => {
        await admin.config('RESETSTAT');
        await work();
        const stats = await admin.info('commandstats');
        return [...stats.matchAll(/^cmdstat_(evalsha|eval|set|zadd):calls=(\d+)/gm)]
          .map(([, name, calls]) => `${name} ${calls}`)
          .sort();
      };
      await backend.set(at('a'), 1);
      expect(await monitored(() => backend.set(at('a'), 2))).toEqual(['set 1']);
      await backend.append(at('list'), [1]);
      expect(await monitored(() => backend.set(at('list'), 3))).toEqual(['set 1']);
      for (let n = 0; n < 40; n += 1) await backend.set(at(`new ${n}`), n);
      // It has learned that most are new, and asks no more whether they are there.
      expect(await monitored(() => backend.set(at('newer'), 4))).toEqual(['evalsha 1', 'set 1', 'zadd 1']);
      for (let n = 0; n < 40; n += 1) await backend.set(at('a'), n);
      expect(await monitored(() => backend.set(at('a'), 5))).toEqual(['set 1']);
      expect((await backend.scan('p', { range: { lt: 'n' } })).items).toMatchObject([
        { key: 'a', value: 5 },
        { key: 'list', value: 3 },
      ]);
      expect((await backend.keys('p')).items).toHaveLength(43);
    },
  );

  itOnServer('keeps the order of writes to one key that do not wait for each other', async () => {
    const backend = await open();
    const expiresAt = clock.now() + 1_000;
    await backend.set(at('the partition is known'), 0);
    for (const round of ['new', 'there']) {
      const outcomes = await Promise.all([
        backend.set(at('deleted'), 1),
        backend.delete(at('deleted')),
        backend.set(at('expires'), 1),
        backend.set(at('expires'), 2, { expiresAt }),
        backend.set(at('first'), 1, { version: round }),
        backend.set(at('first'), 2, { ifAbsent: true }),
        backend.set(at('next'), 1, { version: `${round}1` }),
        backend.set(at('next'), 2, { ifVersion: `${round}1` }),
        backend.set(at('again'), 1),
        backend.delete(at('again')),
        backend.set(at('again'), 2),
        backend.set(at('again'), 3),
        backend.set(at('together'), 1),
        backend.transact([
          { type: 'set', ...at('together'), value: 2 },
          { type: 'delete', ...at('first') },
        ]),
        backend.set(at('together'), 3),
      ]);
      expect(outcomes[1]).toBe(true);
      expect(outcomes[5]).toBeUndefined();
      const { items } = await backend.scan('p', { range: { lt: 'the' } });
      expect(items.map((item) => [item.key, item.type === 'value' && item.value])).toEqual([
        ['again', 3],
        ['expires', 2],
        ['next', 2],
      ]);
      expect(items[1]).toMatchObject({ expiresAt });
      expect((await backend.get(at('together')))?.value).toBe(3);
    }
  });

  /** What needs a second step was overtaken there by what came behind it. */
  itOnServer('keeps it where a partition, a list or a script is new to the server', async () => {
    const backend = await open();
    await backend.set({ partition: 'known', key: 'a' }, 0);
    await admin.script('FLUSH');
    const fleeting = { expiresAt: clock.now() + 1_000 };
    const answers = await Promise.all([
      backend.set(at('expires'), 1, fleeting),
      backend.delete(at('expires')),
      backend.append(at('list'), [1]),
      backend.append(at('list'), [2]),
      backend.delete(at('list')),
      backend.append(at('list'), [3]),
      backend.batch([
        { type: 'set', ...at('batched'), value: 1 },
        { type: 'delete', ...at('batched') },
      ]),
      backend.set(at('batched'), 2),
      backend.delete({ partition: 'known', key: 'a' }),
      backend.set({ partition: 'known', key: 'a' }, 1),
    ]);
    expect([1, 2, 3, 4, 5].map((place) => answers[place])).toEqual([true, 1, 2, true, 1]);
    expect((await backend.keys('p')).items).toEqual(['batched', 'list']);
    expect(await backend.range(at('list'))).toEqual([3]);
    expect((await backend.get(at('batched')))?.value).toBe(2);
    expect((await backend.get({ partition: 'known', key: 'a' }))?.value).toBe(1);
    const address = { partition: 'new', key: 'a' };
    const conditional = await Promise.all([
      backend.set(address, 1, { version: 'one', ifAbsent: true }),
      backend.set(address, 2, { version: 'two', ifVersion: 'one' }),
    ]);
    expect(conditional).toEqual(['one', 'two']);
    expect((await backend.get(address))?.value).toBe(2);
  });

  itOnServer('keeps it where its scripts are gone, while others bring them back', async () => {
    const proxy = await proxied();
    proxy.toxics = { latency: { latencyMs: 2, jitterMs: 0 } };
    const backend = await open({ url: proxy.url });
    const fleeting = { expiresAt: clock.now() + 60_000 };
    const published: unknown[] = [];
    await backend.subscribe('c', (message) => published.push(message));
    for (let round = 0; round < 10; round += 1) {
      await admin.script('FLUSH');
      const calls: Promise<unknown>[] = [];
      for (let number = 0; number < 12; number += 1) {
        calls.push(
          backend.set(at(`other ${number}`), number, fleeting),
          backend.set(at('expires'), number, fleeting),
          backend.publish('c', round * 100 + number),
        );
        await new Promise(setImmediate);
      }
      await Promise.all(calls);
      expect(await backend.get(at('expires'))).toMatchObject({ value: 11 });
    }
    await until(
      'all messages are heard',
      () => published.length,
      (count) => count === 120,
    );
    expect(published).toEqual([...(published as number[])].sort((a, b) => a - b));
  });

  itOnServer('keeps it after it was started again, and knew no scripts', async () => {
    const proxy = await proxied();
    proxy.toxics = { latency: { latencyMs: 2, jitterMs: 0 } };
    const backend = await open({ url: proxy.url });
    for (let round = 0; round < 5; round += 1) {
      await proxy.down();
      await admin.script('FLUSH');
      await proxy.up();
      await until(
        'it works again',
        () =>
          backend.get(at('none')).then(
            () => true,
            () => false,
          ),
        Boolean,
      );
      const numbers = Array.from({ length: 12 }, (_, place) => place);
      const calls: Promise<unknown>[] = [];
      for (const number of numbers) {
        calls.push(backend.append(at(`list ${round}`), [number]));
        await new Promise(setImmediate);
      }
      await Promise.all(calls);
      expect(await backend.range(at(`list ${round}`))).toEqual(numbers);
    }
  });

  itOnServer('tells what is published through a client that has a prefix', async () => {
    const client = new Redis(url, { keyPrefix: 'theirs:' });
    const backend = await open({ client });
    const heard: unknown[] = [];
    await backend.subscribe('c', (message) => heard.push(message));
    await backend.publish('c', { a: 1 });
    await until(
      'it is heard',
      () => heard.length,
      (count) => count > 0,
    );
    expect(heard).toEqual([{ a: 1 }]);
    await backend.close();
    client.disconnect();
  });

  it('is not even asked when an option cannot work', () => {
    for (const options of [
      { client: new Redis({ lazyConnect: true, stringNumbers: true }) },
      { keyPrefix: 'a{b}' },
      { url: `http://:${PASSWORD}@host` },
      { url: `redis://:${PASSWORD}@host:port` },
      { waitReplicas: 0.5 },
      { waitReplicas: 1, waitTimeoutMs: 0 },
      { cluster: { nodes: [] } },
      { cluster: { nodes: [{ host: 'a', port: 1 }] }, db: 3 },
    ]) {
      let thrown: unknown;
      try {
        make(options);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ code: 'CONFIG_INVALID' });
      expect(inspect(thrown)).not.toContain(PASSWORD);
    }
  });
});
