import { randomBytes } from 'node:crypto';
import {
  createPostgresBackend,
  type Backend,
  type JsonFilter,
  type PostgresBackendOptions,
} from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { Client, Pool } from 'pg';

const { RECAP_TEST_POSTGRES_URL: url } = process.env;
const schema = `server_${process.pid}`;
const at = (key: string) => ({ partition: 'p', key });

(url === undefined ? describe.skip : describe)('PostgreSQL as a server', () => {
  const clock = new FakeClock();
  let admin: Client;
  /** Outside of what `admin` has begun: a transaction sees other connections as they were when it first looked. */
  let watcher: Client;
  let opened: Backend[] = [];

  const make = (options: PostgresBackendOptions = {}): Backend => {
    const backend = createPostgresBackend({ url: url ?? '', schema, clock, sweepIntervalMs: 0, ...options });
    opened.push(backend);
    return backend;
  };
  const open = async (options?: PostgresBackendOptions): Promise<Backend> => {
    const backend = make(options);
    await backend.open();
    return backend;
  };
  const rowsOf = async (sql: string, ...values: unknown[]): Promise<Record<string, unknown>[]> =>
    (await watcher.query(sql, values)).rows;
  /** Ends the server's side of all connections of this name. */
  const terminate = (applicationName: string) =>
    rowsOf(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1',
      applicationName,
    );

  beforeAll(async () => {
    [admin, watcher] = [
      new Client({ connectionString: url ?? '' }),
      new Client({ connectionString: url ?? '' }),
    ];
    await Promise.all([admin.connect(), watcher.connect()]);
  });
  beforeEach(() => admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`));
  afterEach(async () => {
    for (const backend of opened) await backend.close();
    opened = [];
  });
  afterAll(async () => {
    await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await Promise.all([admin.end(), watcher.end()]);
  });

  it('gets its tables once, however many open at the same time', async () => {
    const backends = await Promise.all(Array.from({ length: 6 }, () => open()));
    await backends[0]!.set(at('a'), 1);
    expect((await backends[5]!.get(at('a')))?.value).toBe(1);
  });

  it('is asked again after an opening that failed', async () => {
    const database = `storage_${process.pid}`;
    const target = new URL(url ?? '');
    target.pathname = database;
    await admin.query(`DROP DATABASE IF EXISTS ${database}`);
    const backend = make({ url: target.href });
    await expect(backend.open()).rejects.toMatchObject({ code: 'ACCESS_DENIED', cause: { code: '3D000' } });
    await admin.query(`CREATE DATABASE ${database}`);
    try {
      await backend.open();
      await backend.set(at('a'), 1);
      await backend.close();
    } finally {
      await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
    }
  });

  // A value that it could not hold was UNAVAILABLE, and five of them closed the backend to everybody for a while.
  it('takes no database that cannot hold every text', async () => {
    const text = 'é 日本 \u{1F600}';
    const openAs = async (encoding: string): Promise<Backend> => {
      const target = Object.assign(new URL(url ?? ''), {
        pathname: `${encoding.toLowerCase()}_${process.pid}`,
      });
      await admin.query(
        `CREATE DATABASE ${target.pathname.slice(1)} ENCODING '${encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
      );
      return open({ url: target.href });
    };
    try {
      await expect(openAs('LATIN1')).rejects.toMatchObject({
        code: 'DATABASE_UNSUPPORTED',
        message: expect.stringContaining('LATIN1'),
      });
      const backend = await openAs('SQL_ASCII');
      await backend.set(at(text), { text });
      await backend.append(at('list'), [text]);
      expect(await backend.query('p', [{ path: ['text'], equals: text }])).toMatchObject({
        items: [{ key: text, value: { text } }],
      });
      expect(await backend.range(at('list'))).toEqual([text]);
      await backend.close();
    } finally {
      for (const encoding of ['latin1', 'sql_ascii'])
        await admin.query(`DROP DATABASE IF EXISTS ${encoding}_${process.pid} WITH (FORCE)`);
    }
  });

  it('that is not there is UNAVAILABLE, and one that refuses the user ACCESS_DENIED, without a word of the password', async () => {
    const absent = make({ url: 'postgres://me:s3cret@127.0.0.1:1/db' });
    const missing = await absent.open().catch((error: unknown) => error as Error);
    expect(missing).toMatchObject({ code: 'UNAVAILABLE' });
    const { hostname: host, port } = new URL(url ?? '');
    const refused = make({ url: `postgres://nobody_here:s3cret@${host}:${port}/postgres` });
    const denied = await refused.open().catch((error: unknown) => error as Error);
    expect(denied).toMatchObject({ code: 'ACCESS_DENIED' });
    expect(`${String(missing)} ${String(denied)}`).not.toContain('s3cret');
  });

  // A thousand values of 16 MiB came at once, and ended the program.
  it.each(['scan', 'query'] as const)(
    'ends a page of %s() where its values grow large, and goes on behind it',
    async (method) => {
      const backend = await open();
      const large = randomBytes(768 * 1_024).toString('base64');
      const keys = Array.from({ length: 14 }, (_, n) => `k${String(n).padStart(2, '0')}`);
      for (const [n, key] of keys.entries())
        await backend.set(at(key), { n, text: n % 3 === 2 ? 'small' : large });
      const read = async (reverse: boolean): Promise<[pages: number, found: string[]]> => {
        const found: string[] = [];
        for (let pages = 1, after: string | undefined; ; pages += 1) {
          const options = { limit: 10, ...(after === undefined ? {} : { after }) };
          const { items, next } =
            method === 'scan'
              ? await backend.scan('p', { ...options, reverse })
              : await backend.query('p', [{ path: ['n'], gte: 0 }], options);
          expect(items.length).toBeLessThan(8);
          for (const item of items) {
            const n = keys.indexOf(item.key);
            expect(item).toMatchObject({ type: 'value', value: { n, text: n % 3 === 2 ? 'small' : large } });
            found.push(item.key);
          }
          if (next === undefined) return [pages, found];
          after = next;
        }
      };
      expect(await read(false)).toEqual([4, keys]);
      if (method === 'scan') expect(await read(true)).toEqual([4, [...keys].reverse()]);
    },
  );

  // Four times as many came, since their sizes were those of what the server has compressed.
  it('ends a page where large values grow large that the server keeps small', async () => {
    const backend = await open();
    const value = Array.from({ length: 15_000 }, (_, n) => ({ n, name: `item ${n % 97}` }));
    const keys = Array.from({ length: 18 }, (_, n) => `k${String(n).padStart(2, '0')}`);
    await Promise.all(keys.map((key) => backend.set(at(key), value)));
    const found: string[] = [];
    for (let after: string | undefined; ;) {
      const { items, next } = await backend.scan('p', after === undefined ? {} : { after });
      expect(items.length * JSON.stringify(value).length).toBeLessThan(6 * 2 ** 20);
      found.push(...items.map(({ key }) => key));
      if (next === undefined) break;
      after = next;
    }
    expect(found).toEqual(keys);
  });

  it('goes on behind large values that others delete while a page of them is read', async () => {
    const backend = await open();
    const large = Buffer.alloc(5 * 2 ** 20);
    for (const key of ['a', 'b', 'c', 'd']) await backend.set(at(key), large);
    const deleted: string[] = [];
    const client = new Pool({ connectionString: url ?? '', max: 2 });
    const query = client.query.bind(client) as (config: { text: string }) => Promise<unknown>;
    const deleting = {
      query: async (config: { text: string }) => {
        const answer = await query(config);
        // Right behind each look at what is there, until one is left.
        if (config.text.includes('AS left_out') && deleted.length < 3) {
          const key = deleted.length === 0 ? 'a' : deleted.length === 1 ? 'b' : 'c';
          deleted.push(key);
          await backend.delete(at(key));
        }
        return answer;
      },
      connect: () => client.connect(),
      end: () => client.end(),
      on: () => client,
    };
    const reader = await open({ client: deleting as unknown as Pool });
    try {
      expect((await reader.scan('p', { limit: 2 })).items.map(({ key }) => key)).toEqual(['d']);
      expect(deleted).toEqual(['a', 'b', 'c']);
    } finally {
      await reader.close();
      await client.end();
    }
  });

  it('refuses a schema that is no name', () => {
    expect(() => make({ schema: 'a"; DROP SCHEMA public' })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  it('knows connections by their application name, and keeps at most pool.max of them', async () => {
    const backend = await open({ applicationName: 'recap-named', pool: { max: 2 } });
    await Promise.all(Array.from({ length: 20 }, (_, index) => backend.set(at(`k${index}`), index)));
    const found = await rowsOf("SELECT 1 FROM pg_stat_activity WHERE application_name = 'recap-named'");
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThanOrEqual(2);
  });

  it('is told what the URL says, and before it what single fields say', async () => {
    const more = new URL(url ?? '');
    more.searchParams.set('application_name', 'recap-of-the-url');
    more.searchParams.set('options', '-c work_mem=7MB');
    const found =
      "SELECT application_name AS name FROM pg_stat_activity WHERE application_name LIKE 'recap-of-%'";
    await open({ url: more.href, pool: { min: 1 } });
    expect(await rowsOf(found)).toContainEqual({ name: 'recap-of-the-url' });
    await open({ url: more.href, applicationName: 'recap-of-a-field', pool: { min: 1 } });
    expect(await rowsOf(found)).toContainEqual({ name: 'recap-of-a-field' });
  });

  // They were UNAVAILABLE, so that a fallback took over for ever.
  it.each(['-c no_such_setting=1', '-c nothing', '-c shared_buffers=1MB', '-c search_path=no_such_schema'])(
    'that refuses the options %j, or finds no schema by them, is CONFIG_INVALID',
    async (options) => {
      const byUrl = new URL(url ?? '');
      byUrl.searchParams.set('options', options);
      const refused = { code: 'CONFIG_INVALID', message: expect.stringMatching(/options|search_path/) };
      for (const way of [{ options }, { url: byUrl.href }])
        await expect(createPostgresBackend({ url: url ?? '', ...way }).open()).rejects.toMatchObject(refused);
    },
  );

  it('whose connections are all busy makes calls wait, and then POOL_EXHAUSTED', async () => {
    const backend = await open({ pool: { max: 1, acquireTimeoutMs: 50 } });
    await admin.query('BEGIN');
    await admin.query(`LOCK TABLE ${schema}.recap_items`);
    const waiting = backend.set(at('a'), 1);
    await expect(backend.get(at('a'))).rejects.toMatchObject({ code: 'POOL_EXHAUSTED' });
    await admin.query('COMMIT');
    await waiting;
    expect((await backend.get(at('a')))?.value).toBe(1);
  });

  it('that does not answer within timeoutMs is UNAVAILABLE, and usable again afterwards', async () => {
    const backend = await open({ timeoutMs: 1_000 });
    await admin.query('BEGIN');
    await admin.query(`LOCK TABLE ${schema}.recap_items`);
    await expect(backend.set(at('a'), 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await backend.health(50)).toMatchObject({ healthy: false });
    await admin.query('COMMIT');
    await backend.set(at('a'), 2);
    expect((await backend.get(at('a')))?.value).toBe(2);
  });

  it('that ends idle connections costs no call and no process', async () => {
    let told: (error: unknown) => void = () => undefined;
    const broken = new Promise((resolve) => (told = resolve));
    const backend = await open({ applicationName: 'recap-idle', onError: (error) => told(error) });
    await backend.set(at('a'), 1);
    await terminate('recap-idle');
    expect(await broken).toMatchObject({ code: 'UNAVAILABLE', cause: { code: '57P01' } });
    expect((await backend.get(at('a')))?.value).toBe(1);
  });

  it('that ends the connection of a subscription is listened to again', async () => {
    const backend = await open({ applicationName: 'recap-listening' });
    const heard: unknown[] = [];
    let wake: () => void = () => undefined;
    await backend.subscribe('c', (message) => {
      heard.push(message);
      wake();
    });
    await terminate('recap-listening');
    const isListening = async (): Promise<boolean> =>
      (
        await rowsOf(
          "SELECT 1 FROM pg_stat_activity WHERE application_name = 'recap-listening' AND query LIKE 'LISTEN%'",
        )
      ).length > 0;
    while (await isListening());
    while (!(await isListening()));
    const hearing = new Promise<void>((resolve) => (wake = resolve));
    await backend.publish('c', 'again');
    await hearing;
    expect(heard).toEqual(['again']);
  });

  it('takes a pool that is handed in, and leaves it open', async () => {
    const pool = new Pool({ connectionString: url ?? '', max: 3 });
    try {
      const backend = await open({ client: pool });
      const other = await open({ client: pool, schema: `${schema}_2` });
      await backend.set(at('a'), 1);
      await other.set(at('a'), 2);
      const end = await backend.subscribe('c', () => undefined);
      await end();
      expect([(await backend.get(at('a')))?.value, (await other.get(at('a')))?.value]).toEqual([1, 2]);
      await backend.close();
      await other.close();
      expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    } finally {
      await pool.query(`DROP SCHEMA IF EXISTS ${schema}_2 CASCADE`);
      await pool.end();
    }
  });

  // The process ended: the error found nobody who listened.
  it.each(['transact', 'subscribe'] as const)(
    'that ends a connection right when it is handed out for %s fails that call at most',
    async (method) => {
      const pool = new Pool({ connectionString: url ?? '', max: 3 });
      try {
        const backend = await open({ client: pool });
        const calls = {
          transact: () => backend.transact([{ type: 'set', ...at('a'), value: 1 }]),
          subscribe: () => backend.subscribe('c', () => undefined),
        };
        pool.prependOnceListener('acquire', (client) => {
          // After what others do with it at once, and before anybody goes on.
          process.nextTick(() => client.emit('error', new Error('terminating connection')));
        });
        await calls[method]().catch(() => undefined);
        await backend.set(at('b'), 1);
        expect(await backend.get(at('b'))).toMatchObject({ value: 1 });
        await backend.close();
        expect(pool.listenerCount('acquire')).toBe(0);
      } finally {
        await pool.end();
      }
    },
  );

  it('holds JSON as jsonb, which people can query and an index finds', async () => {
    const backend = await open();
    await backend.set(at('a'), { user: { id: 'ann' } });
    await backend.set(at('b'), { text: 'NUL \0' });
    expect(
      await rowsOf(`SELECT json #>> '{user,id}' AS id FROM ${schema}.recap_items WHERE json IS NOT NULL`),
    ).toEqual([{ id: 'ann' }]);
    expect((await backend.get(at('b')))?.value).toEqual({ text: 'NUL \0' });
    for (let from = 0; from < 3_000; from += 1_000)
      await backend.batch(
        Array.from({ length: 1_000 }, (_, index) => ({
          type: 'set',
          ...at(`k${from + index}`),
          value: { n: from + index },
        })),
      );
    await admin.query(`ANALYZE ${schema}.recap_items`);
    const seen: string[] = [];
    const pool = new Pool({ connectionString: url ?? '', max: 1 });
    const explaining = {
      query: async (config: { text: string; values?: unknown[] }) => {
        if (config.text.includes('@>')) {
          const { rows } = await pool.query({ text: `EXPLAIN ${config.text}`, values: config.values ?? [] });
          seen.push(...rows.map((row: Record<string, unknown>) => String(row['QUERY PLAN'])));
        }
        return pool.query(config);
      },
      connect: () => pool.connect(),
      end: () => pool.end(),
      on: () => undefined,
    };
    try {
      const watched = await open({ client: explaining });
      const { items } = await watched.query('p', [{ path: ['n'], equals: 1_234 }]);
      expect(items.map(({ key }) => key)).toEqual(['k1234']);
      expect(seen.join('\n')).toContain('recap_items_json');
    } finally {
      await pool.end();
    }
  });

  // jsonb prints 1e308 with 309 digits: 16 MB of JSON became a text that is longer than Node can hold, which ended the
  // process.
  it('keeps as bytes what jsonb would print many times as long, and finds it all the same', async () => {
    const backend = await open();
    const values = {
      few: { n: 1e308 },
      many: { n: 1e308, list: new Array(1_000).fill(5e-324) },
      other: { n: 1 },
    };
    for (const [key, value] of Object.entries(values)) await backend.set(at(key), value);
    await backend.append(at('list'), [values.few, values.many]);
    for (const table of ['items', 'elements'])
      expect(
        await rowsOf(
          `SELECT octet_length(json::text) < 400 AS is_short, count(*)::int FROM ${schema}.recap_${table}
            WHERE list IS NULL OR kind <> 4 GROUP BY 1 ORDER BY 1`,
        ),
      ).toEqual([
        { is_short: true, count: table === 'items' ? 2 : 1 },
        { is_short: null, count: 1 },
      ]);
    expect((await backend.get(at('many')))?.value).toEqual(values.many);
    expect(await backend.range(at('list'))).toEqual([values.few, values.many]);
    const found = async (filter: JsonFilter): Promise<string[]> =>
      (await backend.query('p', filter)).items.map(({ key }) => key);
    expect(await found([{ path: ['n'], equals: 1e308 }])).toEqual(['few', 'many']);
    expect(await found([{ path: ['n'], gt: 1e307 }])).toEqual(['few', 'many']);
    expect(await found([{ path: ['n'], in: [1, 2] }])).toEqual(['other']);
    expect(await found([{ path: ['list'], exists: false }])).toEqual(['few', 'other']);
    // What the condition asks for would be kept as bytes by itself, and is part of what is not.
    const name = '1e+300,'.repeat(20);
    await backend.set(at('named'), { [name]: 1, text: 'x'.repeat(3_000) });
    expect(await found([{ path: [name], equals: 1 }])).toEqual(['named']);
  });

  it('keeps no element of a list that is gone, once it has been swept', async () => {
    const backend = await open();
    const elements = async () =>
      Number((await rowsOf(`SELECT count(*) AS n FROM ${schema}.recap_elements`))[0]?.['n']);
    await backend.append(at('kept'), [1]);
    await backend.append(at('deleted'), [1, 2, 3]);
    await backend.append(at('replaced'), [1, 2]);
    await backend.append(at('expired'), [1, 2], { expiresAt: clock.now() + 1 });
    await backend.append(at('again'), [1, 2], { expiresAt: clock.now() + 1 });
    clock.advance(1);
    await backend.delete(at('deleted'));
    await backend.set(at('replaced'), 1);
    await backend.append(at('again'), [3]);
    expect(await elements()).toBe(11);
    let swept = 0;
    for (let step = await backend.sweep(4); step > 0; step = await backend.sweep(4)) {
      expect(step).toBeLessThanOrEqual(4);
      swept += step;
    }
    expect(swept).toBe(1 + 9);
    expect(await elements()).toBe(2);
    expect(await rowsOf(`SELECT * FROM ${schema}.recap_dropped_lists`)).toEqual([]);
    expect(await backend.range(at('again'))).toEqual([3]);
  });

  it('deletes nothing that was written anew while it was being swept', async () => {
    const backend = await open();
    await backend.set(at('a'), 1, { expiresAt: clock.now() + 1 });
    clock.advance(1);
    await admin.query('BEGIN');
    await admin.query(`UPDATE ${schema}.recap_items SET expires_at = NULL`);
    // It passes over the row that is being written, so it does not wait.
    expect(await backend.sweep()).toBe(0);
    await admin.query('COMMIT');
    expect((await backend.get(at('a')))?.value).toBe(1);
  });

  it('rolls a transaction back whose connection breaks', async () => {
    const backend = await open({ applicationName: 'recap-broken', pool: { max: 1 } });
    await backend.set(at('b'), 0);
    await admin.query('BEGIN');
    await admin.query(`SELECT 1 FROM ${schema}.recap_items FOR UPDATE`);
    const writing = backend.transact([
      { type: 'set', ...at('a'), value: 1 },
      { type: 'set', ...at('b'), value: 1 },
    ]);
    const outcome = expect(writing).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const isWaiting =
      "SELECT 1 FROM pg_stat_activity WHERE application_name = 'recap-broken' AND wait_event_type = 'Lock'";
    while ((await rowsOf(isWaiting)).length === 0);
    await terminate('recap-broken');
    await outcome;
    await admin.query('COMMIT');
    expect((await backend.scan('p')).items).toMatchObject([{ key: 'b', value: 0 }]);
  });

  it('is asked for many at once in a few statements', async () => {
    const pool = new Pool({ connectionString: url ?? '' });
    const ask = jest.spyOn(pool, 'query');
    try {
      const backend = await open({ client: pool });
      const keys = Array.from({ length: 100 }, (_, index) => `k${index}`);
      ask.mockClear();
      const versions = await Promise.all(keys.map((key) => backend.set(at(key), { key })));
      expect(ask).toHaveBeenCalledTimes(4);
      ask.mockClear();
      const items = await Promise.all([...keys, 'none'].map((key) => backend.get(at(key))));
      expect(ask).toHaveBeenCalledTimes(4);
      expect(items).toEqual([
        ...keys.map((key, index) => ({ type: 'value', key, value: { key }, version: versions[index] })),
        undefined,
      ]);
      await backend.close();
    } finally {
      await pool.end();
    }
  });

  it('keeps the order of values for one key that go together, and of those that follow', async () => {
    const backend = await open();
    const numbers = Array.from({ length: 50 }, (_, index) => index);
    const versions = await Promise.all(numbers.map((n) => backend.set(at('a'), n)));
    expect(await backend.get(at('a'))).toMatchObject({ value: 49, version: versions[49] });
    const others = numbers.map((n) => backend.set(at(`k${n}`), n));
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([...others, backend.set(at('k0'), 'last')]);
    expect((await backend.get(at('k0')))?.value).toBe('last');
  });

  /** Sets shared a statement behind what was under way, and what came later went ahead of them. */
  it('keeps the order of all writes of a program to one key', async () => {
    const backend = await open();
    await backend.set(at('gone'), 'before');
    const others = Array.from({ length: 40 }, (_, n) => backend.set(at(`k${n}`), n));
    await new Promise((resolve) => setImmediate(resolve));
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    const made = [
      backend.set(at('gone'), 'late'),
      backend.delete(at('gone')),
      backend.set(at('there'), 1),
      backend.set(at('there'), 2, { ifAbsent: true }),
      backend.delete(at('there')),
      backend.set(at('there'), 3),
      backend.set(at('there'), 4),
      backend.batch([{ type: 'delete', ...at('batched') }]),
      backend.set(at('batched'), 1),
      backend.transact([{ type: 'set', ...at('batched'), value: 2, ifAbsent: true }]).catch(String),
      ...numbers.map((n) => backend.append(at('list'), [n])),
    ];
    const answers = await Promise.all(made);
    await Promise.all(others);
    expect([answers[1], answers[3], answers[4]]).toEqual([true, undefined, true]);
    const found = await backend.getMany(['gone', 'there', 'batched'].map(at));
    expect(found.map((item) => item?.value)).toEqual([undefined, 4, 1]);
    expect(await backend.range(at('list'))).toEqual(numbers);
  });

  it('waits for a write that is never answered no longer than a call may take', async () => {
    const pool = new Pool({ connectionString: url ?? '' });
    try {
      const backend = await open({ client: pool, timeoutMs: 300 });
      await backend.append(at('list'), [1]);
      const unanswered = jest.spyOn(pool, 'query').mockImplementationOnce(() => new Promise(() => undefined));
      const lost = backend.append(at('list'), [2]);
      const behind = backend.append(at('list'), [3]);
      expect(unanswered).toHaveBeenCalledTimes(1);
      expect(await Promise.allSettled([lost, behind])).toMatchObject([
        { status: 'rejected', reason: { code: 'UNAVAILABLE' } },
        { status: 'rejected', reason: { code: 'POOL_EXHAUSTED' } },
      ]);
      await backend.append(at('list'), [4]);
      expect(await backend.range(at('list'))).toEqual([1, 4]);
    } finally {
      await pool.end();
    }
  });

  /** A thousand values of a megabyte would be a text longer than Node can make. */
  it('is given a large batch, or a large append, in statements of some megabytes', async () => {
    const pool = new Pool({ connectionString: url ?? '' });
    const ask = jest.spyOn(pool, 'query');
    try {
      const backend = await open({ client: pool });
      const values = Array.from({ length: 12 }, (_, n) => `${n}`.padEnd(1_000_000, 'x'));
      ask.mockClear();
      const outcomes = await backend.batch(
        values.map((value, n) => ({ type: 'set', ...at(`k${n}`), value })),
      );
      expect(await backend.append(at('list'), values)).toBe(12);
      const sizes = ask.mock.calls.map(([query]) => JSON.stringify(query).length);
      expect(Math.max(...sizes)).toBeLessThan(5_000_000);
      expect(outcomes.map(({ status }) => status)).toEqual(values.map(() => 'written'));
      const found = await backend.getMany(values.map((_, n) => at(`k${n}`)));
      expect(found.map((item) => item?.value)).toEqual(values);
      expect(await backend.range(at('list'))).toEqual(values);
      await backend.close();
    } finally {
      await pool.end();
    }
  });

  it('that is lost in the middle of a large batch is given no part of it again', async () => {
    const pool = new Pool({ connectionString: url ?? '' });
    try {
      const backend = await open({ client: pool });
      const ask = jest.spyOn(pool, 'query');
      const query = Pool.prototype.query.bind(pool);
      ask.mockImplementationOnce(query).mockImplementationOnce(() => {
        throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
      });
      const writes = Array.from({ length: 9 }, (_, n) => ({
        ...{ type: 'set' as const, ...at(`k${n}`) },
        value: `${n}`.padEnd(1_300_000, 'x'),
      }));
      const outcomes = await backend.batch(writes);
      const statuses = ['written', 'failed', 'written'].flatMap((status) => [status, status, status]);
      expect(outcomes.map(({ status }) => status)).toEqual(statuses);
      expect(ask).toHaveBeenCalledTimes(3);
      await backend.close();
    } finally {
      await pool.end();
    }
  });

  it('that refuses one of several values takes the others', async () => {
    const backend = await open();
    await admin.query(`ALTER TABLE ${schema}.recap_items ADD CHECK (json IS DISTINCT FROM '"refused"')`);
    const values = [1, 'refused', 3];
    const outcomes = await Promise.allSettled(
      values.map((value, index) => backend.set(at(`k${index}`), value)),
    );
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'REFUSED', cause: { code: '23514' } } },
      { status: 'fulfilled' },
    ]);
    expect((await backend.scan('p')).items).toMatchObject([
      { key: 'k0', value: 1 },
      { key: 'k2', value: 3 },
    ]);
  });

  it('in which another program holds a row makes only writes of that row wait', async () => {
    const pool = new Pool({ connectionString: url ?? '', max: 2 });
    try {
      const backend = await open({ client: pool });
      const keys = ['a', 'b', 'c'];
      await Promise.all(keys.map((key) => backend.set(at(key), 0)));
      await admin.query('BEGIN');
      await admin.query(`SELECT 1 FROM ${schema}.recap_items WHERE key = 'b' FOR UPDATE`);
      const [first, held, third] = keys.map((key) => backend.set(at(key), 1));
      await Promise.all([first, third]);
      await Promise.all([backend.set(at('a'), 2), backend.set(at('c'), 2)]);
      expect((await backend.get(at('b')))?.value).toBe(0);
      await admin.query('COMMIT');
      await held;
      expect((await backend.scan('p')).items.map((item) => item.type === 'value' && item.value)).toEqual([
        2, 1, 2,
      ]);
      const settings = await Promise.all([1, 2].map(() => pool.query('SHOW lock_timeout')));
      expect(settings.map(({ rows }) => rows)).toEqual([[{ lock_timeout: '0' }], [{ lock_timeout: '0' }]]);
      await backend.close();
    } finally {
      await pool.end();
    }
  });

  it('that holds a damaged row fails only those who ask for it', async () => {
    const backend = await open();
    const keys = ['a', 'b', 'c'];
    await Promise.all(keys.map((key) => backend.set(at(key), key)));
    await admin.query(`UPDATE ${schema}.recap_items SET kind = 9 WHERE key = 'b'`);
    expect(await Promise.allSettled(keys.map((key) => backend.get(at(key))))).toMatchObject([
      { status: 'fulfilled', value: { value: 'a' } },
      { status: 'rejected', reason: { code: 'CORRUPT' } },
      { status: 'fulfilled', value: { value: 'c' } },
    ]);
  });

  it('whose trigger refuses one of several values takes the others', async () => {
    const backend = await open();
    await admin.query(`CREATE FUNCTION ${schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'refused'; END $$`);
    await admin.query(`CREATE TRIGGER refuse BEFORE INSERT ON ${schema}.recap_items FOR EACH ROW
      WHEN (NEW.key = 'b') EXECUTE FUNCTION ${schema}.refuse()`);
    expect(await Promise.allSettled(['a', 'b', 'c'].map((key) => backend.set(at(key), key)))).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'REFUSED', cause: { code: 'P0001' } } },
      { status: 'fulfilled' },
    ]);
  });
});
