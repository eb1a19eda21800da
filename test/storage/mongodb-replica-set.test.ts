import { appendFileSync } from 'node:fs';
import { createMongodbBackend, type Address, type Backend } from '@recap/storage';
import { describeBackend, FakeClock } from '@recap/storage/testing';
import { MongoClient } from 'mongodb';
import { emptyCollections, databaseName } from './mongodb-servers';
import { startKillableServer, type KillableServer } from './killable-server';

const MIB = 2 ** 20;

/** Always on the stand-in: a genuine server that MONGODB_URL names is all of what it is in the other files. */
describe('on a protocol stand-in for a replica set', () => {
  const collectionPrefix = 'set_';
  let server: KillableServer;
  let admin: MongoClient;

  const another = async (clock: FakeClock): Promise<Backend> => {
    const { url } = server;
    const backend = createMongodbBackend({
      url,
      database: databaseName,
      collectionPrefix,
      clock,
      sweepIntervalMs: 0,
    });
    await backend.open();
    return backend;
  };
  const open = async (clock: FakeClock): Promise<Backend> => {
    await emptyCollections(admin, collectionPrefix);
    return another(clock);
  };

  beforeAll(async () => {
    server = (await startKillableServer('mongodb', { kind: 'replica-set' }))!;
    admin = new MongoClient(server.url);
  });
  afterAll(async () => {
    const { RECAP_STORAGE_SERVERS: file } = process.env;
    const note = { name: 'mongodb-replica-set', server: 'a protocol stand-in' };
    if (file !== undefined) appendFileSync(file, `${JSON.stringify(note)}\n`);
    await admin.close();
    await server.stop();
  });

  describeBackend('mongodb-replica-set', open, { another });

  it('has transactions that append what does not fit beside what the list holds', async () => {
    const backend = await open(new FakeClock());
    try {
      const [at, other] = ['l', 'other'].map((key) => ({ partition: 'p', key })) as [Address, Address];
      const large = new Uint8Array(16 * MIB - 80 * 1_024);
      await backend.append(at, ['x'.repeat(100_000)]);
      const writes = [
        { type: 'append', ...at, values: [large] },
        { type: 'set', ...other, value: 1 },
      ] as const;
      expect(await backend.transact(writes)).toMatchObject([
        { status: 'written', length: 2 },
        { status: 'written' },
      ]);
      expect((await backend.range(at)).map((value) => (value as Uint8Array).length)).toEqual([
        100_000,
        large.length,
      ]);
    } finally {
      await backend.close();
    }
  });

  it('has transactions, which move long lists and what follows them', async () => {
    const backend = await open(new FakeClock());
    try {
      expect(backend.capabilities.transact).toBe(true);
      const at = (key: string) => ({ partition: 'p', key });
      const elements = Array.from({ length: 300 }, (_, index) => index);
      for (const key of ['replaced', 'deleted', 'grown'])
        for (let round = 0; round < 2; round += 1) await backend.append(at(key), elements);
      await backend.transact([
        { type: 'set', ...at('replaced'), value: 1 },
        { type: 'delete', ...at('deleted') },
        { type: 'append', ...at('grown'), values: elements },
      ]);
      expect(await backend.get(at('replaced'))).toMatchObject({ value: 1 });
      expect(await backend.length(at('deleted'))).toBe(0);
      expect(await backend.range(at('grown'))).toEqual([...elements, ...elements, ...elements]);
      const chunks = admin.db(databaseName).collection(`${collectionPrefix}chunks`);
      const lists = (await chunks.find().toArray()).map((chunk) => chunk['list'] as string);
      expect(new Set(lists).size).toBe(1);
    } finally {
      await backend.close();
    }
  });
});
