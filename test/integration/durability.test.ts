import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { bytesIn, temporaryFolder } from './rig';
import { Database, killAll, pathsInSqlite, startProgram } from './recording-program';

const folder = temporaryFolder();
let made = 0;

afterEach(killAll);

async function newFolder(): Promise<string> {
  made += 1;
  await mkdir(join(folder(), String(made)));
  return join(folder(), String(made));
}

const body = (index: number): object => ({ index, text: `text ${index} `.repeat(50), apiKey: 'sk-secret-1' });

/** Kills programs under load, and says what their clients got the whole answer of. */
async function killUnderLoad(database: object, options: object, kills: number): Promise<string[]> {
  const ledger: string[] = [];
  let sent = 0;
  for (let round = 0; round < kills; round += 1) {
    const program = await startProgram(database, { durability: 'strict', ...options });
    await program.tell('ready');
    const answeredBefore = ledger.length;
    let isDead = false;
    const client = async (): Promise<void> => {
      while (!isDead) {
        const url = `/echo/${(sent += 1)}`;
        const answer = await program.post(url, body(sent)).catch(() => undefined);
        // The process was killed over this one.
        if (answer === undefined) return;
        expect(answer.status).toBe(200);
        ledger.push(url);
        // Another moment in each round: with the first commit, within a group, between two.
        if (ledger.length - answeredBefore < 1 + 47 * round) continue;
        isDead = true;
        await program.kill();
      }
    };
    await Promise.all(Array.from({ length: 8 }, client));
  }
  return ledger;
}

const LOG_INSERTS = `CREATE TABLE inserted (id TEXT, error_name TEXT);
  CREATE TRIGGER log_inserts AFTER INSERT ON recap_entries
  BEGIN INSERT INTO inserted VALUES (new.id, new.error_name); END`;
/** Of exchanges whose answer was refused. */
const LATE_COMMITS = 'SELECT id FROM inserted WHERE error_name IS NULL';
const WHAT_CLIENTS_GOT = 'SELECT path, status, outcome, error_name FROM recap_entries ORDER BY path';
const REFUSED = [
  ...[1, 2, 3, 4].map((index) => ({ path: `/echo/${index}`, status: 503 })),
  { path: '/stream/5', status: 200 },
].map((fields) => ({ ...fields, outcome: 'failed', error_name: 'CAPTURE_UNAVAILABLE' }));

async function refuseSome(program: Awaited<ReturnType<typeof startProgram>>): Promise<void> {
  const answers = [1, 2, 3, 4].map((index) => program.post(`/echo/${index}`, body(index)));
  await expect(program.get('/stream/5')).rejects.toThrow();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([503, 503, 503, 503]);
}

/** The server of the other tests syncs nothing. */
async function startSyncedPostgres() {
  const child = fork(join(__dirname, 'synced-postgres.mjs'), [], { execArgv: [], stdio: 'ignore' });
  const ended = once(child, 'exit');
  const [{ url, missing }] = (await once(child, 'message')) as [{ url: string; missing?: string }];
  const stop = async (): Promise<void> => {
    await killAll();
    child.disconnect();
    await ended;
  };
  if (missing === undefined) return { url, stop };
  await stop();
  console.warn(`SKIPPED: durability "strict" on PostgreSQL. ${missing}`);
  expect(process.env['CI']).not.toBe('1');
  return undefined;
}

describe('a recorder with durability "strict" on SQLite', () => {
  it.each([undefined, false])(
    'loses nothing of what a client got, and reads nothing back, when its process is killed under load (worker: %s)',
    async (worker) => {
      const path = join(await newFolder(), 'recap.db');
      const ledger = await killUnderLoad({ type: 'sqlite', path }, worker === undefined ? {} : { worker }, 6);
      const stored = pathsInSqlite(path);
      expect(ledger.length).toBeGreaterThan(700);
      expect(ledger.filter((url) => !stored.includes(url))).toEqual([]);
      expect(new Set(stored).size).toBe(stored.length);
    },
  );

  it('answers 503 to all while the file is locked, in bounded time, and stores each later', async () => {
    const path = join(await newFolder(), 'recap.db');
    const program = await startProgram(
      { type: 'sqlite', path },
      { durability: 'strict', strictTimeoutMs: 100 },
    );
    await program.tell('ready');
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    const answers = [];
    for (let round = 0; round < 5; round += 1) {
      const group = Array.from({ length: 8 }, (_each, index) =>
        program.post(`/echo/${round}-${index}`, body(index)),
      );
      answers.push(...(await Promise.all(group)));
      await program.tell('stats');
    }
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(503));
    expect(answers[0]?.answer).toMatchObject({ success: false, error: { code: 'CAPTURE_UNAVAILABLE' } });
    await expect(program.get('/stream/1')).rejects.toThrow();
    const away = await program.tell('stats');
    expect(away).toMatchObject({ captured: 41, stored: 0, shed: {}, strictFailures: { timeout: 41 } });
    other.exec('ROLLBACK');
    other.close();
    expect(await program.flush()).toMatchObject({ captured: 41, stored: 41, queued: 0, shed: {} });
    expect(new Set(pathsInSqlite(path)).size).toBe(41);
  });

  it.each([undefined, false])(
    'has stored what each client got when a commit comes through after its answer was refused (worker: %s)',
    async (worker) => {
      const path = join(await newFolder(), 'recap.db');
      const program = await startProgram(
        { type: 'sqlite', path },
        { durability: 'strict', strictTimeoutMs: 100, ...(worker !== undefined && { worker }) },
      );
      await program.tell('ready');
      const other = new Database(path);
      other.exec(LOG_INSERTS);
      other.exec('BEGIN IMMEDIATE');
      await refuseSome(program);
      other.exec('ROLLBACK');
      expect(await program.flush()).toMatchObject({ captured: 5, stored: 5, shed: {} });
      const read = (sql: string) => other.prepare(sql).all();
      expect(read(LATE_COMMITS)).not.toEqual([]);
      expect(read(WHAT_CLIENTS_GOT)).toEqual(REFUSED);
      other.close();
    },
  );

  it('keeps for the next process what a client was refused, when its own is killed right after that', async () => {
    const path = join(await newFolder(), 'recap.db');
    const options = { durability: 'strict', strictTimeoutMs: 100 };
    const first = await startProgram({ type: 'sqlite', path }, options);
    await first.tell('ready');
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    expect(await first.post('/echo/1', body(1))).toMatchObject({ status: 503 });
    await first.kill();
    other.exec('ROLLBACK');
    const second = await startProgram({ type: 'sqlite', path }, options);
    await second.tell('ready');
    expect(await second.flush()).toMatchObject({ captured: 1, replayed: 1, stored: 1 });
    expect(other.prepare(WHAT_CLIENTS_GOT).all()).toEqual([REFUSED[0]]);
    other.close();
  });

  it('answers as the program does while the file is locked when it may, and counts exactly', async () => {
    const path = join(await newFolder(), 'recap.db');
    const program = await startProgram(
      { type: 'sqlite', path },
      { durability: 'strict', strictTimeoutMs: 100, onStrictFailure: 'fail-open', maxQueuedExchanges: 10 },
    );
    await program.tell('ready');
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    for (let round = 0; round < 5; round += 1) {
      const group = Array.from({ length: 8 }, (_each, index) =>
        program.post(`/echo/${round}-${index}`, body(index)),
      );
      const answers = await Promise.all(group);
      expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    }
    const away = await program.tell('stats');
    expect(away).toMatchObject({ captured: 40, stored: 0, shed: {} });
    expect(Object.values(away.strictFailures).reduce((sum, count) => sum + count)).toBe(40);
    const files = (await bytesIn(join(path, '..'))).toString('latin1');
    expect(files).toContain('text 7 text 7');
    expect(files).not.toContain('hunter2');
    expect(files).not.toContain('sk-secret-1');
    other.exec('ROLLBACK');
    other.close();
    expect(await program.flush()).toMatchObject({
      captured: 40,
      stored: 40,
      queued: 0,
      spooled: 0,
      shed: {},
    });
    expect(new Set(pathsInSqlite(path)).size).toBe(40);
  });
});

describe('a recorder with durability "strict" on PostgreSQL', () => {
  let server: Awaited<ReturnType<typeof startSyncedPostgres>>;
  beforeAll(async () => {
    server = await startSyncedPostgres();
  });
  afterAll(() => server?.stop());

  it('loses nothing of what a client got when its process is killed under load', async () => {
    if (server === undefined) return;
    const { url } = server;
    const ledger = await killUnderLoad({ type: 'postgres', url }, { spool: false }, 4);
    const reader = new Client({ connectionString: url });
    await reader.connect();
    const { rows } = await reader.query<{ path: string }>('SELECT path FROM recap_entries');
    await reader.end();
    const stored = rows.map(({ path }) => path);
    expect(ledger.length).toBeGreaterThan(280);
    expect(ledger.filter((path) => !stored.includes(path))).toEqual([]);
    expect(new Set(stored).size).toBe(stored.length);
  });

  it('has stored what each client got when a commit comes through after its answer was refused', async () => {
    if (server === undefined) return;
    const admin = new Client({ connectionString: server.url });
    await admin.connect();
    await admin.query('CREATE DATABASE late');
    await admin.end();
    const url = Object.assign(new URL(server.url), { pathname: '/late' }).href;
    const program = await startProgram(
      { type: 'postgres', url },
      { durability: 'strict', strictTimeoutMs: 100, spool: false },
    );
    await program.tell('ready');
    const other = new Client({ connectionString: url });
    await other.connect();
    await other.query(`
      CREATE TABLE inserted (id TEXT, error_name TEXT);
      CREATE FUNCTION log_insert() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO inserted VALUES (new.id, new.error_name); RETURN new; END $$;
      CREATE TRIGGER log_inserts AFTER INSERT ON recap_entries FOR EACH ROW EXECUTE FUNCTION log_insert()`);
    await other.query('BEGIN');
    await other.query('LOCK TABLE recap_entries IN ACCESS EXCLUSIVE MODE');
    await refuseSome(program);
    await other.query('ROLLBACK');
    expect(await program.flush()).toMatchObject({ captured: 5, stored: 5, shed: {} });
    const read = async (sql: string) => (await other.query<object>(sql)).rows;
    expect(await read(LATE_COMMITS)).not.toEqual([]);
    expect(await read(WHAT_CLIENTS_GOT)).toEqual(REFUSED);
    await other.end();
  });

  it('refuses a server that does not sync, and each answer', async () => {
    if (server === undefined) return;
    const { url } = server;
    const admin = new Client({ connectionString: url });
    await admin.connect();
    await admin.query('CREATE DATABASE unsynced');
    await admin.query('ALTER DATABASE unsynced SET synchronous_commit = off');
    await admin.end();
    const unsynced = Object.assign(new URL(url), { pathname: '/unsynced' }).href;
    const program = await startProgram(
      { type: 'postgres', url: unsynced },
      { durability: 'strict', spool: false },
    );
    const told = await program.tell('ready');
    expect(told.error).toMatch(/^DURABILITY_MISMATCH: .*synchronous_commit is off/);
    expect(await program.post('/echo/1')).toMatchObject({ status: 503 });
    expect(await program.tell('stats')).toMatchObject({ strictFailures: { commit_failed: 1 } });
  });
});

describe('a program that ends while its database cannot be written to', () => {
  it.each([
    ['exit/0', 'buffered', undefined, 0],
    ['exit/3', 'buffered', false, 3],
    ['throw', 'buffered', undefined, 1],
    ['exit/0', 'spooled', false, 0],
  ] as const)(
    'at "%s" (%s, worker: %s) leaves all it recorded to the next one',
    async (how, durability, worker, code) => {
      const path = join(await newFolder(), 'recap.db');
      const options = { durability, ...(worker !== undefined && { worker }) };
      const first = await startProgram({ type: 'sqlite', path }, options);
      await first.tell('ready');
      const other = new Database(path);
      other.exec('BEGIN IMMEDIATE');
      for (let index = 0; index < 5; index += 1) await first.post(`/echo/${index}`, body(index));
      await first.get(`/${how}`);
      expect(await first.exited).toEqual([code, null]);
      const files = (await bytesIn(join(path, '..'))).toString('latin1');
      expect(files).toContain('text 3 text 3');
      expect(files).not.toContain('hunter2');
      other.exec('ROLLBACK');
      other.close();
      const second = await startProgram({ type: 'sqlite', path }, options);
      await second.tell('ready');
      const told = await second.tell('flush');
      expect(told).toMatchObject({ spooled: 0, shed: {} });
      const stored = pathsInSqlite(path).filter((each) => each.startsWith('/echo/'));
      expect(stored.sort()).toEqual([0, 1, 2, 3, 4].map((index) => `/echo/${index}`));
    },
  );
});

describe('a program that exits in the midst of exchanges', () => {
  it.each([
    ['buffered', undefined],
    ['buffered', false],
    ['spooled', undefined],
    ['spooled', false],
  ] as const)('has recorded them as far as they went (%s, worker: %s)', async (durability, worker) => {
    const path = join(await newFolder(), 'recap.db');
    const options = { durability, ...(worker !== undefined && { worker }) };
    const program = await startProgram({ type: 'sqlite', path }, options);
    await program.tell('ready');
    const cutOff = ['/pending', '/half'].map((url) => program.get(url).catch(() => 'cut off'));
    while ((await program.tell('stats')).open < 2);
    expect(await program.get('/answer-and-exit/3')).toBe('{"isAnswered":true}');
    expect(await program.exited).toEqual([3, null]);
    expect(await Promise.all(cutOff)).toEqual(['cut off', 'cut off']);
    const next = await startProgram({ type: 'sqlite', path }, options);
    await next.tell('ready');
    expect(await next.tell('flush')).toMatchObject({ spooled: 0, shed: {} });
    const database = new Database(path, { readonly: true });
    const columns = 'path, status, outcome, closed_by, response_original_bytes AS bytes';
    expect(database.prepare(`SELECT ${columns} FROM recap_entries ORDER BY path`).all()).toEqual([
      { path: '/answer-and-exit/3', status: 200, outcome: 'completed', closed_by: 'end', bytes: 19 },
      { path: '/half', status: 200, outcome: 'failed', closed_by: 'connection', bytes: 8 },
      { path: '/pending', status: null, outcome: 'failed', closed_by: 'connection', bytes: null },
    ]);
    database.close();
  });
});

describe('two programs with one database and one parent folder of spools', () => {
  it('leave each other’s records alone while they live, and store those of the one that dies', async () => {
    const path = join(await newFolder(), 'recap.db');
    const start = () => startProgram({ type: 'sqlite', path }, { durability: 'spooled' });
    const [first, second] = [await start(), await start()];
    for (const program of [first, second]) await program.tell('ready');
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    for (let index = 0; index < 5; index += 1) {
      await first.post(`/echo/first-${index}`, body(index));
      await second.post(`/echo/second-${index}`, body(index));
    }
    const third = await start();
    expect(await first.tell('stats')).toMatchObject({ captured: 5, spooled: 5 });
    expect(await second.tell('stats')).toMatchObject({ captured: 5, spooled: 5 });
    other.exec('ROLLBACK');
    other.close();
    await second.tell('ready');
    await third.tell('ready');
    expect(await third.tell('flush')).toMatchObject({ captured: 0, replayed: 0 });
    await third.tell('close');
    expect(await second.flush()).toMatchObject({ captured: 5, stored: 5, spooled: 0 });
    await first.kill();
    const fourth = await start();
    await fourth.tell('ready');
    await fourth.tell('flush');
    const stored = pathsInSqlite(path);
    expect(stored.filter((each) => each.includes('second'))).toHaveLength(5);
    expect(stored.filter((each) => each.includes('first'))).toHaveLength(5);
    expect(new Set(stored).size).toBe(10);
  });
});
