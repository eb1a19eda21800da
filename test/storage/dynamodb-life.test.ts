import { inspect } from 'node:util';
import { CreateTableCommand, DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  createCacheBackend,
  createCachedDatabase,
  createDatabaseBackend,
  createDynamodbBackend,
  createStorageBackends,
  type Backend,
  type DynamodbBackendOptions,
} from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { startFaultProxy, type FaultProxy } from '../faults/rig/fault-proxy';
import { until } from '../faults/rig/until';
import { clientAround, failureOf } from './dynamodb-clients';
import { localCredentials, makeClient } from './dynamodb-servers';
import { startKillableServer, type KillableServer } from './killable-server';

const at = (key: string, partition = 'p') => ({ partition, key });

describe('the life of a backend on DynamoDB', () => {
  let server: KillableServer | undefined;
  let admin: DynamoDBClient;
  let opened: Backend[] = [];
  let proxies: FaultProxy[] = [];
  let tables = 0;

  const make = (options: DynamodbBackendOptions = {}): Backend => {
    tables += 1;
    const backend = createDynamodbBackend({
      ...(options.client === undefined && { endpoint: server!.url, credentials: localCredentials }),
      ...{ table: `life-${tables}`, createTable: true, clock: new FakeClock(), sweepIntervalMs: 0 },
      ...options,
    });
    opened.push(backend);
    return backend;
  };
  const failure = (call: Promise<unknown>): Promise<{ code?: string; message: string }> =>
    call.then(
      () => Promise.reject(new Error('It did not fail.')),
      (error: unknown) => error as Error,
    );
  /** A test that needs a server of its own. */
  const itOnServer = (title: string, body: () => Promise<void>): void => {
    it(title, async () => {
      if (server !== undefined) await body();
    });
  };

  beforeAll(async () => {
    server = await startKillableServer('dynamodb', { keeps: true });
    admin = makeClient(server?.url ?? 'http://127.0.0.1:1');
  });
  afterEach(async () => {
    for (const backend of opened) await backend.close();
    for (const proxy of proxies) await proxy.close();
    opened = [];
    proxies = [];
  });
  afterAll(async () => {
    admin.destroy();
    await server?.stop();
  });

  itOnServer('finds everything again after the server was killed, and works on by itself', async () => {
    const backend = make({ timeoutMs: 5_000 });
    await backend.open();
    await backend.set(at('a'), { x: 1 });
    await backend.append(at('l'), ['x'.repeat(500_000), 1]);
    await server!.act('kill');
    for (const call of [backend.get(at('a')), backend.set(at('b'), 1), backend.append(at('l'), [2])])
      expect(await failure(call)).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await backend.health()).toMatchObject({ healthy: false });
    await server!.act('restart');
    await until(
      'it answers again',
      () => backend.health(),
      ({ healthy }) => healthy,
    );
    expect((await backend.get(at('a')))?.value).toEqual({ x: 1 });
    expect(await backend.length(at('l'))).toBe(2);
    expect(await backend.append(at('l'), [2])).toBe(3);
  });

  itOnServer('rejects UNAVAILABLE in time where nothing is heard of the server', async () => {
    const proxy = await startFaultProxy(new URL(server!.url));
    proxies.push(proxy);
    const backend = make({ endpoint: proxy.url, timeoutMs: 400 });
    await backend.open();
    await backend.set(at('a'), 1);
    proxy.toxics = { timeout: true };
    const since = performance.now();
    for (const call of [
      backend.get(at('a')),
      backend.set(at('a'), 2),
      backend.append(at('l'), [1]),
      backend.scan('p'),
      backend.partitions(),
      backend.sweep(),
    ])
      expect(await failure(call)).toMatchObject({ code: 'UNAVAILABLE' });
    expect(performance.now() - since).toBeLessThan(10_000);
    await backend.close();
  });

  itOnServer('rejects UNAVAILABLE where no server is, and opens once there is one', async () => {
    const proxy = await startFaultProxy(new URL(server!.url));
    proxies.push(proxy);
    await proxy.down();
    const backend = make({ endpoint: proxy.url });
    expect(await failure(backend.open())).toMatchObject({ code: 'UNAVAILABLE' });
    await proxy.up();
    await backend.open();
    await backend.set(at('a'), 1);
    expect((await backend.get(at('a')))?.value).toBe(1);
  });

  itOnServer('survives connections that break in the middle of calls', async () => {
    const proxy = await startFaultProxy(new URL(server!.url));
    proxies.push(proxy);
    const backend = make({ endpoint: proxy.url });
    await backend.open();
    proxy.toxics = { resetPeer: { at: 'UpdateItem', moment: 'after', every: 3 } };
    for (let index = 0; index < 12; index += 1)
      expect(await backend.append(at('l'), [index])).toBe(index + 1);
    expect(proxy.reached.resetPeer).toBeGreaterThan(0);
    expect(await backend.range(at('l'))).toEqual(Array.from({ length: 12 }, (_, index) => index));
  });

  itOnServer('creates its table once, whoever opens at the same time', async () => {
    const table = 'together';
    const backends = [1, 2, 3].map(() => make({ table }));
    await Promise.all(backends.map((backend) => backend.open()));
    await backends[0]!.set(at('a'), 1);
    expect((await backends[2]!.get(at('a')))?.value).toBe(1);
    const { Table: found } = await admin.send(new DescribeTableCommand({ TableName: table }));
    expect(found?.BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST');
  });

  itOnServer('refuses a table that is not there, or is another, and says what to do', async () => {
    expect(await failure(make({ createTable: false }).open())).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('createTable') as string,
    });
    await admin.send(
      new CreateTableCommand({
        TableName: 'foreign',
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      }),
    );
    expect(await failure(make({ table: 'foreign' }).open())).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('"foreign" has other keys') as string,
    });
  });

  itOnServer('tells the table its time to live, unless it knows', async () => {
    const told: object[] = [];
    const openWith = async (known: object): Promise<void> => {
      const client = clientAround(admin, (command, send) => {
        const { name } = command.constructor;
        if (name === 'DescribeTimeToLiveCommand') return Promise.resolve({ TimeToLiveDescription: known });
        if (name !== 'UpdateTimeToLiveCommand') return send(command);
        told.push(command.input);
        return Promise.resolve({});
      });
      await make({ client, table: 'living', declareTimeToLive: true }).open();
    };
    await openWith({ TimeToLiveStatus: 'ENABLED', AttributeName: 'delete_after' });
    expect(told).toEqual([]);
    await openWith({ TimeToLiveStatus: 'DISABLED' });
    expect(told).toEqual([
      { TableName: 'living', TimeToLiveSpecification: { AttributeName: 'delete_after', Enabled: true } },
    ]);
    expect(await failure(openWith({ TimeToLiveStatus: 'ENABLED', AttributeName: 'other' }))).toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  itOnServer('takes the time to live that another declares at the same moment', async () => {
    let declared: string | undefined;
    const openWith = (attribute: string): Promise<void> => {
      let looks = 0;
      const client = clientAround(admin, (command, send) => {
        const { name } = command.constructor;
        if (name === 'DescribeTimeToLiveCommand') {
          looks += 1;
          // Another is told right after the first look.
          const known =
            looks === 1
              ? { TimeToLiveStatus: 'DISABLED' }
              : { TimeToLiveStatus: 'ENABLING', AttributeName: declared };
          return Promise.resolve({ TimeToLiveDescription: known });
        }
        if (name !== 'UpdateTimeToLiveCommand') return send(command);
        declared = attribute;
        return Promise.reject(failureOf('ValidationException'));
      });
      return make({ client, table: 'raced', declareTimeToLive: true }).open();
    };
    await openWith('delete_after');
    expect(declared).toBe('delete_after');
    expect(await failure(openWith('other'))).toMatchObject({ code: 'CONFIG_INVALID' });
  });

  itOnServer('waits for a table that takes longer than a call may', async () => {
    let looks = 0;
    const client = clientAround(admin, async (command, send) => {
      const answer = await send(command);
      if (command.constructor.name !== 'DescribeTableCommand') return answer;
      looks += 1;
      const { Table: table } = answer as { Table: object };
      return looks < 4 ? { Table: { ...table, TableStatus: 'CREATING' } } : answer;
    });
    const backend = make({ client, timeoutMs: 60 });
    await backend.open();
    expect(looks).toBe(4);
  });

  itOnServer(
    'makes its table once the one before it is deleted, however many others are being made',
    async () => {
      const made: string[] = [];
      const states = ['DELETING', 'DELETING'];
      const client = clientAround(admin, async (command, send) => {
        const { name } = command.constructor;
        const state = states.at(0);
        if (name === 'DescribeTableCommand' && state !== undefined) {
          states.shift();
          return { Table: { TableStatus: state } };
        }
        if (name !== 'CreateTableCommand') return send(command);
        made.push(name);
        if (made.length === 1) throw failureOf('LimitExceededException');
        return send(command);
      });
      const backend = make({ client, table: 'again' });
      await backend.open();
      expect(made).toHaveLength(2);
      await backend.set(at('a'), 1);
      expect((await backend.get(at('a')))?.value).toBe(1);
    },
  );

  itOnServer('destroys the client that it made, and leaves the one that it was given', async () => {
    let destroyed = 0;
    const client = {
      ...clientAround(admin, (command, send) => send(command)),
      destroy: () => (destroyed += 1),
    };
    const backend = make({ client });
    await backend.open();
    await backend.close();
    expect(destroyed).toBe(0);
    expect(await failure(backend.get(at('a')))).toMatchObject({ code: 'CLOSED' });
  });

  itOnServer('is stood in for while its server is down, and handed over to when it is back', async () => {
    const events: string[] = [];
    const { manager, backends } = await createStorageBackends(
      {
        database: {
          ...{ type: 'dynamodb', endpoint: server!.url, credentials: localCredentials },
          ...{
            table: 'fallback',
            createTable: true,
            timeoutMs: 3_000,
            circuitBreaker: { resetAfterMs: 100 },
          },
          fallback: { to: ['memory'], probeIntervalMs: 50, stableMs: 100 },
        },
      },
      { onFallback: ({ type }) => void events.push(type), logger: {} },
    );
    const { database } = backends;
    try {
      await database.set('before', 1);
      await server!.act('kill');
      await until(
        'another stands in',
        () =>
          database.set('meanwhile', 2).then(
            () => events.includes('degraded'),
            () => false,
          ),
        Boolean,
      );
      await database.append('list', 'a', 'b');
      await server!.act('restart');
      await until('it is used again', () => events.includes('recovered'), Boolean);
      expect(await database.mget(['before', 'meanwhile'])).toEqual([1, 2]);
      expect(await database.getRange('list')).toEqual(['a', 'b']);
    } finally {
      await manager.disconnect();
    }
  });

  itOnServer('is both the cache and the database of a cached database', async () => {
    const [cache, database, other] = [1, 2, 3].map(() => make({ table: 'cached' }));
    const cached = createCachedDatabase({
      cache: createCacheBackend(cache!),
      database: createDatabaseBackend(database!),
      strategy: 'write-through',
      ttlSeconds: 60,
    });
    await cached.connect();
    await cached.set('a', { x: 1 });
    expect(await cached.get('a')).toEqual({ x: 1 });
    const direct = createDatabaseBackend(other!);
    await direct.connect();
    expect(await direct.get('a')).toEqual({ x: 1 });
    await direct.disconnect();
    await cached.disconnect();
  });

  itOnServer('tells no secret in what it rejects, nor in its cause', async () => {
    const proxy = await startFaultProxy(new URL(server!.url));
    proxies.push(proxy);
    const credentials = { accessKeyId: 'AKIA7', secretAccessKey: 's3cret', sessionToken: 't0ken' };
    const backend = make({ endpoint: proxy.url, credentials });
    await backend.open();
    await proxy.down();
    const told = inspect(await failure(backend.set(at('a'), 1)), { depth: 20, showHidden: true });
    expect(told).toContain('UNAVAILABLE');
    expect(told).not.toMatch(/s3cret|t0ken/);
  });

  it.each([
    [{ table: 'ab' }, /table: has to be 3 to 255/],
    [{ table: 'a b c' }, /table:/],
    [{ keyPrefix: 'a\0b' }, /keyPrefix: has to be a text of at most 512 bytes without NUL/],
    [{ keyPrefix: 'x'.repeat(513) }, /keyPrefix:/],
    [{ endpoint: 'localhost:8000' }, /endpoint: has to be an http or https URL/],
    [{ endpoint: 'nowhere' }, /endpoint:/],
    [{ maxConnections: 0 }, /maxConnections:/],
    [{ tabel: 'x' }, /unknown setting "tabel" \(did you mean "table"\?\)/],
    [{ maxValueBytes: 0.5 }, /maxValueBytes:/],
  ])('refuses %j', (options, message) => {
    expect(() => createDynamodbBackend(options as object)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) as string }),
    );
  });
});
