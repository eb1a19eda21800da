import { createMongodbBackend, type Backend, type MongodbBackendOptions } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { MongoClient, type Collection } from 'mongodb';
import { startKillableServer, type KillableServer } from './killable-server';
import { withBulkError, withCollections } from './mongodb-doubles';
import { databaseName, freshPrefix } from './mongodb-servers';

const at = (key: string, partition = 'p') => ({ partition, key });
const elements = Array.from({ length: 300 }, (_, index) => index);

/** Always on the stand-in: what it is told to fail with, a genuine server cannot be told but in its own tests. */
describe('MongoDB that fails', () => {
  const clock = new FakeClock();
  let server: KillableServer;
  let admin: MongoClient;
  let collectionPrefix = '';
  let opened: Backend[] = [];

  const open = async (options: MongodbBackendOptions = { url: server.url }): Promise<Backend> => {
    const shared = { database: databaseName, collectionPrefix, clock, sweepIntervalMs: 0 };
    const backend = createMongodbBackend({ ...shared, ...options });
    opened.push(backend);
    await backend.open();
    return backend;
  };
  const failNext = async (times: number, data: object): Promise<void> => {
    await admin.db('admin').command({ configureFailPoint: 'failCommand', mode: { times }, data });
  };
  const chunks = (): Collection => admin.db(databaseName).collection(`${collectionPrefix}chunks`);
  const fill = async (backend: Backend, key: string): Promise<void> => {
    for (let round = 0; round < 2; round += 1) await backend.append(at(key), elements);
    expect(await chunks().countDocuments()).toBeGreaterThan(0);
  };

  beforeAll(async () => {
    server = (await startKillableServer('mongodb', { kind: 'replica-set' }))!;
    admin = new MongoClient(server.url);
  });
  beforeEach(() => {
    collectionPrefix = freshPrefix();
  });
  afterEach(async () => {
    await admin.db('admin').command({ configureFailPoint: 'failCommand', mode: 'off' });
    const backends = opened;
    opened = [];
    for (const backend of backends) await backend.close();
  });
  afterAll(async () => {
    await admin.close();
    await server.stop();
  });

  it('says of no write that it is made where a majority does not hold it, though another was refused', async () => {
    const unmet = { code: 91, errmsg: 'Replication is being shut down' };
    const client = withBulkError(admin, (error) =>
      Object.assign(error, { result: { getWriteConcernError: () => unmet } }),
    );
    const backend = await open({ client });
    await fill(backend, 'k0');
    const writes = [0, 1, 2].map((index) => ({ type: 'set' as const, ...at(`k${index}`), value: index }));
    expect(await backend.batch(writes)).toMatchObject([
      { status: 'written' },
      { status: 'failed', error: { code: 'UNAVAILABLE', cause: unmet } },
      { status: 'failed', error: { code: 'UNAVAILABLE', cause: unmet } },
    ]);
    expect(await backend.get(at('k0'))).toMatchObject({ value: 0 });
  });

  it('says of no write made again that it is made while a majority does not hold it', async () => {
    const backend = await open({ url: server.url, timeoutMs: 500 });
    const unmet = { code: 91, errmsg: 'Replication is being shut down' };
    const set = { ...at('a'), value: 1, version: 'v1' };
    const makes = [
      () => backend.set(at('a'), 1, { version: 'v1' }),
      () => backend.set(at('b'), 1, { version: 'v1', ifAbsent: true }),
      () => backend.append(at('l'), [1, 2], { version: 'v1' }),
      async () => (await backend.batch([{ type: 'set', ...set, ifAbsent: true }]))[0],
      async () => (await backend.transact([{ type: 'set', ...set }]))[0],
    ];
    const writing = ['insert', 'update', 'findAndModify', 'commitTransaction'];
    await failNext(1e9, { failCommands: writing, writeConcernError: unmet });
    const outcomes: unknown[] = [];
    for (const make of makes)
      for (let time = 0; time < 3; time += 1)
        outcomes.push(await make().catch((error: unknown) => ({ status: 'failed', error })));
    expect(outcomes).toEqual(
      outcomes.map(() => ({
        status: 'failed',
        error: expect.objectContaining({ code: 'UNAVAILABLE' }) as unknown,
      })),
    );
    await failNext(0, {});
    expect(await makes[2]!()).toBe(2);
    expect(await makes[1]!()).toBe('v1');
  });

  it.each([
    [24, 'LockTimeout'],
    [91, 'ShutdownInProgress'],
    [246, 'SnapshotUnavailable'],
    [10_107, 'NotWritablePrimary'],
    [11_602, 'InterruptedDueToReplStateChange'],
  ])('makes a transaction again that the server has undone for %i, %s', async (errorCode) => {
    const backend = await open();
    const data = { errorCode, errorLabels: ['TransientTransactionError'] };
    for (const command of ['find', 'insert', 'commitTransaction']) {
      await failNext(1, { failCommands: [command], ...data });
      const writes = [{ type: 'set' as const, ...at(command), value: errorCode }];
      expect(await backend.transact(writes)).toMatchObject([{ status: 'written' }]);
      expect(await backend.get(at(command))).toMatchObject({ value: errorCode });
    }
  });

  it.each([
    ['is not known', { errorCode: 91, errorLabels: ['RetryableWriteError'] }],
    ['is not held by a majority yet', { writeConcernError: { code: 64, errmsg: 'timed out' } }],
  ])('asks again for the end of a transaction that %s, and makes it once', async (_text, data) => {
    const backend = await open();
    await failNext(2, { failCommands: ['commitTransaction'], ...data });
    await backend.append(at('l'), ['before']);
    expect(await backend.transact([{ type: 'append', ...at('l'), values: ['a'] }])).toMatchObject([
      { status: 'written', length: 2 },
    ]);
    expect(await backend.range(at('l'))).toEqual(['before', 'a']);
  });

  it('gives a transaction up in time that fails again and again, and says why', async () => {
    const backend = await open({ url: server.url, timeoutMs: 500 });
    const labels = { find: 'TransientTransactionError', commitTransaction: 'UnknownTransactionCommitResult' };
    for (const [command, label] of Object.entries(labels)) {
      await failNext(1e9, { failCommands: [command], errorCode: 24, errorLabels: [label] });
      const call = backend.transact([{ type: 'set', ...at('a'), value: 1 }]);
      await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE', cause: { code: 24 } });
    }
  });

  it('does not make a transaction again that failed for good', async () => {
    const backend = await open();
    await failNext(1, { failCommands: ['insert'], errorCode: 14_031 });
    const call = backend.transact([{ type: 'set', ...at('a'), value: 1 }]);
    await expect(call).rejects.toMatchObject({ code: 'CAPACITY_EXCEEDED' });
    expect(await backend.get(at('a'))).toBeUndefined();
  });

  it('keeps no element of a list that was deleted while elements moved, and whoever moved them died', async () => {
    const other = await open();
    let isDead = false;
    const client = withCollections(admin, ({ insertOne }, collection) => ({
      insertOne: async (...args: unknown[]) => {
        if (isDead) throw new Error('It is dead.');
        if (!collection.endsWith('chunks')) return insertOne!(...args);
        expect(await other.delete(at('l'))).toBe(true);
        await insertOne!(...args);
        isDead = true;
        throw new Error('It died.');
      },
      findOne: async () => Promise.reject(new Error('It is dead.')),
    }));
    const mover = await open({ client });
    await mover.append(at('l'), elements);
    expect([isDead, await chunks().countDocuments()]).toEqual([true, 1]);
    expect(await other.sweep()).toBe(1);
    expect(await chunks().countDocuments()).toBe(0);
    expect(await other.sweep()).toBe(0);
  });

  it('finds what no list names among many, a few at each sweep, and keeps what a list names', async () => {
    const backend = await open();
    await fill(backend, 'kept');
    const lost = Array.from({ length: 25 }, (_, index) => ({ list: `lost ${index}`, start: 0, values: [] }));
    await chunks().insertMany(lost);
    let swept = 0;
    for (let left = 25; left > 0; left = await chunks().countDocuments({ list: /^lost/ })) {
      const step = await backend.sweep(10);
      expect(step).toBeLessThanOrEqual(10);
      swept += step;
    }
    expect(swept).toBe(25);
    expect(await backend.range(at('kept'))).toEqual([...elements, ...elements]);
  });

  it('is opened while it makes its indexes for longer than a call may take, and no longer than that otherwise', async () => {
    const timeoutMs = 400;
    await failNext(1, { failCommands: ['createIndexes'], blockConnection: true, blockTimeMS: 3 * timeoutMs });
    const backend = await open({ url: server.url, timeoutMs });
    expect(await backend.set(at('a'), 1)).toBeDefined();
    const client = new MongoClient(server.url);
    for (const options of [{ url: server.url }, { client }]) {
      await failNext(1, { failCommands: ['listCollections'], blockConnection: true, blockTimeMS: 60_000 });
      await expect(open({ ...options, timeoutMs })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    }
    await client.close();
  });
});
