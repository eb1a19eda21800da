import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bodyOf, onServer, postgresDatabase, Sqlite } from './rig/databases';
import { newFolders } from './rig/folders';
import { startHost } from './rig/start-host';

const postgres = process.env['RECAP_TEST_POSTGRES_URL'];
const newFolder = newFolders();

interface Row {
  readonly path: string;
  readonly query: string | null;
  readonly redacted: string;
  readonly request: unknown;
  readonly response: unknown;
  readonly session_id: string;
}

/** A host that records into an SQLite database of its own, with a worker unless told otherwise. */
async function startProgram(options: object = {}, more: Partial<Parameters<typeof startHost>[0]> = {}) {
  const path = join(newFolder(), 'recap.db');
  const host = await startHost({ database: { type: 'sqlite', path }, options, ...more });
  return {
    ...host,
    path,
    sessionOf: async (url: string): Promise<string | null> => {
      const answer = await host.send(url, {});
      await answer.json();
      return answer.headers.get('x-recap-session');
    },
  };
}

function rowsIn(path: string): Row[] {
  const database = new Sqlite(path, { readonly: true });
  const rows = database.prepare('SELECT * FROM recap_entries ORDER BY path').all() as Record<
    string,
    unknown
  >[];
  database.close();
  return rows.map(readRow);
}

function readRow(row: Record<string, unknown>): Row {
  const { path, query, redacted, session_id } = row as unknown as Row;
  return {
    path,
    query,
    redacted,
    session_id,
    request: bodyOf(row, 'request'),
    response: bodyOf(row, 'response'),
  };
}

const body = (index: number): object => ({
  index,
  text: `text ${index} `.repeat(200),
  nested: { apiKey: 'sk-1' },
});

describe('a recorder with a worker', () => {
  it('stores what one without it stores', async () => {
    const stored: Row[][] = [];
    for (const worker of [true, false]) {
      const program = await startProgram({ worker });
      for (let index = 0; index < 20; index += 1)
        await program.post(`/echo/${index}?token=t${index}`, body(index));
      const told = await program.tell('flush');
      expect(told).toMatchObject({ captured: 20, stored: 20, queued: 0, shed: {}, worker });
      expect(told.threads).toBe(worker ? 1 : 0);
      stored.push(rowsIn(program.path).map((row) => ({ ...row, session_id: 'one' })));
    }
    expect(stored[0]).toHaveLength(20);
    expect(stored[0]).toEqual(stored[1]);
    expect(JSON.stringify(stored[0])).not.toContain('hunter2');
  });

  it.each([
    ['an ES module', 'own.mjs', 'export const body = hide;\nexport const query = fail;'],
    ['an ES module with a default export', 'default.mjs', 'export default { body: hide, query: fail };'],
    ['CommonJS', 'own.cjs', 'module.exports = { body: hide, query: fail };'],
  ])('redacts by functions of %s in its thread', async (_kind, name, exported) => {
    const module = join(newFolder(), name);
    const hide = `function hide(text, { kind }) { return kind === 'json' ? text.replaceAll('EMP-17', '[EMPLOYEE]') : text; }`;
    await writeFile(module, `${hide}\nfunction fail() { throw new Error('a bug'); }\n${exported}\n`);
    const program = await startProgram({ worker: true, redaction: { module } });
    await program.post('/echo/1?person=EMP-17', { by: 'EMP-17', token: 'secret-17' });
    const told = await program.tell('flush');
    expect(told).toMatchObject({ stored: 1, worker: true, failures: ['redaction: a bug'] });
    const [row] = rowsIn(program.path);
    expect(row).toMatchObject({
      request: { by: '[EMPLOYEE]', token: '[REDACTED]' },
      response: { by: '[EMPLOYEE]', token: '[REDACTED]', password: '[REDACTED]' },
      query: '[REDACTED]',
    });
    expect(JSON.parse(row?.redacted ?? '')).toEqual(
      expect.arrayContaining(['request.body', 'request.body.token', 'request.query']),
    );
  });

  it.each([
    ['process.exit()', '/exit/7', 7],
    ['an exception that nobody catches', '/throw', 1],
  ])(
    'stores what is queued when %s ends the program, whose exit code stays its own',
    async (_how, url, code) => {
      const program = await startProgram({ flushIntervalMs: 60_000 });
      await program.post('/echo/1', body(1));
      await program.tell('flush');
      for (let index = 2; index < 10; index += 1) await program.post(`/echo/${index}`, body(index));
      await program.post(url);
      await expect(program.ended).resolves.toEqual([code, null]);
      expect(rowsIn(program.path)).toHaveLength(10);
    },
  );

  it.each(['buffered', 'spooled'])(
    'lets an answer out, and stores it, when the program exits in the turn in which it answers: %s',
    async (durability) => {
      const program = await startProgram({ durability, flushIntervalMs: 60_000 });
      await program.tell('ready');
      await expect(program.post('/answer-and-exit/7', body(1))).resolves.toEqual(body(1));
      await expect(program.ended).resolves.toEqual([7, null]);
      if (durability === 'buffered') return;
      const next = await startHost({
        database: { type: 'sqlite', path: program.path },
        options: { durability },
      });
      await next.tell('ready');
      await next.tell('flush');
      await next.end();
      expect(rowsIn(program.path)).toMatchObject([{ path: '/answer-and-exit/7' }]);
    },
  );

  it('does not keep a program alive that has nothing left to do, and stores what was queued', async () => {
    const program = await startProgram({ flushIntervalMs: 60_000 });
    for (let index = 0; index < 5; index += 1) await program.post(`/echo/${index}`, body(index));
    await program.tell('leave');
    await expect(program.ended).resolves.toEqual([0, null]);
    expect(rowsIn(program.path)).toHaveLength(5);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('stores what is queued at %s when it is asked to', async (name) => {
    const program = await startProgram({ flushIntervalMs: 60_000, closeOnSignals: true });
    for (let index = 0; index < 5; index += 1) await program.post(`/echo/${index}`, body(index));
    program.signal(name);
    await expect(program.ended).resolves.toEqual([null, name]);
    expect(rowsIn(program.path)).toHaveLength(5);
  });

  it('leaves the end to a program that handles the signal itself', async () => {
    const program = await startProgram(
      { flushIntervalMs: 60_000, closeOnSignals: true },
      { handlesSignals: true },
    );
    await program.tell('ready');
    for (let index = 0; index < 5; index += 1) await program.post(`/echo/${index}`, body(index));
    program.signal('SIGTERM');
    await expect(program.ended).resolves.toEqual([9, null]);
    expect(rowsIn(program.path)).toHaveLength(5);
  });

  it('installs no listener for signals unless it is asked to', async () => {
    const program = await startProgram({ flushIntervalMs: 60_000 });
    await program.post('/echo/1', body(1));
    program.signal('SIGTERM');
    await expect(program.ended).resolves.toEqual([null, 'SIGTERM']);
  });

  it('keeps what the program preloads out of its thread', async () => {
    const preload = join(newFolder(), 'preload.cjs');
    // Run again in a thread, it could not have its port, and would end the thread.
    const code =
      "require('node:http').createServer().listen(Number(process.env.OWN_PORT ??= 0), '127.0.0.1', function () { process.env.OWN_PORT = this.address().port; }).unref();";
    await writeFile(preload, code);
    const program = await startProgram({}, { execArgv: ['--require', preload] });
    await program.post('/echo/1', body(1));
    await expect(program.tell('flush')).resolves.toMatchObject({ stored: 1, worker: true, failures: [] });
  });

  it('lets a program end whose database cannot be reached', async () => {
    const url = 'postgres://nobody@127.0.0.1:9/none';
    const program = await startProgram({ flushIntervalMs: 60_000 }, { database: { type: 'postgres', url } });
    await program.post('/echo/1', body(1));
    await program.tell('leave');
    await expect(program.ended).resolves.toEqual([0, null]);
  });

  it('announces the sessions that entries will be in', async () => {
    const program = await startProgram({ sessionHeader: true, flushIntervalMs: 60_000 });
    await program.tell('flush');
    const announced = new Set<string | null>();
    for (let index = 0; index < 3; index += 1) {
      announced.add(await program.sessionOf(`/echo/${index}`));
      await program.tell('flush');
    }
    expect([...announced]).toEqual([rowsIn(program.path)[0]?.session_id]);
  });

  it('stores each exchange once when its threads are killed under load', async () => {
    const program = await startProgram({ flushIntervalMs: 1 });
    let sent = 0;
    await program.post(`/echo/${(sent += 1)}`, body(sent));
    await program.tell('flush');
    for (let round = 0; round < 4; round += 1) {
      const posts = Array.from({ length: 50 }, () => program.post(`/echo/${(sent += 1)}`, body(sent)));
      await program.tell('kill');
      await Promise.all(posts);
    }
    const told = await program.tell('flush');
    expect(told).toMatchObject({ captured: 201, stored: 201, queued: 0, shed: {} });
    expect(told.threads).toBeGreaterThan(1);
    const paths = rowsIn(program.path).map(({ path }) => path);
    expect(paths).toHaveLength(201);
    expect(new Set(paths).size).toBe(201);
  });

  it('keeps the exit code of a program that ends while another process holds the write lock', async () => {
    const program = await startProgram();
    await program.post('/echo/1', body(1));
    await program.tell('flush');
    const other = new Sqlite(program.path);
    other.exec('BEGIN IMMEDIATE');
    await program.post('/echo/2', body(2));
    await program.post('/exit/5');
    await expect(program.ended).resolves.toEqual([5, null]);
    other.exec('ROLLBACK');
    other.close();
  });

  it('goes on with a new thread when one is killed while another process holds the write lock', async () => {
    const program = await startProgram({ flushIntervalMs: 1 });
    await program.post('/echo/1', body(1));
    await program.tell('flush');
    const other = new Sqlite(program.path);
    other.exec('BEGIN IMMEDIATE');
    await program.post('/echo/2', body(2));
    await program.tell('kill');
    other.exec('ROLLBACK');
    other.close();
    await expect(program.tell('flush')).resolves.toMatchObject({ captured: 2, stored: 2 });
  });

  if (postgres === undefined) {
    it('is not tried on PostgreSQL, since RECAP_TEST_POSTGRES_URL names no server', () => {
      console.warn('SKIPPED: a worker on PostgreSQL.');
      expect(process.env['CI']).not.toBe('1');
    });
    return;
  }

  it('stores into PostgreSQL, and each exchange once when its thread is killed', async () => {
    const database = await postgresDatabase(postgres, newFolder());
    try {
      const program = await startHost({ database: database.target, options: { flushIntervalMs: 1 } });
      const posts = Array.from({ length: 40 }, (_each, index) => program.post(`/echo/${index}`, body(index)));
      await program.tell('kill');
      await Promise.all(posts);
      await expect(program.tell('flush')).resolves.toMatchObject({ captured: 40, stored: 40, worker: true });
      await program.tell('leave');
      await program.ended;
      const { rows } = await onServer(database.url.href, (client) =>
        client.query<Record<string, unknown>>('SELECT * FROM recap_entries'),
      );
      expect(new Set(rows.map((row) => readRow(row).path)).size).toBe(40);
      expect(rows).toHaveLength(40);
    } finally {
      await database.remove();
    }
  });
});
