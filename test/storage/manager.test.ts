import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  createStorageBackends,
  type DynamodbConfig,
  type FallbackEvent,
  type StorageConfig,
} from '@recap/storage';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { startKillablePostgres, type KillablePostgres } from '../faults/rig/killable-postgres';
import { MongoClient } from 'mongodb';
import { dynamoEndpoint, makeClient, place, removeTable } from './dynamodb-servers';
import {
  databaseName,
  freshPrefix as freshCollectionPrefix,
  mongodbUrl,
  removeOurs as removeOurCollections,
} from './mongodb-servers';
import { freshPrefix, redisUrl, removeOurs } from './redis-servers';

const { RECAP_TEST_POSTGRES_URL: postgresUrl } = process.env;
const schema = `manager_${process.pid}`;
const folder = mkdtempSync(join(tmpdir(), 'recap-manager-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What each engine is configured with: the program is the same on all. */
const engines: Readonly<Record<string, StorageConfig | undefined>> = {
  memory: { cache: { type: 'memory' }, database: { type: 'in-memory' } },
  file: {
    cache: { type: 'file', path: join(folder, 'files') },
    database: { type: 'file', path: join(folder, 'files') },
  },
  sqlite: {
    cache: { type: 'sqlite', path: join(folder, 'storage.db') },
    database: { type: 'sqlite', path: join(folder, 'storage.db') },
  },
  postgres: postgresUrl === undefined ? undefined : postgresOn(postgresUrl),
  redis: redisUrl === undefined ? undefined : redisOn(redisUrl),
  mongodb: mongodbUrl === undefined ? undefined : mongodbOn(mongodbUrl),
  dynamodb: dynamoEndpoint === undefined ? undefined : dynamodbOn(),
};

function postgresOn(url: string): StorageConfig {
  const { hostname: host, port, username, pathname } = new URL(url);
  return {
    cache: { type: 'postgresql', url: '${POSTGRES}', schema, applicationName: 'recap test' },
    database: {
      type: 'postgres',
      host,
      port: Number(port),
      username,
      database: pathname.slice(1),
      schema,
      pool: { max: 2 },
    },
  };
}

function redisOn(url: string): StorageConfig {
  const keyPrefix = freshPrefix();
  const { hostname: host, port } = new URL(url);
  return {
    cache: { type: 'redis', url, keyPrefix },
    database: { type: 'redis', host, port: Number(port), keyPrefix },
  };
}

function mongodbOn(url: string): StorageConfig {
  const own = { url, database: databaseName, collectionPrefix: freshCollectionPrefix() };
  return { cache: { type: 'mongo', ...own }, database: { type: 'mongodb', ...own } };
}

function dynamodbOn(): StorageConfig {
  const { timeoutMs: _timeoutMs, ...own } = place() as Omit<DynamodbConfig, 'type'>;
  return { cache: { type: 'dynamo', ...own }, database: { type: 'dynamodb', ...own } };
}

for (const [name, config] of Object.entries(engines)) {
  (config === undefined ? describe.skip : describe)(`a program configured for ${name}`, () => {
    afterAll(async () => {
      if (name === 'redis' && redisUrl !== undefined) {
        const admin = new Redis(redisUrl);
        await removeOurs(admin);
        admin.disconnect();
      }
      if (name === 'mongodb') {
        const admin = new MongoClient(mongodbUrl ?? '');
        await removeOurCollections(admin);
        await admin.close();
      }
      if (name === 'dynamodb') {
        const admin = makeClient();
        await removeTable(admin);
        admin.destroy();
      }
      if (name === 'postgres') {
        const admin = new Pool({ connectionString: postgresUrl ?? '' });
        await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
        await admin.end();
      }
    });

    it('caches, keeps, lists and tells its health', async () => {
      const environment = { POSTGRES: postgresUrl ?? '' };
      const { manager, backends } = await createStorageBackends(config!, { environment });
      try {
        const { cache, database } = backends;
        await cache.set('session:123', { user: 456 }, 3_600);
        await database.set('session:123', 'another');
        await database.append('messages:789', { role: 'user' }, { role: 'tool' });
        expect(await cache.get('session:123')).toEqual({ user: 456 });
        expect(await database.get('session:123')).toBe('another');
        expect(await database.getRange('messages:789', -1, -1)).toEqual([{ role: 'tool' }]);
        await cache.clear();
        expect(await cache.exists('session:123')).toBe(false);
        expect(await database.keys()).toEqual(['messages:789', 'session:123']);
        expect(await manager.healthCheck()).toMatchObject({ cache: true, database: true, overall: true });
        await database.clear();
      } finally {
        await manager.disconnect();
      }
    });
  });
}

describe('a PostgreSQL that is killed', () => {
  let server: KillablePostgres | undefined;
  beforeAll(async () => (server = await startKillablePostgres()));
  afterAll(() => server?.stop());

  async function until(isSo: () => boolean, what: string): Promise<void> {
    for (let tries = 0; !isSo(); tries += 1) {
      if (tries > 600) throw new Error(`Not within a minute: ${what}`);
      await wait(100);
    }
  }

  it('loses nothing while an SQLite file stands in for it, and is served again when it is back', async () => {
    if (server === undefined) return;
    const events: FallbackEvent[] = [];
    const { manager, backends } = await createStorageBackends(
      {
        database: {
          ...{ type: 'postgres', url: server.url, timeoutMs: 3_000 },
          circuitBreaker: { resetAfterMs: 200 },
          fallback: {
            to: [{ type: 'sqlite', path: join(folder, 'stand-in.db') }],
            probeIntervalMs: 100,
            stableMs: 500,
          },
        },
      },
      { onFallback: (event) => void events.push(event), logger: {} },
    );
    const { database } = backends;
    const answered: number[] = [];
    const rejected: number[] = [];
    const append = async (from: number, to: number): Promise<void> => {
      for (let n = from; n < to; n += 1) {
        await database.append('list', n).then(
          () => answered.push(n),
          () => rejected.push(n),
        );
      }
    };
    await append(0, 20);
    const during = append(20, 200);
    await server.kill();
    await during;
    await until(() => events.some(({ type }) => type === 'degraded'), 'another has taken over');
    await database.set('key', 'meanwhile');
    expect(await manager.healthCheck()).toMatchObject({ database: false, status: 'degraded' });
    await server.restart();
    await until(() => events.some(({ type }) => type === 'recovered'), 'the server is used again');
    const kept = await database.getRange<number>('list');
    expect(new Set(kept).size).toBe(kept.length);
    expect(kept.filter((n) => answered.includes(n))).toEqual(answered);
    // Only what was under way at the moment of the kill was refused.
    expect(rejected.length).toBeLessThanOrEqual(1);
    expect(await database.get('key')).toBe('meanwhile');
    expect(events.filter(({ type }) => type === 'conflict')).toEqual([]);
    expect(await manager.healthCheck()).toMatchObject({ database: true, status: 'up' });
    await manager.disconnect();
  });
});
