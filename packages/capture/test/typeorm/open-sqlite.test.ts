import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { DataSource } from 'typeorm';
import { newEntry } from '../../src/testing';
import { createRecorder } from '../../src/create-recorder';
import { createTypeOrmEntryStore, resolveDatabase, StorageEntry, StorageSession } from '../../src/typeorm';
import { openSqlite } from '../../src/typeorm/open-sqlite';

const SESSION_MAX_AGE = { sessionMaxAgeMs: 24 * 3_600_000 };
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recap-sqlite-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const mode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);
const open = async (path: string) => {
  const store = createTypeOrmEntryStore({ database: { type: 'sqlite', path }, ...SESSION_MAX_AGE });
  await store.open();
  return store;
};

describe('opening an SQLite file', () => {
  it('makes its folder and files readable by their user only, and keeps them out of Git', async () => {
    const home = join(folder, 'app', '.recap');
    const store = await open(join(home, 'recap.db'));
    await store.append([newEntry()]);
    expect(await mode(home)).toBe('700');
    const files = (await readdir(home)).sort();
    expect(files).toEqual(['.gitignore', 'recap.db', 'recap.db-shm', 'recap.db-wal']);
    for (const file of files)
      expect({ file, mode: await mode(join(home, file)) }).toEqual({ file, mode: '600' });
    expect(await readFile(join(home, '.gitignore'), 'utf8')).toBe('*\n');
    await store.close();
  });

  it('leaves a folder that was there as it is', async () => {
    const home = join(folder, 'there');
    await mkdir(home, { mode: 0o755 });
    await (await open(join(home, 'recap.db'))).close();
    expect(await readdir(home)).toEqual(['recap.db']);
    expect(await mode(home)).toBe('755');
  });

  it('sets the file up to give space back and to be read while it is written', async () => {
    const path = join(folder, 'recap.db');
    await (await open(path)).close();
    const reader = await new DataSource({ type: 'better-sqlite3', database: path }).initialize();
    expect(await reader.query('PRAGMA auto_vacuum')).toEqual([{ auto_vacuum: 2 }]);
    expect(await reader.query('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    await reader.destroy();
  });

  it('syncs each commit where that is asked for, and only there', async () => {
    const levels: unknown[] = [];
    for (const mustSync of [false, true]) {
      const target = resolveDatabase({ type: 'sqlite', path: join(folder, `${String(mustSync)}.db`) });
      if (target.dialect !== 'sqlite') throw new Error('It is SQLite.');
      const database = await openSqlite(target, mustSync);
      levels.push(await database.maintain((sql) => sql.query('PRAGMA synchronous')));
      await database.close();
    }
    expect(levels).toEqual([[{ synchronous: 1 }], [{ synchronous: 2 }]]);
  });

  // A thread that is ended within a call of the driver that fails ends the whole process: opening a folder did so most often.
  it('opens, migrates and closes within its gate', async () => {
    let depth = 0;
    const outside: string[] = [];
    const watch = (of: object, name: string): jest.SpyInstance => {
      const methods = of as Record<string, (...args: unknown[]) => unknown>;
      const method = methods[name];
      return jest.spyOn(methods, name).mockImplementation(function (this: unknown, ...args) {
        if (depth === 0) outside.push(name);
        return method?.apply(this, args);
      });
    };
    const spies = [
      watch(DataSource.prototype, 'initialize'),
      ...['prepare', 'pragma', 'close'].map((name) => watch(Database.prototype as object, name)),
    ];
    const gate = { enter: () => (depth += 1), leave: () => (depth -= 1) };
    try {
      const open = (path: string) => {
        const target = resolveDatabase({ type: 'sqlite', path });
        if (target.dialect !== 'sqlite') throw new Error('It is SQLite.');
        return openSqlite(target, false, gate);
      };
      const database = await open(join(folder, 'recap.db'));
      await database.close();
      await expect(open(folder)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      for (const spy of spies) expect(spy).toHaveBeenCalled();
      expect(outside).toEqual([]);
      expect(depth).toBe(0);
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  });

  it('refuses to sync what is in memory', async () => {
    const database = { type: 'sqlite', path: ':memory:' } as const;
    const store = createTypeOrmEntryStore({ database, ...SESSION_MAX_AGE, mustSync: true });
    await expect(store.open()).rejects.toMatchObject({ code: 'DURABILITY_MISMATCH' });
    expect(() => createRecorder({ database, durability: 'strict' })).toThrow(
      expect.objectContaining({ code: 'DURABILITY_MISMATCH' }) as Error,
    );
  });

  it('fails with the path when it cannot, and succeeds when tried again', async () => {
    const path = join(folder, 'file', 'recap.db');
    await writeFile(join(folder, 'file'), 'in the way');
    const store = createTypeOrmEntryStore({ database: { type: 'sqlite', path }, ...SESSION_MAX_AGE });
    await expect(store.ping()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(store.open()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(path),
    });
    await rm(join(folder, 'file'));
    await store.open();
    await store.ping();
    await store.close();
  });

  it('refuses a file that is no database, and leaves it as it is', async () => {
    const path = join(folder, 'recap.db');
    await writeFile(path, 'not a database, but long enough to be taken for one'.repeat(100));
    await expect(open(path)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect((await readFile(path, 'utf8')).startsWith('not a database')).toBe(true);
  });

  it('can be done by several stores at once on an empty file', async () => {
    const path = join(folder, 'recap.db');
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(path)));
    const placed = await Promise.all(stores.map((store) => store.append([newEntry()])));
    expect(new Set(placed.flat().map(({ sessionId }) => sessionId)).size).toBe(1);
    expect(await stores[0]?.count({}, 9)).toMatchObject({ total: 4 });
    await Promise.all(stores.map((store) => store.close()));
  });

  it('keeps what was stored over a restart, and finds the open session again', async () => {
    const path = join(folder, 'recap.db');
    const first = await open(path);
    const [placed] = await first.append([newEntry({ id: 'a' })]);
    await first.close();
    const second = await open(path);
    expect((await second.append([newEntry({ id: 'b' })]))[0]?.sessionId).toBe(placed?.sessionId);
    expect(await second.count({}, 9)).toMatchObject({ total: 2 });
    await second.close();
  });

  it('gives space back when it sweeps', async () => {
    const path = join(folder, 'recap.db');
    const store = await open(path);
    const body = Buffer.alloc(50_000, 1);
    await store.append(Array.from({ length: 60 }, () => newEntry({ expiresAt: 1, responseBody: body })));
    const before = (await store.sizes()).databaseBytes;
    await store.sweep(10_000);
    const after = (await store.sizes()).databaseBytes;
    expect(after).toBeLessThan(before / 10);
    await store.close();
    // Closing writes the log back, after which the file itself is small.
    expect((await stat(path)).size).toBeLessThan(before / 10);
  });

  it('rolls back an append that fails half way', async () => {
    const store = await open(join(folder, 'recap.db'));
    const broken = newEntry({ id: 'broken', status: {} as unknown as number });
    await expect(store.append([newEntry({ id: 'good' }), broken])).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect(await store.count({}, 9)).toMatchObject({ total: 0 });
    expect(await store.recentSessions(0, 9)).toEqual([]);
    await store.append([newEntry({ id: 'good' })]);
    expect(await store.count({}, 9)).toMatchObject({ total: 1 });
    await store.close();
  });

  it('does not put what it stores into its errors', async () => {
    const store = await open(join(folder, 'recap.db'));
    const secret = newEntry({ errorMessage: 'hunter2', status: {} as unknown as number });
    const error: unknown = await store.append([secret]).catch((reason: unknown) => reason);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2');
    expect(String((error as Error).cause)).not.toContain('hunter2');
    await store.close();
  });

  it('lets a read go on while a transaction is open elsewhere', async () => {
    const path = join(folder, 'recap.db');
    const store = await open(path);
    await store.append([newEntry()]);
    const other = await new DataSource({ type: 'better-sqlite3', database: path }).initialize();
    await other.query('BEGIN IMMEDIATE');
    const waiting = store.append([newEntry()]);
    expect(await store.count({}, 9)).toMatchObject({ total: 1 });
    await other.query('COMMIT');
    await waiting;
    expect(await store.count({}, 9)).toMatchObject({ total: 2 });
    await other.destroy();
    await store.close();
  });
});

describe('a program with a DataSource of its own on the same SQLite file', () => {
  it('keeps its tables although its options would drop the schema', async () => {
    const database = join(folder, 'app.db');
    const host = new DataSource({ type: 'better-sqlite3', database });
    await host.initialize();
    await host.query('CREATE TABLE host_orders (id integer)');
    await host.query('INSERT INTO host_orders VALUES (7)');
    const options = { ...host.options, dropSchema: true, synchronize: true };
    const store = createTypeOrmEntryStore({ database: options, shareSqliteFile: true, ...SESSION_MAX_AGE });
    await store.open();
    await store.append([newEntry()]);
    await store.sweep(100);
    expect(await store.evictOldest(1_000_000)).toBe(0);
    await store.close();
    expect(await host.query('SELECT id FROM host_orders')).toEqual([{ id: 7 }]);
    expect(await host.query('PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }]);
    await host.destroy();
  });

  it('reads entries and sessions through the entities, bodies when asked', async () => {
    const path = join(folder, 'recap.db');
    const store = await open(path);
    const entry = newEntry({ metadata: { model: 'gpt-4' }, responseBody: Buffer.from('{"a":1}') });
    const [placed] = await store.append([entry]);
    const stored = await store.get(entry.id, {});
    await store.close();
    const host = await new DataSource({
      type: 'better-sqlite3',
      database: path,
      entities: [StorageEntry, StorageSession],
      synchronize: true,
    }).initialize();
    const found = await host.getRepository(StorageEntry).findOneByOrFail({ owner: 'ann' });
    expect(found).toMatchObject({ id: entry.id, metadata: { model: 'gpt-4' }, createdAt: entry.createdAt });
    expect(found.responseBody).toBe(undefined);
    const whole = await host
      .getRepository(StorageEntry)
      .createQueryBuilder('entry')
      .addSelect(['entry.requestBody', 'entry.responseBody'])
      .getOneOrFail();
    expect(Object.assign({}, whole)).toEqual(stored);
    const session = await host.getRepository(StorageSession).findOneByOrFail({ id: placed?.sessionId ?? '' });
    expect(session).toMatchObject({ owner: 'ann', createdAt: entry.createdAt, timeoutMs: 1_800_000 });
    await host.destroy();
  });
});
