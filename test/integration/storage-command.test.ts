import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteBackend, createStorageBackends, type Backend } from '@recap/storage';
import Database from 'better-sqlite3';

const program = join(__dirname, '../../packages/storage/dist/cli/recap-storage.js');

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recap-command-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const start = (args: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  startProgram([program, ...args], environment);

function startProgram(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }));
  return { child, ended };
}

const run = (...args: string[]): Promise<Ended> => start(args).ended;

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(...args, '--json');
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** A database of the role's own, and something beside it. */
async function fill(name: string): Promise<void> {
  const { manager, backends } = await createStorageBackends({
    database: { type: 'sqlite', path: join(folder, name) },
  });
  await backends.database.set('user:1', { name: 'Ada' });
  await backends.database.append('messages:1', 'one');
  await backends.database.append('messages:1', 'two');
  await manager.disconnect();
}

async function withSqlite<T>(name: string, use: (backend: Backend) => Promise<T>): Promise<T> {
  const backend = createSqliteBackend({ path: join(folder, name), sweepIntervalMs: 0 });
  await backend.open();
  try {
    return await use(backend);
  } finally {
    await backend.close();
  }
}

describe('recap-storage', () => {
  it('copies what a role keeps into another storage, where the role finds it', async () => {
    await fill('a.db');
    await writeFile(
      join(folder, 'app.yml'),
      'storage:\n  database: { type: sqlite, path: $FOLDER/b.db, keyPrefix: "new:" }\n',
    );
    const { ended } = start(['copy', 'sqlite:a.db', 'app.yml#database'], { FOLDER: folder });
    expect(await ended).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^Copied 1 value and 1 list with 2 elements .*\n.*the same: sha256 [0-9a-f]{64}\n$/,
      ) as string,
      stderr: '',
    });
    const { manager, backends } = await createStorageBackends({
      database: { type: 'sqlite', path: join(folder, 'b.db'), keyPrefix: 'new:' },
    });
    expect(await backends.database.get('user:1')).toEqual({ name: 'Ada' });
    expect(await backends.database.getRange('messages:1', 0, -1)).toEqual(['one', 'two']);
    await manager.disconnect();
  });

  it('leaves out what is not under the prefix, says so, and takes it when asked to', async () => {
    await fill('a.db');
    await withSqlite('a.db', (backend) => backend.set({ partition: 'own', key: 'k' }, 1));
    const { stderr, stdout } = await run('copy', 'sqlite:a.db', 'sqlite:b.db', '--json');
    expect(stderr).toContain('1 partition whose names do not begin with "recap:"');
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, values: 1, lists: 1 });
    expect(await json('copy', 'sqlite:a.db', 'sqlite:c.db', '--all-partitions')).toMatchObject({ values: 2 });
    await withSqlite('c.db', async (backend) =>
      expect(await backend.get({ partition: 'own', key: 'k' })).toMatchObject({ value: 1 }),
    );
  });

  it('refuses a target that is not empty unless told what to do with it', async () => {
    await fill('a.db');
    await run('copy', 'sqlite:a.db', 'sqlite:b.db');
    const refused = await run('copy', 'sqlite:a.db', 'sqlite:b.db');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      /holds something already[^]*--overwrite; for copy and restore also --only-missing/,
    );
    expect(await json('copy', 'sqlite:a.db', 'sqlite:b.db')).toMatchObject({
      ok: false,
      error: { code: 'TARGET_NOT_EMPTY' },
    });
    expect(await json('copy', 'sqlite:a.db', 'sqlite:b.db', '--only-missing')).toMatchObject({ ok: true });
    expect(await json('copy', 'sqlite:a.db', 'sqlite:b.db', '--overwrite')).toMatchObject({ ok: true });
  });

  it('backs up, restores, checks and counts', async () => {
    await fill('a.db');
    const backup = await json('backup', 'sqlite:a.db', 'a.ndjson.gz');
    expect(backup).toMatchObject({ ok: true, values: 1, lists: 1, elements: 2 });
    expect((await stat(join(folder, 'a.ndjson.gz'))).mode & 0o777).toBe(0o600);
    const restored = await json('restore', 'a.ndjson.gz', 'sqlite:b.db');
    expect(restored).toMatchObject({ ok: true, digest: backup['digest'] });
    expect(await json('check', 'sqlite:b.db')).toMatchObject({
      ok: true,
      damaged: 0,
      digest: backup['digest'],
    });
    expect(await json('stats', 'sqlite:b.db')).toMatchObject({ items: 2, isCapped: false, partitions: 2 });
    await writeFile(join(folder, 'bad.ndjson'), 'nothing\n');
    expect(await run('restore', 'bad.ndjson', 'sqlite:c.db')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no archive') as string,
    });
  });

  it('spreads the files of a file storage over another number of folders', async () => {
    await fill('a.db');
    await run('copy', 'sqlite:a.db', 'file:files');
    const before = await json('check', 'file:files');
    expect(await json('reshard', 'file:files', '--shards', '3')).toMatchObject({ ok: true, from: 16, to: 3 });
    expect(await json('check', 'file:files')).toEqual(before);
    expect(await run('reshard', 'sqlite:a.db', '--shards', '3')).toMatchObject({ code: 2 });
    expect(await run('reshard', 'file:files', '--shards', 'many')).toMatchObject({ code: 2 });
  });

  it('finds what cannot be read, and ends with 1', async () => {
    await fill('a.db');
    const database = new Database(join(folder, 'a.db'));
    database.exec(`UPDATE recap_items SET json = '{"name":' WHERE json IS NOT NULL`);
    database.close();
    const { code, stdout } = await run('check', 'sqlite:a.db');
    expect(code).toBe(1);
    expect(stdout).toMatch(/1 item cannot be read:\n {2}"database:\w+" \/ "user:1": /);
  });

  it('tells which damaged files a file storage restored, and ends with 1', async () => {
    for (const name of ['Ada', 'Ada Lovelace']) {
      const { manager, backends } = await createStorageBackends({
        database: { type: 'file', path: join(folder, 'files') },
      });
      await backends.database.set('user:1', { name });
      await manager.disconnect();
    }
    const values = (await readdir(join(folder, 'files/values'), { recursive: true })).filter((name) =>
      name.endsWith('.json'),
    );
    for (const name of values) await writeFile(join(folder, 'files/values', name), '{"edited":1}\n');
    const { code, stdout } = await run('check', 'file:files');
    expect(code).toBe(1);
    expect(stdout).toMatch(/1 file damaged:\n {2}values\/\w+\/\S+ is damaged\. Restored from backups\//);
    expect(await json('check', 'file:files')).toMatchObject({ ok: true, damagedFiles: [] });
  });

  it('says which file cannot be written, by a code of its own', async () => {
    await fill('a.db');
    expect(await json('backup', 'sqlite:a.db', 'nowhere/a.ndjson')).toMatchObject({
      ok: false,
      error: { code: 'UNAVAILABLE', message: expect.stringContaining('nowhere/a.ndjson') as string },
    });
    await run('backup', 'sqlite:a.db', 'a.ndjson');
    const { code, stderr } = await run('backup', 'sqlite:a.db', 'a.ndjson');
    expect(code).toBe(1);
    expect(stderr).toContain('--overwrite');
  });

  it.each([
    ['no command', []],
    ['an unknown command', ['move']],
    ['an unknown option', ['copy', 'sqlite:a', 'sqlite:b', '--force']],
    ['a missing argument', ['copy', 'sqlite:a']],
    ['options that exclude each other', ['copy', 'sqlite:a', 'sqlite:b', '--overwrite', '--only-missing']],
    ['an unknown type', ['stats', 'oracle://db']],
    ['no type', ['stats', 'secret-thing']],
    ['a setting that cannot be', ['stats', 'redis://localhost/none']],
    ['a variable that is not set', ['stats', '$NOT_SET_ANYWHERE']],
    ['a configuration file that is not there', ['stats', 'none.yml#cache']],
  ])('ends with 2 for %s, and makes nothing', async (_what, args) => {
    const { code, stderr, stdout } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toBe('');
    expect(stderr).not.toMatch(/secret|\n {4}at /);
    expect(await readdir(folder)).toEqual([]);
  });

  it('does not make a source that is not there', async () => {
    const { code, stderr } = await run('copy', 'sqlite:none.db', 'sqlite:b.db');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('There is no none.db') as string,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('never prints a password', async () => {
    // A port on which nobody listens.
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    server.close();
    await fill('a.db');
    for (const url of [`postgres://u:hunter2@127.0.0.1:${port}/d`, `redis://:hunter2@127.0.0.1:${port}/x`])
      for (const args of [
        ['copy', 'sqlite:a.db', url],
        ['stats', '$URL'],
        ['stats', url, '--json'],
      ]) {
        const { stdout, stderr, code } = await start(args, { URL: url }).ended;
        expect(code).toBeGreaterThan(0);
        expect(stdout + stderr).not.toContain('hunter2');
      }
  });

  it('loads no driver that is not needed', async () => {
    await fill('a.db');
    const watcher = join(folder, 'watch.cjs');
    await writeFile(
      watcher,
      `process.on('exit', () => {
        const names = Object.keys(require.cache).filter((path) => /node_modules.(pg|ioredis|mongodb|@aws-sdk)\\W/.test(path));
        process.stderr.write('loaded: ' + names.length + '\\n');
      });`,
    );
    const { stderr } = await start(['stats', 'sqlite:a.db'], { NODE_OPTIONS: `--require ${watcher}` }).ended;
    expect(stderr).toBe('loaded: 0\n');
  });

  describe('when it is stopped in the middle', () => {
    const ITEMS = 3_000;
    beforeEach(() =>
      withSqlite('a.db', async (backend) => {
        const partition = 'recap:database:00';
        for (let from = 0; from < ITEMS; from += 1_000)
          await backend.batch(
            Array.from({ length: 1_000 }, (_, index) => {
              const key = `k${from + index}`;
              if (index % 5 > 0) return { type: 'set', partition, key, value: 'x'.repeat(500) } as const;
              return { type: 'append', partition, key, values: [index, 'y'.repeat(900), null] } as const;
            }),
          );
        for (let page = 0; page < 5; page += 1)
          await backend.append(
            { partition, key: 'k1-long' },
            Array.from({ length: 1_000 }, (_, index) => page * 1_000 + index),
          );
      }),
    );

    it('by kill -9 at a batch, again and again, it goes on and copies nothing twice', async () => {
      const copier = join(__dirname, 'storage-copier.mjs');
      const copied: number[] = [];
      for (let kills = 0; ; kills += 1) {
        const when = ['before', 'during', 'after'][kills % 3]!;
        const { code, signal, stdout } = await startProgram([copier, folder, '4', when]).ended;
        if (signal === 'SIGKILL') {
          copied.push(await withSqlite('b.db', async (backend) => (await backend.stats()).items));
          continue;
        }
        expect(code).toBe(0);
        expect(JSON.parse(stdout)).toMatchObject({ values: (ITEMS * 4) / 5, lists: ITEMS / 5 + 1, kept: 0 });
        break;
      }
      expect(copied.length).toBeGreaterThan(2);
      const [source, target] = [await json('check', 'sqlite:a.db'), await json('check', 'sqlite:b.db')];
      expect(target).toEqual(source);
    });

    it('by SIGTERM, it ends by that signal, says how to go on, and goes on', async () => {
      const arguments_ = ['copy', 'sqlite:a.db', 'sqlite:b.db', '--resume', 'token'];
      let stopped: Ended;
      // On a busy machine it may come to its end before it hears of the signal.
      do {
        await rm(join(folder, 'b.db'), { force: true });
        const { child, ended } = start(arguments_);
        const watching = watch(folder, (_event, name) => {
          if (name === 'token') child.kill('SIGTERM');
        });
        stopped = await ended;
        watching.close();
      } while (stopped.code === 0);
      expect(stopped.signal).toBe('SIGTERM');
      expect(stopped.stderr).toContain('run the same command again');
      expect((await stat(join(folder, 'token'))).mode & 0o777).toBe(0o600);
      expect(await readFile(join(folder, 'token'), 'utf8')).toMatch(/^[\w-]+\.[0-9a-f]{16}\n$/);
      expect(await run(...arguments_)).toMatchObject({ code: 0 });
      expect(existsSync(join(folder, 'token'))).toBe(false);
    });
  });
});
