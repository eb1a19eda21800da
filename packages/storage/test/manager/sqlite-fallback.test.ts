import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryBackend } from '../../src/backends/memory/memory-backend';
import type { FallbackEvent } from '../../src/fallback/fallback-event';
import { createStorageBackends } from '../../src/manager/create-storage-backends';
import type { StorageManager } from '../../src/manager/storage-manager';
import { faultyBackend, type Faults } from '../faulty-backend';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'recap-fallback-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const server = createMemoryBackend({ sweepIntervalMs: 0 });
beforeAll(() => server.open());
afterAll(() => server.close());

interface Running {
  readonly manager: StorageManager;
  readonly database: Awaited<ReturnType<typeof createStorageBackends>>['backends']['database'];
  readonly faults: Faults;
  readonly events: FallbackEvent[];
}

/** A process of the program: a connection to the server of its own, and the file that processes share. */
async function start(isDown: boolean): Promise<Running> {
  const { backend, faults } = faultyBackend({ ...connectionTo(), close: () => Promise.resolve() });
  faults.isDown = isDown;
  const events: FallbackEvent[] = [];
  const { manager, backends } = await createStorageBackends(
    {
      database: {
        ...{ type: 'custom', backend, retry: false, circuitBreaker: false },
        fallback: { to: [{ type: 'sqlite', path: join(folder, 'later/fallback.db') }, 'memory'] },
      },
    },
    { onFallback: (event) => void events.push(event), logger: { warn: jest.fn() } },
  );
  return { manager, database: backends.database, faults, events };
}

/** The methods of the server as members of an object of its own. */
function connectionTo(): typeof server {
  const { open, get, getMany, set, delete: remove, scan, partitions, batch } = server;
  const { append, range, length, transact, query, publish, subscribe, sweep, health, stats, close } = server;
  const methods = { open, get, getMany, set, delete: remove, scan, partitions, batch, append, range, length };
  const others = { transact, query, publish, subscribe, sweep, health, stats, close };
  const bound = Object.entries({ ...methods, ...others }).map(([name, method]) => [
    name,
    (method as () => void).bind(server),
  ]);
  return { name: 'server', capabilities: server.capabilities, ...Object.fromEntries(bound) };
}

describe('a database whose fallback is an SQLite file', () => {
  it('has what was written while its server was away, although the process ended before it was back', async () => {
    const first = await start(false);
    await first.database.append('history', 'before');
    first.faults.isDown = true;
    await first.database.append('history', 'one', { two: [2] });
    await first.database.set('user:1', { name: 'Ada' });
    await first.database.set('blob', Uint8Array.of(0, 1, 255));
    await first.manager.disconnect();
    expect(first.events.at(-1)).toEqual({ type: 'unreplayed', in: 'sqlite', writes: 3, isLost: false });

    const second = await start(false);
    expect(second.events).toMatchObject([{ type: 'recovered', replayed: 3, conflicts: 0 }]);
    expect(await second.database.getRange('history')).toEqual(['before', 'one', { two: [2] }]);
    expect(await second.database.get('user:1')).toEqual({ name: 'Ada' });
    expect(await second.database.get('blob')).toEqual(Uint8Array.of(0, 1, 255));
    await second.manager.disconnect();
    expect(second.events).toHaveLength(1);
  });

  it('says what is lost where that file is only in memory', async () => {
    const { backend, faults } = faultyBackend({ ...connectionTo(), close: () => Promise.resolve() });
    const { manager, backends } = await createStorageBackends(
      {
        database: {
          ...{ type: 'custom', backend, retry: false, circuitBreaker: false },
          fallback: [{ type: 'sqlite', path: ':memory:' }],
        },
      },
      { logger: {} },
    );
    faults.isDown = true;
    await backends.database.set('a', 1);
    await expect(manager.disconnect()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('goes on in the same file when the server is still away', async () => {
    const first = await start(true);
    await first.database.append('list', 1);
    await first.manager.disconnect();
    const second = await start(true);
    await second.database.append('list', 2);
    expect(await second.manager.healthCheck()).toMatchObject({
      details: { database: { status: 'degraded', servedBy: 'sqlite', pendingWrites: 2 } },
    });
    await second.manager.disconnect();
    const third = await start(false);
    expect(await third.database.getRange('list')).toEqual([1, 2]);
    await third.manager.disconnect();
  });

  it('takes values as large as its server does, and no larger', async () => {
    const { database, manager } = await start(true);
    const large = ['"'.repeat(7 * 2 ** 20), 'x'.repeat(15 * 2 ** 20)];
    for (const [n, text] of large.entries()) await database.set(`large:${n}`, { text });
    await expect(database.set('larger', 'x'.repeat(17 * 2 ** 20))).rejects.toMatchObject({
      code: 'VALUE_TOO_LARGE',
    });
    await manager.disconnect();
    const after = await start(false);
    expect(after.events).toMatchObject([{ type: 'recovered', replayed: 2 }]);
    const found = (await after.database.mget(['large:0', 'large:1'])) as { text: string }[];
    expect(found.map(({ text }, n) => text === large[n])).toEqual([true, true]);
    await after.manager.disconnect();
  });
});

describe('what waits in the file', () => {
  const nobody = 'postgres://u:s3cret@127.0.0.1:1';
  // Drivers of servers that nobody runs: only what waits decides.
  const open = (half: object, fallback: object = {}): Promise<StorageManager> =>
    createStorageBackends(
      {
        database: {
          ...{ type: 'postgres', timeoutMs: 200, retry: false, ...half },
          fallback: { to: [{ type: 'sqlite', path: join(folder, 'f.db') }], ...fallback },
        } as never,
      },
      { logger: { warn: jest.fn() } },
    ).then(async ({ manager, backends }) => {
      await backends.database.set('k', 1);
      return manager;
    });
  const writesOf = async (manager: StorageManager): Promise<unknown> =>
    (await manager.healthCheck()).details.database?.pendingWrites;

  it('is for the backend that it was kept for, and told without a secret to another', async () => {
    await (await open({ url: `${nobody}/staging` })).disconnect();
    for (const other of [
      { url: `${nobody}/production` },
      { url: 'postgres://u:s3cret@127.0.0.2:1/staging' },
      { url: `${nobody}/staging`, schema: 'other' },
      { type: 'redis', url: 'redis://:s3cret@127.0.0.1:1' },
    ]) {
      const error: unknown = await open(other).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'StorageError', code: 'CONFIG_INVALID' });
      const { message } = error as Error;
      expect(message).toMatch(/keeps writes \(1\) for postgres \(host localhost, port 1, database staging\)/);
      expect(message).toMatch(/the configuration says (postgres|redis) \(host .*"adoptWrites"/);
      expect(message).not.toContain('s3cret');
    }
    // The file was let go of each time. Whoever comes, and where a name leads, makes no other backend.
    const same = { username: 'other', password: 'x', host: 'localhost', port: 1, database: 'staging' };
    const manager = await open(same);
    expect(await writesOf(manager)).toBe(2);
    await manager.disconnect();
  });

  it('is taken over by another backend that is said to have the data', async () => {
    await (await open({ url: `${nobody}/old` })).disconnect();
    const adopting = await open({ url: `${nobody}/new` }, { adoptWrites: true });
    expect(await writesOf(adopting)).toBe(2);
    await adopting.disconnect();
  });
});
