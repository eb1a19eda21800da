import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, Socket, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  createPostgresBackend,
  createStorageBackends,
  StorageManager,
  type Backend,
  type PostgresBackendOptions,
} from '@recap/storage';
import { Client, Pool } from 'pg';
import { startFaultProxy } from '../faults/rig/fault-proxy';
import { startKillablePostgres, type KillablePostgres } from '../faults/rig/killable-postgres';
import { until } from '../faults/rig/until';

const at = (key: string) => ({ partition: 'p', key });
const PASSWORD = 'right-s3cret';
const TIMEOUT_MS = 500;
/** What a busy machine may add. */
const MARGIN_MS = 1_500;

describe('a PostgreSQL of its own', () => {
  let server: KillablePostgres | undefined;
  const opened: Backend[] = [];
  const figures: string[] = [];

  beforeAll(async () => {
    server = await startKillablePostgres();
  });
  afterEach(async () => {
    for (const backend of opened.splice(0)) await backend.close();
  });
  afterAll(async () => {
    await server?.stop();
    if (figures.length > 0) process.stdout.write(`\nPostgreSQL fails:\n${figures.join('')}`);
  });

  /** A test that needs the server. */
  const itOnServer = (title: string, body: (server: KillablePostgres) => Promise<void>): void => {
    it(title, async () => {
      if (server !== undefined) await body(server);
    });
  };
  const make = (options: PostgresBackendOptions): Backend => {
    const backend = createPostgresBackend({ sweepIntervalMs: 0, ...options });
    opened.push(backend);
    return backend;
  };
  const asAdmin = async (url: string, ...statements: readonly string[]): Promise<void> => {
    const admin = new Client({ connectionString: url });
    await admin.connect();
    for (const statement of statements) await admin.query(statement);
    await admin.end();
  };
  const failure = (call: Promise<unknown>): Promise<Error & { code?: string }> =>
    call.then(
      () => Promise.reject(new Error('It did not fail.')),
      (error: unknown) => error as Error,
    );
  /** Also how long it took to fail. */
  const timedFailure = async (call: Promise<unknown>): Promise<[string | undefined, number]> => {
    const startedAt = performance.now();
    const { code } = await failure(call);
    return [code, performance.now() - startedAt];
  };
  const works = (backend: Backend): Promise<boolean> =>
    backend.set(at('again'), 1).then(
      () => true,
      () => false,
    );

  itOnServer(
    'refuses a wrong password, none, and TLS that it has not, at once and without a word of it',
    async ({ url, folder }) => {
      const admin = new Client({ connectionString: url });
      await admin.connect();
      await admin.query(`CREATE ROLE wary LOGIN SUPERUSER PASSWORD '${PASSWORD}'`);
      const rules = join(folder, 'data/pg_hba.conf');
      writeFileSync(rules, `host all wary 127.0.0.1/32 scram-sha-256\n${readFileSync(rules, 'utf8')}`);
      await admin.query('SELECT pg_reload_conf()');
      await admin.end();

      const { hostname: host, port } = new URL(url);
      const place = { host, port: Number(port), database: 'postgres' };
      const wrong = new URL(url);
      [wrong.username, wrong.password] = ['wary', 'wrong-s3cret'];
      await until(
        'the rules are read',
        async () => (await failure(make({ url: wrong.href }).open())).code,
        (code) => code === 'ACCESS_DENIED',
      );
      for (const backend of [
        make({ url: wrong.href }),
        make({ ...place, user: 'wary', password: 'wrong-s3cret' }),
        make({ ...place, user: 'wary', password: async () => 'wrong-s3cret' }),
      ]) {
        const error = await failure(backend.open());
        expect(error).toMatchObject({ code: 'ACCESS_DENIED' });
        expect(inspect(error, { depth: 10 })).not.toContain('s3cret');
        expect((await backend.health()).healthy).toBe(false);
      }
      // Not tried again: the password does not get better, and the server may lock the account.
      const manager = new StorageManager({
        database: {
          type: 'postgres',
          ...place,
          username: 'wary',
          password: 'wrong-s3cret',
          retry: { retries: 5 },
        },
      });
      await expect(manager.connect()).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
      await manager.disconnect();
      // Forgotten, or TLS that the server has not: no other attempt helps, and nothing stands in for it.
      for (const [wrong, code] of [
        [{}, 'ACCESS_DENIED'],
        [{ password: PASSWORD, ssl: true }, 'CONFIG_INVALID'],
      ] as const) {
        const fallback = ['memory' as const];
        const misled = new StorageManager({
          database: { type: 'postgres', ...place, username: 'wary', ...wrong, fallback },
        });
        await expect(misled.connect()).rejects.toMatchObject({ code });
        await misled.disconnect();
      }

      const right = make({ ...place, user: 'wary', password: () => PASSWORD });
      await right.open();
      await right.set(at('a'), 1);
      expect(await right.get(at('a'))).toMatchObject({ value: 1 });
    },
  );

  // It was ACCESS_DENIED: making a schema only where there is none takes the right to make one.
  itOnServer('takes a schema that was made for its user, who may make none', async ({ url }) => {
    await asAdmin(url, 'CREATE ROLE tenant LOGIN', 'CREATE SCHEMA theirs AUTHORIZATION tenant');
    const target = Object.assign(new URL(url), { username: 'tenant' }).href;
    const backend = make({ url: target, schema: 'theirs' });
    await backend.open();
    await backend.set(at('a'), 1);
    expect(await backend.get(at('a'))).toMatchObject({ value: 1 });
    expect(await failure(make({ url: target, schema: 'another' }).open())).toMatchObject({
      code: 'ACCESS_DENIED',
    });
  });

  // They were UNAVAILABLE, at the first call if not before: tried again, and hidden by a fallback.
  it.each([
    ['recap_items of others', ['CREATE TABLE shape.recap_items (id int)']],
    ['recap_dropped_lists of others', ['CREATE TABLE shape.recap_dropped_lists (id int)']],
    ['a column that is missing', ['ALTER TABLE shape.recap_elements DROP COLUMN kind']],
    ['a table that is missing', ['DROP TABLE shape.recap_elements']],
  ])('takes no schema with %s', async (_what, statements) => {
    if (server === undefined) return;
    const { url } = server;
    const place = { url, schema: 'shape' };
    await asAdmin(url, 'DROP SCHEMA IF EXISTS shape CASCADE', 'CREATE SCHEMA shape');
    if (!statements[0]!.startsWith('CREATE')) await make(place).open();
    await asAdmin(url, ...statements);
    const refused = { code: 'DATABASE_UNSUPPORTED', cause: { code: expect.stringMatching(/^42/) } };
    expect(await failure(make(place).open())).toMatchObject(refused);
    const manager = new StorageManager({ database: { type: 'postgres', ...place, fallback: ['memory'] } });
    await expect(manager.connect()).rejects.toMatchObject(refused);
    await manager.disconnect();
  });

  itOnServer('is only read by a user who may only read, and no fallback hides it', async ({ url }) => {
    await asAdmin(
      url,
      'CREATE ROLE reader LOGIN SUPERUSER',
      'ALTER ROLE reader SET default_transaction_read_only = on',
    );
    const place = { url: Object.assign(new URL(url), { username: 'reader' }).href, schema: 'read_only' };
    expect(await failure(make(place).open())).toMatchObject({ code: 'ACCESS_DENIED' });
    const writer = make({ url, schema: 'read_only' });
    await writer.open();
    await writer.set(at('a'), 1);
    const reader = make(place);
    await reader.open();
    expect(await reader.get(at('a'))).toMatchObject({ value: 1 });
    const denied = { code: 'ACCESS_DENIED', cause: { code: '25006' } };
    expect(await failure(reader.set(at('a'), 2))).toMatchObject(denied);
    const database = { type: 'postgres', ...place, fallback: ['memory'] } as const;
    const { manager, backends } = await createStorageBackends({ database });
    await expect(backends.database.set('a', 2)).rejects.toMatchObject(denied);
    await manager.disconnect();
  });

  itOnServer('that takes no writes for a while is UNAVAILABLE', async ({ url }) => {
    const backend = make({ url, applicationName: 'recap-reading' });
    await backend.open();
    await asAdmin(
      url,
      'ALTER DATABASE postgres SET default_transaction_read_only = on',
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'recap-reading'",
    );
    try {
      const refused = await until(
        'the connections are new',
        () => failure(backend.set(at('a'), 1)),
        ({ cause }) => (cause as { code?: string }).code === '25006',
      );
      expect(refused).toMatchObject({ code: 'UNAVAILABLE' });
    } finally {
      await asAdmin(
        `${url}?options=-c%20default_transaction_read_only%3Doff`,
        'ALTER DATABASE postgres RESET ALL',
      );
    }
  });

  itOnServer(
    'that answers nothing any more is UNAVAILABLE within timeoutMs, and used again after',
    async ({ url }) => {
      const proxy = await startFaultProxy(new URL(url));
      try {
        const backend = make({ url: proxy.url, timeoutMs: TIMEOUT_MS, pool: { max: 2 } });
        await backend.open();
        await backend.set(at('a'), 1);
        proxy.toxics = { timeout: true };
        // On a connection that is open, on a new one, and while both are taken.
        const calls = [
          backend.get(at('a')),
          backend.set(at('b'), 2),
          backend.append(at('l'), [1]),
          backend.keys('p'),
          backend.transact([{ type: 'set', ...at('c'), value: 1 }]),
        ];
        for (const [code, durationMs] of await Promise.all(calls.map(timedFailure))) {
          expect(code).toBe('UNAVAILABLE');
          expect(durationMs).toBeLessThan(2 * TIMEOUT_MS + MARGIN_MS);
        }
        const [code, durationMs] = await timedFailure(backend.get(at('a')));
        expect(code).toBe('UNAVAILABLE');
        expect(durationMs).toBeLessThan(TIMEOUT_MS + MARGIN_MS);
        expect(await backend.health(200)).toMatchObject({ healthy: false });
        const unopened = make({ url: proxy.url, timeoutMs: TIMEOUT_MS });
        const [codeOfOpen, durationOfOpen] = await timedFailure(unopened.open());
        expect(codeOfOpen).toBe('UNAVAILABLE');
        expect(durationOfOpen).toBeLessThan(TIMEOUT_MS + MARGIN_MS);
        expect(proxy.reached.timeout).toBeGreaterThan(0);

        proxy.toxics = {};
        const backAt = performance.now();
        await until('it works again', () => works(backend), Boolean, 20_000);
        figures.push(
          `  a black hole ends: writes again after ${Math.round(performance.now() - backAt)} ms\n`,
        );
        expect(await backend.get(at('a'))).toMatchObject({ value: 1 });
        await unopened.open();
      } finally {
        await proxy.close();
      }
    },
  );

  it.each(['a pool of its own', 'a pool that was handed in'])(
    'takes no subscription on %s when that has one connection, and answers calls after',
    async (whose) => {
      if (server === undefined) return;
      const { url } = server;
      const client = new Pool({ connectionString: url, max: 1 });
      try {
        const own = { url, pool: { max: 1, acquireTimeoutMs: TIMEOUT_MS } };
        const backend = make(whose === 'a pool of its own' ? own : { client });
        await backend.open();
        expect(await failure(backend.subscribe('a', () => undefined))).toMatchObject({
          code: 'CONFIG_INVALID',
        });
        await backend.publish('a', 1);
        expect(await backend.health()).toMatchObject({ healthy: true });
        await backend.close();
      } finally {
        await client.end();
      }
    },
  );

  // A connection that only listens was waited on for ever.
  it.each(['a pool of its own', 'a pool that was handed in'])(
    'is listened to anew, on %s, when a firewall forgets the connections that are open',
    async (whose) => {
      if (server === undefined) return;
      const proxy = await startFaultProxy(new URL(server.url));
      const client = new Pool({ connectionString: proxy.url, connectionTimeoutMillis: TIMEOUT_MS });
      client.on('error', () => undefined);
      try {
        const told: unknown[] = [];
        const backend = make({
          ...(whose === 'a pool of its own' ? { url: proxy.url } : { client }),
          timeoutMs: TIMEOUT_MS,
          onError: (error) => void told.push(error),
        });
        await backend.open();
        const heard: unknown[] = [];
        for (const channel of ['a', 'b'])
          await backend.subscribe(channel, (message) => void heard.push(message));
        proxy.silence();
        const publisher = make({ url: server.url });
        await publisher.open();
        const silentAt = performance.now();
        for (const channel of ['a', 'b'])
          await until(
            `a message of ${channel} is heard`,
            async () => {
              await publisher.publish(channel, channel);
              return heard.includes(channel);
            },
            Boolean,
            20_000,
          );
        figures.push(
          `  silent connections: heard again after ${Math.round(performance.now() - silentAt)} ms\n`,
        );
        expect(proxy.reached.timeout).toBeGreaterThan(0);
        expect(told).toContainEqual(
          expect.objectContaining({ code: 'UNAVAILABLE', message: expect.stringContaining('listens') }),
        );
      } finally {
        for (const backend of opened.splice(0)) await backend.close();
        await client.end();
        await proxy.close();
      }
    },
  );

  // close() resolved, and the process did not end for as long as the server hung.
  itOnServer('that hangs when it is left keeps no connection, and with it no process', async ({ url }) => {
    const { hostname: host, port } = new URL(url);
    const passing: Socket[] = [];
    const between = createServer({ allowHalfOpen: true }, (client) => {
      const server = createConnection({ host, port: Number(port) });
      passing.push(client, server);
      client.pipe(server).pipe(client);
    });
    await once(between.listen(0, '127.0.0.1'), 'listening');
    const { port: ours } = between.address() as AddressInfo;
    const connect = jest.spyOn(Socket.prototype, 'connect');
    try {
      const backend = make({ url: Object.assign(new URL(url), { port: ours }).href });
      await backend.open();
      await backend.subscribe('a', () => undefined);
      await Promise.all([backend.set(at('a'), 1), backend.keys('p')]);
      const sockets = connect.mock.contexts.filter(({ remotePort }) => remotePort === ours);
      expect(sockets).toHaveLength(3);
      for (const socket of passing) socket.unpipe().pause();
      await backend.close();
      await until(
        'its connections are cut off',
        () => sockets.filter(({ destroyed }) => !destroyed).length,
        (count) => count === 0,
        10_000,
      );
    } finally {
      connect.mockRestore();
      for (const socket of passing) socket.destroy();
      between.close();
    }
  });

  itOnServer(
    'that is killed and starts again is used again, with all that was acknowledged',
    async (running) => {
      const told: unknown[] = [];
      const onError = (error: unknown, operation: string): void => void told.push([error, operation]);
      const backend = make({ url: running.url, onError });
      await backend.open();
      await backend.set(at('kept'), 1);
      await running.kill();
      // Of the connection that was idle. It was told as the driver's own error, of a sweep.
      await until(
        'it is told',
        () => told,
        ({ length }) => length > 0,
        20_000,
      );
      expect(told).toEqual([[expect.objectContaining({ code: 'UNAVAILABLE' }), 'connection']]);
      expect(await failure(backend.get(at('kept')))).toMatchObject({ code: 'UNAVAILABLE' });
      await running.restart();
      const backAt = performance.now();
      await until('it works again', () => works(backend), Boolean, 20_000);
      figures.push(
        `  killed and started again: writes again after ${Math.round(performance.now() - backAt)} ms\n`,
      );
      expect(await backend.get(at('kept'))).toMatchObject({ value: 1 });
    },
  );
});
