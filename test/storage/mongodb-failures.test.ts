import { createMongodbBackend, type Backend, type MongodbBackendOptions } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { MongoClient, type Collection } from 'mongodb';
import { startKillableServer, type KillableServer } from './killable-server';
import { withBulkError } from './mongodb-doubles';
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
});
