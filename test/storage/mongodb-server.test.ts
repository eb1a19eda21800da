import { inspect } from 'node:util';
import {
  createMongodbBackend,
  StorageManager,
  type Backend,
  type MongodbBackendOptions,
} from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { Long, MongoClient, ObjectId, type Collection, type Document } from 'mongodb';
import { startFaultProxy, type FaultProxy } from '../faults/rig/fault-proxy';
import { until } from '../faults/rig/until';
import { withCollections, withCommands } from './mongodb-doubles';
import { databaseName, findPrimary, freshPrefix, mongodbUrl, removeOurs, toBackend } from './mongodb-servers';

const at = (key: string, partition = 'p') => ({ partition, key });
const MIB = 2 ** 20;

(mongodbUrl === undefined ? describe.skip : describe)('MongoDB as a server', () => {
  const clock = new FakeClock();
  const admin = new MongoClient(mongodbUrl ?? 'mongodb://127.0.0.1');
  let target: Awaited<ReturnType<typeof findPrimary>>;
  let collectionPrefix = '';
  let opened: Backend[] = [];
  let proxies: FaultProxy[] = [];

  const make = (options: MongodbBackendOptions = {}): Backend => {
    const backend = toBackend({ clock, collectionPrefix, ...options });
    opened.push(backend);
    return backend;
  };
  const open = async (options?: MongodbBackendOptions): Promise<Backend> => {
    const backend = make(options);
    await backend.open();
    return backend;
  };
  /** To the one server that takes writes. */
  const proxied = async (): Promise<FaultProxy> => {
    const proxy = await startFaultProxy(target.url, target.tls);
    proxies.push(proxy);
    return proxy;
  };
  const items = (): Collection => admin.db(databaseName).collection(`${collectionPrefix}items`);
  const chunks = (): Collection => admin.db(databaseName).collection(`${collectionPrefix}chunks`);
  const documentOf = async (key: string): Promise<Document | null> => items().findOne({ key });
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
    target = await findPrimary(admin);
  });
  beforeEach(() => {
    collectionPrefix = freshPrefix();
  });
  afterEach(async () => {
    const [backends, ways] = [opened, proxies];
    [opened, proxies] = [[], []];
    for (const proxy of ways) proxy.toxics = {};
    for (const backend of backends) await backend.close();
    for (const proxy of ways) await proxy.close();
  });
  afterAll(async () => {
    await removeOurs(admin);
    await admin.close();
  });

  it('that is not there is UNAVAILABLE, and is opened once it is', async () => {
    const proxy = await proxied();
    await proxy.down();
    const backend = make({ url: proxy.url, timeoutMs: 1_000 });
    const error = await failure(backend.open());
    expect(error).toMatchObject({ code: 'UNAVAILABLE' });
    expect(inspect(error, { depth: 10 })).toContain('ECONNREFUSED');
    await proxy.up();
    await backend.open();
    expect(await works(backend)).toBe(true);
  });

  it('that swallows everything is UNAVAILABLE after timeoutMs, opening and later', async () => {
    const proxy = await proxied();
    proxy.toxics = { timeout: true };
    const backend = make({ url: proxy.url, timeoutMs: 500 });
    expect(await failure(backend.open())).toMatchObject({ code: 'UNAVAILABLE' });
    proxy.toxics = {};
    await until(
      'it opens',
      () =>
        backend.open().then(
          () => true,
          () => false,
        ),
      Boolean,
    );
    await backend.set(at('a'), 1);
    proxy.toxics = { timeout: true };
    const calls = [backend.get(at('a')), backend.set(at('a'), 2), backend.append(at('l'), [1])];
    for (const error of await Promise.all(calls.map(failure)))
      expect(error).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await backend.health(100)).toMatchObject({ healthy: false });
    proxy.toxics = {};
    await until('it works again', () => works(backend), Boolean);
    proxy.toxics = { timeout: true };
    await backend.close();
    expect(proxy.reached.timeout).toBeGreaterThan(0);
  });

  it('that answers slowly and in pieces is understood', async () => {
    const proxy = await proxied();
    const backend = await open({ url: proxy.url });
    proxy.toxics = { latency: { latencyMs: 3, jitterMs: 2 }, slicer: { maxBytes: 40 } };
    const value = 'ä'.repeat(300);
    await Promise.all([1, 2, 3].map((index) => backend.set(at(`k${index}`), value)));
    expect((await backend.scan('p')).items.map((item) => item.type === 'value' && item.value)).toEqual([
      value,
      value,
      value,
    ]);
    expect(proxy.reached.slicer).toBeGreaterThan(10);
  });

  it('that breaks connections before and after it answered makes no append twice', async () => {
    const proxy = await proxied();
    const backend = await open({ url: proxy.url, timeoutMs: 2_000 });
    const failed: unknown[] = [];
    const made = async (list: string, value: number): Promise<void> => {
      const version = `v-${list}-${value}`;
      await until(
        'the append is made',
        () =>
          backend.append(at(list), [value], { version }).then(
            () => true,
            (error: unknown) => failed.push(error) === 0,
          ),
        Boolean,
      );
    };
    for (const moment of ['before', 'after'] as const) {
      proxy.toxics = { resetPeer: { at: `list-${moment}`, moment, every: 5 } };
      for (let value = 0; value < 12; value += 1) await made(`list-${moment}`, value);
      proxy.toxics = {};
      const expected = Array.from({ length: 12 }, (_, value) => value);
      expect(await backend.range(at(`list-${moment}`))).toEqual(expected);
    }
    expect(proxy.reached.resetPeer).toBeGreaterThan(4);
    for (const error of failed) expect(error).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('that goes away fails calls in time, and serves them when it is back', async () => {
    const proxy = await proxied();
    const backend = await open({ url: proxy.url, timeoutMs: 1_000 });
    await backend.set(at('a'), 1);
    await proxy.down();
    const errors = await Promise.all(
      Array.from({ length: 30 }, (_, index) => failure(backend.get(at(`k${index}`)))),
    );
    for (const error of errors) expect(error).toMatchObject({ code: 'UNAVAILABLE' });
    await proxy.up();
    await until('it works again', () => works(backend), Boolean);
    expect(await backend.get(at('a'))).toMatchObject({ value: 1 });
  });

  it('is asked through the manager in both roles, with a fallback while it is away', async () => {
    const proxy = await proxied();
    const settings = { type: 'mongo', url: proxy.url, database: databaseName, collectionPrefix } as const;
    const manager = new StorageManager({
      cache: { ...settings, timeoutMs: 300, retry: false, fallback: ['memory'] },
      database: { ...settings, timeoutMs: 1_000 },
    });
    try {
      const { cache, database } = await manager.connect();
      await cache.set('a', { x: 1 }, 60);
      await database.set('a', { x: 2 });
      await database.append('l', 1);
      expect([await cache.get('a'), await database.get('a')]).toEqual([{ x: 1 }, { x: 2 }]);
      await proxy.down();
      await until(
        'the fallback takes over',
        () =>
          cache.set('b', 3).then(
            () => cache.get('b'),
            () => undefined,
          ),
        (value) => value === 3,
      );
      expect(await failure(database.get('a'))).toMatchObject({ code: 'UNAVAILABLE' });
      await proxy.up();
      await until(
        'the database answers',
        () => database.getRange('l', 0, -1).catch(() => undefined),
        (list) => list?.length === 1,
      );
    } finally {
      await manager.disconnect();
    }
  });

  it('keeps JSON as documents that people can read, and what BSON would change as its text', async () => {
    const backend = await open();
    await backend.set(at('plain'), { user: { id: 'ann', tags: ['x', null] }, n: 1.5 });
    expect(await documentOf('plain')).toMatchObject({
      ...{ partition: 'p', kind: 'json', json: { user: { id: 'ann', tags: ['x', null] }, n: 1.5 } },
    });
    const values = [
      ...[{ $gt: 1 }, { a: { $where: 'sleep(1000)' } }, { 'a.b': 1 }, { '': 1 }, { 'a\0b': 1 }],
      ...[JSON.parse('{"__proto__":{"a":1}}') as object, { _bsontype: 'ObjectId', id: 'x' }, '\uD800'],
      ...[{ $ref: 'c', $id: 1 }, { $numberLong: '1' }, { $date: 0 }, ['\uDFFF']],
    ];
    for (const [index, value] of values.entries()) {
      await backend.set(at(`v${index}`), value as never);
      expect(await documentOf(`v${index}`)).toMatchObject({ kind: 'text', text: JSON.stringify(value) });
      expect((await backend.get(at(`v${index}`)))?.value).toEqual(value);
    }
    await backend.append(at('list'), values as never);
    expect(await backend.range(at('list'))).toEqual(values);
  });

  it('takes operators in keys, partitions and values for the text that they are', async () => {
    const backend = await open();
    await backend.set(at('a'), { secret: 1 });
    for (const name of ['$gt', '{"$gt":""}', '$where', 'p.key', '$set', '$$ROOT', '[object Object]']) {
      expect(await backend.get(at(name))).toBeUndefined();
      await backend.set(at(name), name);
      await backend.append(at('l', name), [name, { [name]: name }]);
      expect(await backend.get(at(name))).toMatchObject({ value: name });
      expect(await backend.range(at('l', name))).toEqual([name, { [name]: name }]);
      const filter = [{ path: [name], equals: name }];
      await backend.set(at(`in ${name}`), { [name]: name });
      expect((await backend.query('p', filter)).items.map(({ key }) => key)).toEqual([`in ${name}`]);
      expect(await backend.delete(at(name))).toBe(true);
    }
    for (const wrong of [{ $gt: '' }, { $ne: null }] as never[]) {
      expect(await failure(backend.get({ partition: 'p', key: wrong }))).toMatchObject({
        code: 'KEY_INVALID',
      });
      expect(await failure(backend.get({ partition: wrong, key: 'a' }))).toMatchObject({
        code: 'KEY_INVALID',
      });
      const filter = [{ path: ['secret'], equals: wrong }];
      expect(await failure(backend.query('p', filter))).toMatchObject({ code: 'ARGUMENT_INVALID' });
    }
    expect(await backend.get(at('a'))).toMatchObject({ value: { secret: 1 } });
  });

  it('gives numbers back as they were, whichever of its types holds them', async () => {
    const backend = await open();
    const numbers = [
      0,
      -0,
      1,
      -1,
      2 ** 31,
      -(2 ** 31) - 1,
      2 ** 53,
      1e21,
      0.1,
      5e-324,
      -1.7976931348623157e308,
    ];
    await backend.set(at('n'), numbers);
    expect((await backend.get(at('n')))?.value).toEqual(JSON.parse(JSON.stringify(numbers)));
    const written = [Long.fromNumber(2 ** 40), Long.fromNumber(7), Long.MAX_VALUE];
    await items().updateOne({ key: 'n' }, { $set: { json: written } });
    expect((await backend.get(at('n')))?.value).toEqual([2 ** 40, 7, 2 ** 63]);
  });

  it.each([
    ['integers of 64 bits', [Long.MAX_VALUE, { deep: Long.fromNumber(7) }]],
    ['a date', { at: new Date(0) }],
    ['no number', [NaN, Infinity]],
    ['a zero below zero', [-0]],
    ['what only BSON has', { pattern: /a/u, id: new ObjectId('0123456789abcdef01234567') }],
    ['what lies deep', [[[[[[[[[[1, { text: 'x' }]]]]]]]]]]],
  ])('scans %s, written by another program, as a get reads it', async (_name, json) => {
    const backend = await open();
    await backend.set(at('foreign'), 1);
    await items().updateOne({ key: 'foreign' }, { $set: { json } });
    const read = await backend.get(at('foreign'));
    expect(read?.value).toEqual(JSON.parse(JSON.stringify(read?.value)));
    expect((await backend.scan('p')).items).toEqual([read]);
  });

  it('has one document for each address, and lets go of values an hour after they have expired at most', async () => {
    const backend = await open();
    const before = Date.now();
    await backend.set(at('a'), 1, { expiresAt: clock.now() + 5_000 });
    await backend.set(at('kept'), 1);
    const indexes = await items().indexes();
    expect(indexes).toContainEqual(expect.objectContaining({ key: { partition: 1, key: 1 }, unique: true }));
    expect(indexes).toContainEqual(expect.objectContaining({ key: { removeAt: 1 }, expireAfterSeconds: 0 }));
    const { removeAt } = (await documentOf('a')) as unknown as { removeAt: Date };
    // The clock of the test is another than the server's.
    expect(Number(removeAt) - before).toBeGreaterThan(5_000 + 3_000_000);
    expect(Number(removeAt) - Date.now()).toBeLessThanOrEqual(5_000 + 4_200_000);
    expect(await documentOf('kept')).not.toHaveProperty('removeAt');
    await backend.set(at('a'), 1);
    expect(await documentOf('a')).not.toHaveProperty('removeAt');
    await expect(items().insertOne({ partition: 'p', key: 'a' })).rejects.toMatchObject({ code: 11_000 });
  });

  it('lets go of no value early where the clock of the machine is set back', async () => {
    const backend = await open();
    const { now } = Date;
    const before = now();
    const clockOfMachine = jest.spyOn(Date, 'now').mockImplementation(() => now() - 3 * 3_600_000);
    try {
      await backend.set(at('a'), 1, { expiresAt: clock.now() + 5_000 });
    } finally {
      clockOfMachine.mockRestore();
    }
    const { removeAt } = (await documentOf('a')) as unknown as { removeAt: Date };
    expect(Number(removeAt) - before).toBeGreaterThan(5_000 + 3_000_000);
  });

  it('asks for nothing without an index, since a server may refuse that (notablescan)', async () => {
    const client = new MongoClient(mongodbUrl!);
    const asked: string[] = [];
    const firsts = new Set(['_id', 'partition', 'list', 'dropped', 'expiresAt']);
    const isIndexed = (filter: object): boolean =>
      Object.entries(filter).some(([name, condition]) =>
        name === '$or'
          ? (condition as object[]).every(isIndexed)
          : firsts.has(name) && !(condition instanceof Object && '$not' in condition),
      );
    const watched = withCollections(client, (methods) =>
      Object.fromEntries(
        ['find', 'findOne', 'countDocuments', 'updateOne', 'deleteOne', 'deleteMany'].map((name) => [
          name,
          (filter: unknown, ...rest: unknown[]) => {
            if (!isIndexed(filter as object)) asked.push(`${name} ${inspect(filter)}`);
            return methods[name]!(filter, ...rest);
          },
        ]),
      ),
    );
    try {
      const backend = await open({ client: watched });
      await backend.set(at('a'), 1, { expiresAt: clock.now() + 1 });
      await backend.set(at('b'), { name: 'Ann' });
      for (let index = 0; index < 3; index += 1) await backend.append(at('l'), ['x'.repeat(MIB)]);
      clock.advance(1);
      await backend.getMany([at('a'), at('b', 'q')]);
      await backend.scan('p');
      await backend.keys('p');
      await backend.query('p', [{ path: ['name'], equals: 'Ann' }]);
      await backend.length(at('l'));
      await backend.range(at('l'));
      expect((await backend.partitions()).items).toEqual(['p']);
      expect((await backend.stats()).items).toBe(2);
      await backend.delete(at('l'));
      await backend.sweep();
      expect((await backend.stats()).items).toBe(1);
      expect(asked).toEqual([]);
    } finally {
      await client.close();
    }
  });

  it('keeps lists of many elements and of large ones, and reads any part of them', async () => {
    const backend = await open();
    const count = 20_000;
    for (let from = 0; from < count; from += 1_000)
      await backend.append(
        at('many'),
        Array.from({ length: 1_000 }, (_, index) => from + index),
      );
    expect(await backend.length(at('many'))).toBe(count);
    for (const [start, end] of [
      [0, 2],
      [998, 1_003],
      [-3, -1],
      [12_345, 12_346],
    ] as const) {
      const first = start < 0 ? count + start : start;
      const last = end < 0 ? count + end : end;
      const expected = Array.from({ length: last - first + 1 }, (_, index) => first + index);
      expect(await backend.range(at('many'), start, end)).toEqual(expected);
    }
    const all = await backend.range(at('many'));
    expect(all.every((element, index) => element === index) && all.length).toBe(count);
    const large = [1, 2, 3].map((fill) => new Uint8Array(7 * MIB).fill(fill));
    for (const element of large) await backend.append(at('large'), [element]);
    const found = (await backend.range(at('large'))) as Uint8Array[];
    expect(found.map((element, index) => Buffer.compare(element, large[index]!))).toEqual([0, 0, 0]);
    expect(await failure(backend.append(at('large'), large))).toMatchObject({ code: 'VALUE_TOO_LARGE' });
    expect(await backend.length(at('large'))).toBe(3);
  });

  it('loses and repeats no element of many who append while elements move out of the document', async () => {
    const backends = await Promise.all([open(), open()]);
    await Promise.all(
      Array.from({ length: 1_200 }, (_, index) => backends[index % 2]!.append(at('l'), [index, -index - 1])),
    );
    const found = (await backends[0].range(at('l'))) as number[];
    expect(found).toHaveLength(2_400);
    expect(new Set(found).size).toBe(2_400);
    for (let index = 0; index < found.length; index += 2) expect(found[index + 1]).toBe(-found[index]! - 1);
    expect(await chunks().countDocuments()).toBeGreaterThan(0);
  });

  it('keeps no element of a list that was replaced, deleted, or has expired and was swept', async () => {
    const backend = await open();
    const elements = Array.from({ length: 300 }, (_, index) => index);
    const fill = async (key: string, expiresAt?: number): Promise<void> => {
      for (let round = 0; round < 2; round += 1)
        await backend.append(at(key), elements, expiresAt === undefined ? {} : { expiresAt });
    };
    for (const key of ['set', 'deleted', 'begun']) await fill(key);
    await fill('expired', clock.now() + 10);
    expect(await chunks().countDocuments()).toBeGreaterThanOrEqual(4);
    await backend.set(at('set'), 'a value');
    await backend.delete(at('deleted'));
    await backend.delete(at('begun'));
    await backend.append(at('begun'), ['new']);
    clock.advance(10);
    expect(await backend.length(at('expired'))).toBe(0);
    expect(await backend.sweep()).toBe(1);
    expect(await backend.sweep()).toBe(0);
    expect(await chunks().countDocuments()).toBe(0);
    expect(await backend.range(at('begun'))).toEqual(['new']);
    expect(await items().countDocuments({})).toBe(2);
    const fields = await items()
      .find({ $or: [{ chunked: true }, { dropped: { $exists: true } }] })
      .toArray();
    expect(fields).toEqual([]);
  });

  it('gives the elements back of a list whose end was interrupted, when it is swept', async () => {
    const backend = await open();
    for (let round = 0; round < 2; round += 1)
      await backend.append(
        at('l'),
        Array.from({ length: 300 }, (_, index) => index),
      );
    const { _id, list } = (await documentOf('l')) as unknown as { _id: never; list: string };
    await items().updateOne(
      { _id },
      { $set: { kind: 'json', json: 1 }, $unset: { list: '' }, $push: { dropped: list } as never },
    );
    expect(await backend.get(at('l'))).toMatchObject({ value: 1 });
    expect(await backend.sweep()).toBe(1);
    expect(await backend.sweep()).toBe(0);
    expect(await chunks().countDocuments()).toBe(0);
    expect(await backend.get(at('l'))).toMatchObject({ value: 1 });
    await backend.set(at('l'), 2, { expiresAt: clock.now() + 1_000 });
    expect(await documentOf('l')).toHaveProperty('removeAt');
  });

  it('may be reached by a client that is handed in, however it is set, and stays open', async () => {
    const client = new MongoClient(mongodbUrl ?? '', {
      ...{ promoteValues: false, promoteBuffers: false, ignoreUndefined: true },
      ...{ useBigInt64: false, readPreference: 'secondaryPreferred' as const, writeConcern: { w: 0 } },
    });
    const backend = createMongodbBackend({ client, database: databaseName, collectionPrefix, clock });
    await backend.open();
    await backend.set(at('a'), { n: [1, 2 ** 40, 0.5], s: 'x' });
    await backend.set(at('b'), new Uint8Array([1, 2]));
    expect((await backend.get(at('a')))?.value).toEqual({ n: [1, 2 ** 40, 0.5], s: 'x' });
    expect((await backend.get(at('b')))?.value).toEqual(new Uint8Array([1, 2]));
    await backend.close();
    expect(await client.db('admin').command({ ping: 1 })).toMatchObject({ ok: 1 });
    await client.close();
  });

  it('has transactions where it is a replica set, and says so', async () => {
    const { setName, msg } = await admin.db('admin').command({ isMaster: 1 });
    const backend = make();
    expect(backend.capabilities.transact).toBe(false);
    await backend.open();
    expect(backend.capabilities.transact).toBe(setName !== undefined || msg === 'isdbgrid');
  });

  it('is not used where a collection takes different keys for one', async () => {
    await admin
      .db(databaseName)
      .createCollection(`${collectionPrefix}items`, { collation: { locale: 'en', strength: 2 } });
    expect(await failure(make().open())).toMatchObject({ code: 'DATABASE_UNSUPPORTED' });
  });

  it('that knows only the old name of "hello" is opened', async () => {
    const asked: string[] = [];
    const client = new MongoClient(mongodbUrl ?? '');
    const old = withCommands(client, async (command, run) => {
      const [name = ''] = Object.keys(command);
      asked.push(name);
      if (name === 'hello') throw Object.assign(new Error("no such command: 'hello'"), { code: 59 });
      return run(command);
    });
    const backend = await open({ client: old, database: databaseName });
    expect(asked).toEqual(['hello', 'isMaster']);
    expect(await works(backend)).toBe(true);
    const { setName, msg } = await admin.db('admin').command({ isMaster: 1 });
    expect(backend.capabilities.transact).toBe(setName !== undefined || msg === 'isdbgrid');
    await backend.close();
    await client.close();
  });

  it('is not asked for more members than it has, where it is a single one', async () => {
    const { setName, msg } = await admin.db('admin').command({ isMaster: 1 });
    if (setName !== undefined || msg === 'isdbgrid') return;
    expect(await failure(make({ w: 2 }).open())).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('"w" is 2') as string,
    });
    expect(await works(await open({ w: 1 }))).toBe(true);
  });

  it('is not used where an index of another is in the way, or documents have no address of their own', async () => {
    await items().createIndex({ partition: 1, key: 1 }, { name: 'mine', unique: true }, {});
    expect(await failure(make().open())).toMatchObject({ code: 'CONFIG_INVALID', cause: { code: 85 } });
    await items().drop();
    await items().createIndex({ other: 1 }, { name: 'recap_address' }, {});
    expect(await failure(make().open())).toMatchObject({ code: 'CONFIG_INVALID', cause: { code: 86 } });
    await items().drop();
    await items().insertMany([1, 2].map((value) => ({ ...at('a'), kind: 'json', json: value })));
    expect(await failure(make().open())).toMatchObject({ code: 'CORRUPT', cause: { code: 11_000 } });
    await items().deleteOne({ json: 2 });
    await open();
  });

  it('is not even asked when an option cannot work', async () => {
    for (const options of [
      { url: 'http://:s3cret@host' },
      { collectionPrefix: 'a$b' },
      { collectionPrefix: '' },
      { database: 'a b' },
      { w: 0 },
      { maxValueBytes: 16 * MIB },
      { pool: { max: 0 } },
    ]) {
      let thrown: unknown;
      try {
        createMongodbBackend(options);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ code: 'CONFIG_INVALID' });
      expect(inspect(thrown)).not.toContain('s3cret');
    }
    const unread = await failure(make({ url: 'mongodb://user:s3cret@a@b/?x=y' }).open());
    expect(unread).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(inspect(unread, { depth: 10 })).not.toContain('s3cret');
  });
});
