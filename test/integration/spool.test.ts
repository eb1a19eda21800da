import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { temporaryFolder } from './rig';

interface Connection {
  exec(sql: string): void;
  prepare(sql: string): { all(): unknown[] };
  close(): void;
}
// The driver has no types of its own.
const Database = createRequire(__filename)('better-sqlite3') as new (
  path: string,
  options?: object,
) => Connection;

const folder = temporaryFolder();
const running: ChildProcess[] = [];
let made = 0;

afterEach(async () => {
  for (const child of running.splice(0)) await kill(child);
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

interface Told {
  readonly captured: number;
  readonly stored: number;
  readonly queued: number;
  readonly spooled: number;
  readonly replayed: number;
  readonly spoolCorrupt: number;
  readonly shed: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
  readonly error?: string;
}

async function newFolder(): Promise<string> {
  made += 1;
  await mkdir(join(folder(), String(made)));
  return join(folder(), String(made));
}

async function newDatabase(): Promise<string> {
  return join(await newFolder(), 'recap.db');
}

/** A program of its own on the built packages. */
async function startProgram(database: object, options: object) {
  const child = fork(
    join(__dirname, 'spool-program.mjs'),
    [JSON.stringify(database), JSON.stringify(options)],
    { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
  );
  running.push(child);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    kill: () => kill(child),
    /** Resolves when the whole answer is here; rejects when it never comes. */
    get: async (url: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}${url}`)).text(),
    post: async (url: string, body: object = {}): Promise<unknown> => {
      const answer = await fetch(`http://127.0.0.1:${port}${url}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return answer.json();
    },
    tell: async (ask: 'stats' | 'ready' | 'flush' | 'close'): Promise<Told> => {
      child.send(ask);
      const [answer] = (await once(child, 'message')) as [Told];
      expect(answer.captured).toBe(
        answer.stored +
          answer.queued +
          answer.spooled +
          Object.values(answer.shed).reduce((sum, count) => sum + count, 0),
      );
      return answer;
    },
  };
}

function pathsIn(path: string): string[] {
  const database = new Database(path, { readonly: true });
  const rows = database.prepare('SELECT path FROM recap_entries') as { all(): { path: string }[] };
  const paths = rows.all().map((row) => row.path);
  database.close();
  return paths;
}

/** Contents of all files below. */
async function filesBelow(path: string): Promise<{ path: string; bytes: Buffer; mode: number }[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const file = join(entry.parentPath, entry.name);
        return { path: file, bytes: await readFile(file), mode: (await stat(file)).mode & 0o777 };
      }),
  );
}

const body = (index: number): object => ({ index, text: `text ${index} `.repeat(50), apiKey: 'sk-secret-1' });

describe('a recorder with durability "spooled"', () => {
  it('loses nothing that a client got the whole answer of, and stores nothing twice, when its process is killed under load', async () => {
    const path = await newDatabase();
    const ledger: string[] = [];
    let sent = 0;
    for (let round = 0; round < 8; round += 1) {
      const program = await startProgram({ type: 'sqlite', path }, { durability: 'spooled' });
      let isDead = false;
      const answered = ledger.length;
      const client = async (): Promise<void> => {
        while (!isDead) {
          const url = `/echo/${(sent += 1)}`;
          try {
            await program.post(url, body(sent));
          } catch {
            // The process was killed over this one.
            return;
          }
          ledger.push(url);
          // Another moment in each round: before the first batch, within one, between two.
          if (ledger.length - answered < 40 + 97 * round) continue;
          isDead = true;
          await program.kill();
        }
      };
      await Promise.all(Array.from({ length: 8 }, client));
    }
    const program = await startProgram({ type: 'sqlite', path }, { durability: 'spooled' });
    await program.tell('ready');
    const told = await program.tell('flush');
    expect(told).toMatchObject({ spooled: 0, shed: {}, failures: [] });
    expect(told.replayed).toBeGreaterThan(0);
    const stored = pathsIn(path);
    expect(ledger.length).toBeGreaterThan(2_000);
    expect(ledger.filter((url) => !stored.includes(url))).toEqual([]);
    expect(new Set(stored).size).toBe(stored.length);
    await program.tell('close');
    const spool = await readdir(`${path}-spool`);
    expect(spool.filter((name) => name !== '.gitignore')).toEqual([]);
  });

  it('stores what a killed process spooled while the database could not be written to', async () => {
    const path = await newDatabase();
    const first = await startProgram({ type: 'sqlite', path }, { durability: 'spooled' });
    await first.tell('ready');
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    for (let index = 0; index < 20; index += 1) await first.post(`/echo/${index}`, body(index));
    await first.get('/stream/21');
    expect(await first.tell('stats')).toMatchObject({ captured: 21, stored: 0, queued: 0, spooled: 21 });
    const files = await filesBelow(`${path}-spool`);
    expect(files.map(({ mode }) => mode)).toEqual(files.map(() => 0o600));
    const bytes = Buffer.concat(files.map((file) => file.bytes)).toString('latin1');
    expect(bytes).toContain('text 7 text 7');
    expect(bytes).toContain('part one, part two of 21');
    expect(bytes).not.toContain('hunter2');
    expect(bytes).not.toContain('sk-secret-1');
    await first.kill();
    other.exec('ROLLBACK');
    other.close();
    const second = await startProgram({ type: 'sqlite', path }, { durability: 'spooled' });
    await second.tell('ready');
    expect(await second.tell('flush')).toMatchObject({ captured: 21, stored: 21, replayed: 21, spooled: 0 });
    expect(new Set(pathsIn(path)).size).toBe(21);
  });

  it('leaves what it could not store to the next process when it closes', async () => {
    const path = await newDatabase();
    const first = await startProgram({ type: 'sqlite', path }, { durability: 'spooled' });
    await first.tell('ready');
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    for (let index = 0; index < 5; index += 1) await first.post(`/echo/${index}`);
    expect(await first.tell('close')).toMatchObject({ captured: 5, stored: 0, spooled: 5, shed: {} });
    other.exec('ROLLBACK');
    other.close();
    // The first still runs: a folder that was left is free all the same.
    const second = await startProgram({ type: 'sqlite', path }, {});
    await second.tell('ready');
    expect(await second.tell('flush')).toMatchObject({ stored: 5, replayed: 5 });
  });

  it('passes over a damaged record, counts it, and stores the others', async () => {
    const path = await newDatabase();
    const first = await startProgram({ type: 'sqlite', path }, { durability: 'spooled' });
    await first.tell('ready');
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    for (let index = 0; index < 5; index += 1) await first.post(`/echo/${index}`, body(index));
    await first.kill();
    other.exec('ROLLBACK');
    other.close();
    const segment = (await filesBelow(`${path}-spool`)).find((file) => file.path.endsWith('.spool'));
    if (segment === undefined) throw new Error('no segment');
    const damaged = segment.bytes.indexOf('text 2 text 2');
    segment.bytes.write('TEXT', damaged);
    await writeFile(segment.path, segment.bytes);
    const second = await startProgram({ type: 'sqlite', path }, { durability: 'spooled' });
    await second.tell('ready');
    expect(await second.tell('flush')).toMatchObject({ stored: 4, replayed: 4, spoolCorrupt: 1 });
    expect(pathsIn(path).sort()).toEqual(['/echo/0', '/echo/1', '/echo/3', '/echo/4']);
  });

  it('records as "buffered" does while its disk has no room, and says so', async () => {
    const path = await newDatabase();
    const spool = { minFreeDiskBytes: Number.MAX_SAFE_INTEGER };
    const program = await startProgram({ type: 'sqlite', path }, { durability: 'spooled', spool });
    await program.tell('ready');
    for (let index = 0; index < 5; index += 1) await program.post(`/echo/${index}`);
    const told = await program.tell('flush');
    expect(told).toMatchObject({ captured: 5, stored: 5, spooled: 0, shed: {} });
    expect(told.failures[0]).toMatch(
      /^spool: The spool in .* takes no more: \d+ bytes are free on the disk\.$/,
    );
  });
});

describe('a recorder with durability "buffered"', () => {
  it('puts what its queue has no room for into the spool, and stores it when the database is back', async () => {
    const path = await newDatabase();
    const program = await startProgram({ type: 'sqlite', path }, { maxQueuedExchanges: 10 });
    await program.tell('ready');
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    for (let index = 0; index < 30; index += 1) await program.post(`/echo/${index}`, body(index));
    expect(await program.tell('stats')).toMatchObject({ captured: 30, queued: 10, spooled: 20, shed: {} });
    const bytes = Buffer.concat((await filesBelow(`${path}-spool`)).map((file) => file.bytes)).toString(
      'latin1',
    );
    expect(bytes).toContain('text 20 text 20');
    expect(bytes).not.toContain('hunter2');
    other.exec('ROLLBACK');
    other.close();
    expect(await program.tell('flush')).toMatchObject({
      stored: 30,
      replayed: 20,
      queued: 0,
      spooled: 0,
      shed: {},
    });
    expect(new Set(pathsIn(path)).size).toBe(30);
  });

  it('writes no spool while its queue has room', async () => {
    const path = await newDatabase();
    const program = await startProgram({ type: 'sqlite', path }, {});
    for (let index = 0; index < 5; index += 1) await program.post(`/echo/${index}`);
    expect(await program.tell('flush')).toMatchObject({ stored: 5, replayed: 0 });
    await expect(readdir(`${path}-spool`)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

/** Passes connections on to a server, until it is closed; then none gets through. */
async function startProxy(to: URL, port = 0) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const upstream = connect(Number(to.port || 5432), to.hostname);
    for (const end of [socket, upstream]) {
      sockets.add(end);
      end.on('error', () => end.destroy());
      end.on('close', () => sockets.delete(end));
    }
    socket.pipe(upstream).pipe(socket);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const postgres = process.env['RECAP_TEST_POSTGRES_URL'];

describe('a spool before PostgreSQL', () => {
  if (postgres === undefined) {
    it('is not tried, since RECAP_TEST_POSTGRES_URL names no server', () => {
      console.warn('SKIPPED: a spool before PostgreSQL.');
      expect(process.env['CI']).not.toBe('1');
    });
    return;
  }

  it.each(['spooled', 'buffered'])(
    'bridges a time in which the server cannot be reached, with durability "%s"',
    async (durability) => {
      const name = `spool_${durability}_${process.pid}`;
      const admin = new Client({ connectionString: postgres });
      await admin.connect();
      await admin.query(`CREATE DATABASE ${name}`);
      const direct = Object.assign(new URL(postgres), { pathname: `/${name}` });
      const proxy = await startProxy(direct);
      const url = Object.assign(new URL(direct), { hostname: '127.0.0.1', port: String(proxy.port) }).href;
      const reader = new Client({ connectionString: direct.href });
      let again: { close(): Promise<void> } | undefined;
      try {
        const spool = { path: await newFolder() };
        const program = await startProgram(
          { type: 'postgres', url },
          { durability, spool, maxQueuedExchanges: 5 },
        );
        await program.post('/echo/0');
        await program.tell('flush');
        await proxy.close();
        for (let index = 1; index < 40; index += 1) await program.post(`/echo/${index}`, body(index));
        const away = await program.tell('stats');
        expect(away).toMatchObject({ captured: 40, stored: 1, shed: {} });
        expect(away.spooled).toBeGreaterThanOrEqual(34);
        again = await startProxy(direct, proxy.port);
        let told = await program.tell('flush');
        // One that began while the server was away may still fail.
        for (let tries = 0; told.error !== undefined && tries < 20; tries += 1)
          told = await program.tell('flush');
        expect(told).toMatchObject({ captured: 40, stored: 40, queued: 0, spooled: 0, shed: {} });
        await program.tell('close');
        await reader.connect();
        const { rows } = await reader.query<{ path: string }>('SELECT path FROM recap_entries');
        expect(rows).toHaveLength(40);
        expect(new Set(rows.map(({ path }) => path)).size).toBe(40);
      } finally {
        await again?.close();
        await reader.end();
        await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
        await admin.end();
      }
    },
  );
});
