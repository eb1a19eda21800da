import { chmod, mkdir, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import fileSystem from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { createSqliteBackend, type SqliteBackendOptions } from '../../../src';
import { at, temporaryFolder } from './temporary-folder';

const folder = temporaryFolder();
const file = (): string => join(folder(), 'items.db');
const mode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

async function opened(options: SqliteBackendOptions) {
  const backend = createSqliteBackend({ sweepIntervalMs: 0, ...options });
  await backend.open();
  return backend;
}

describe('opening an SQLite file', () => {
  it('makes its folders and files, for their user only', async () => {
    const path = join(folder(), 'a', 'b', 'items.db');
    const backend = await opened({ path });
    await backend.set(at('k'), 1);
    expect(await mode(join(folder(), 'a', 'b'))).toBe('700');
    for (const name of ['items.db', 'items.db-wal', 'items.db-shm'])
      expect({ name, mode: await mode(join(folder(), 'a', 'b', name)) }).toEqual({ name, mode: '600' });
    await backend.close();
    expect(await readdir(join(folder(), 'a', 'b'))).toEqual(['items.db']);
  });

  it('keeps what was written over a restart', async () => {
    const first = await opened({ path: file() });
    const version = await first.set(at('k\0', 'p\0'), { text: 'é' });
    await first.append(at('l'), [1, 2]);
    await first.close();
    const second = await opened({ path: file() });
    expect(await second.get(at('k\0', 'p\0'))).toMatchObject({ value: { text: 'é' }, version });
    expect(await second.range(at('l'))).toEqual([1, 2]);
    await second.close();
  });

  it('goes through symbolic links', async () => {
    await mkdir(join(folder(), 'real'));
    await symlink(join(folder(), 'real', 'items.db'), file());
    const backend = await opened({ path: file() });
    await backend.set(at('k'), 1);
    expect(await readdir(join(folder(), 'real'))).toContain('items.db-wal');
    await backend.close();
  });

  it('fails with the path where the folder is missing and not to be made, and succeeds once it is there', async () => {
    const path = join(folder(), 'later', 'items.db');
    const backend = createSqliteBackend({ path, createFolder: false, sweepIntervalMs: 0 });
    await expect(backend.open()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(path) as string,
    });
    await mkdir(join(folder(), 'later'));
    await backend.open();
    await backend.set(at('k'), 1);
    await backend.close();
  });

  it('fails where a file is in the place of its folder, or a folder in its own', async () => {
    await writeFile(file(), '');
    const within = createSqliteBackend({ path: join(file(), 'items.db') });
    await expect(within.open()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('a file is where its folder should be') as string,
    });
    const onFolder = createSqliteBackend({ path: folder() });
    await expect(onFolder.open()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('a folder is there') as string,
    });
  });

  // Node's own recursive mkdir goes round for ever there.
  (process.platform === 'linux' ? it : it.skip)('fails where no folder can be made', async () => {
    for (const path of ['/proc/x/items.db', '/proc/x/y/z/items.db', '/sys/x/y/items.db'])
      await expect(createSqliteBackend({ path }).open()).rejects.toMatchObject({
        code: expect.stringMatching(/^(CONFIG_INVALID|ACCESS_DENIED)$/) as string,
        message: expect.stringContaining(path.split('/').slice(0, 3).join('/')) as string,
      });
  });

  it('refuses a file that is no database, and leaves it as it is', async () => {
    const text = 'not a database, but long enough to be taken for one'.repeat(100);
    await writeFile(file(), text);
    await expect(createSqliteBackend({ path: file() }).open()).rejects.toMatchObject({ code: 'CORRUPT' });
    expect(await readFile(file(), 'utf8')).toBe(text);
  });

  it('tells a damaged file from a key that is not there', async () => {
    const backend = await opened({ path: file() });
    await backend.batch(
      Array.from({ length: 500 }, (_, index) => ({
        type: 'set',
        ...at(`k${index}`),
        value: 'x'.repeat(500),
      })),
    );
    await backend.close();
    const bytes = await readFile(file());
    await writeFile(file(), bytes.fill(0xaa, 4_096 * 8));
    const damaged = await opened({ path: file() });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 500 }, (_, index) => damaged.get(at(`k${index}`))),
    );
    const codes = outcomes.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : typeof outcome.value?.value,
    );
    expect([...new Set(codes)].filter((code) => code !== 'string')).toEqual(['CORRUPT']);
    await damaged.close();
  });

  const isRoot = process.geteuid?.() === 0;
  it('says that a file or a folder may only be read', async () => {
    await (await opened({ path: file() })).close();
    await chmod(file(), 0o444);
    await chmod(folder(), 0o555);
    // Root may write everywhere.
    if (isRoot) process.seteuid?.(65_534);
    try {
      const readOnly = createSqliteBackend({ path: file() });
      await expect(readOnly.open()).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
      const elsewhere = createSqliteBackend({ path: join(folder(), 'sub', 'items.db') });
      await expect(elsewhere.open()).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    } finally {
      if (isRoot) process.seteuid?.(0);
      await chmod(folder(), 0o755);
    }
  });

  it('says that a file system may only be read, though SQLite cannot say why it opens no log', async () => {
    await (await opened({ path: file() })).close();
    // Stands for such a file system, which takes root to make: SQLite answers SQLITE_CANTOPEN to both.
    await mkdir(`${file()}-wal`);
    const backend = createSqliteBackend({ path: file() });
    await expect(backend.open()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const access = jest
      .spyOn(fileSystem, 'access')
      .mockRejectedValue(Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' }));
    try {
      await expect(backend.open()).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
      expect(access).toHaveBeenCalledWith(file(), fileSystem.constants.W_OK);
    } finally {
      access.mockRestore();
    }
    await rm(`${file()}-wal`, { recursive: true });
    await backend.open();
    await backend.close();
  });

  it('refuses tables of a newer release, and changes nothing', async () => {
    await (await opened({ path: file() })).close();
    const newer = new Database(file());
    newer.exec('UPDATE recap_layout SET version = 2');
    newer.close();
    const before = await readFile(file());
    await expect(createSqliteBackend({ path: file() }).open()).rejects.toMatchObject({
      code: 'DATABASE_UNSUPPORTED',
      message: expect.stringContaining('layout 2') as string,
    });
    expect(await readFile(file())).toEqual(before);
  });

  it('can be done by several at once on an empty file', async () => {
    const backends = await Promise.all(Array.from({ length: 4 }, () => opened({ path: file() })));
    await Promise.all(backends.map((backend, index) => backend.append(at('l'), [index])));
    expect(((await backends[0]?.range(at('l'))) ?? []).sort()).toEqual([0, 1, 2, 3]);
    await Promise.all(backends.map((backend) => backend.close()));
  });

  it.each(['', ' ', ' a.db', 'a.db ', 'a\0b.db'])('refuses the path %j', (path) => {
    expect(() => createSqliteBackend({ path })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error,
    );
  });

  it('wants either a path or a client', () => {
    const client = new Database(':memory:');
    for (const options of [{}, { path: 'a.db', client }])
      expect(() => createSqliteBackend(options)).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error,
      );
    client.close();
  });

  it('in memory begins with nothing each time', async () => {
    const [one, other] = [await opened({ path: ':memory:' }), await opened({ path: ':memory:' })];
    await one.set(at('k'), 1);
    expect(await other.get(at('k'))).toBe(undefined);
    await one.close();
    await other.close();
  });
});

describe('a database that was handed in', () => {
  it('stays open and as it is, tables of its owner and all', async () => {
    const client = new Database(file());
    client.defaultSafeIntegers(true);
    client.exec('CREATE TABLE orders (id INTEGER); INSERT INTO orders VALUES (7)');
    const backend = await opened({ client });
    const expiresAt = Date.now() + 60_000;
    await backend.set(at('k'), 1, { expiresAt });
    await backend.append(at('l'), [1]);
    expect(await backend.get(at('k'))).toMatchObject({ value: 1, expiresAt });
    expect(await backend.length(at('l'))).toBe(1);
    await backend.close();
    expect(client.prepare('SELECT id FROM orders').all()).toEqual([{ id: 7n }]);
    expect(client.pragma('journal_mode', { simple: true })).toBe('delete');
    client.close();
  });

  it('is not written into the middle of a transaction of its owner', async () => {
    const client = new Database(file());
    const backend = await opened({ client });
    client.exec('BEGIN');
    const writing = backend.set(at('k'), 1);
    await new Promise((resolve) => setImmediate(resolve));
    client.exec('ROLLBACK');
    await writing;
    expect((await backend.get(at('k')))?.value).toBe(1);
    await backend.close();
    client.close();
  });

  it('is refused where it keeps text in another order than UTF-8 has', async () => {
    const client = new Database(':memory:');
    client.pragma("encoding = 'UTF-16le'");
    await expect(createSqliteBackend({ client }).open()).rejects.toMatchObject({
      code: 'DATABASE_UNSUPPORTED',
    });
    client.close();
  });
});

// Writes were acknowledged into a file that nobody would find again, and health was good.
describe('an SQLite file that is lost under a running program', () => {
  afterEach(() => jest.restoreAllMocks());

  const later = (): void => {
    const now = performance.now() + 1_000;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  };
  const removeAll = async (): Promise<void> => {
    for (const end of ['', '-wal', '-shm']) await rm(`${file()}${end}`);
  };

  it('takes no more writes once it was deleted, and answers no more reads', async () => {
    const backend = await opened({ path: file() });
    await backend.set(at('k'), 1);
    await removeAll();
    later();
    const error = { code: 'UNAVAILABLE', message: expect.stringContaining('was deleted') as string };
    for (const write of [
      () => backend.set(at('k'), 2),
      () => backend.append(at('l'), [1]),
      () => backend.batch([{ type: 'set', ...at('k'), value: 1 }]),
      () => backend.sweep(),
      () => backend.get(at('k')),
      () => backend.keys('p'),
    ])
      await expect(write()).rejects.toMatchObject(error);
    expect(await backend.health()).toMatchObject({ healthy: false, error });
    await backend.close();
  });

  it('is used again when the same file is back in the place of another', async () => {
    const backend = await opened({ path: file() });
    await backend.set(at('k'), 1);
    await rename(file(), `${file()}.kept`);
    await writeFile(file(), '');
    later();
    await expect(backend.set(at('k'), 2)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('was replaced') as string,
    });
    await rename(`${file()}.kept`, file());
    expect(await backend.get(at('k'))).toMatchObject({ value: 1 });
    await backend.set(at('k'), 2);
    await backend.close();
  });

  it('is found behind a symbolic link that leads elsewhere', async () => {
    const link = join(folder(), 'current.db');
    await symlink(file(), link);
    const backend = await opened({ path: link });
    await rm(link);
    await symlink(join(folder(), 'other.db'), link);
    await writeFile(join(folder(), 'other.db'), '');
    later();
    await expect(backend.set(at('k'), 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await backend.close();
  });

  it('is told, with a code and a text, when its log cannot be brought to it at the end', async () => {
    const told: unknown[] = [];
    const onError = (error: unknown, operation: string): void => void told.push([error, operation]);
    const backend = await opened({ path: file(), onError });
    await backend.set(at('k'), 'x'.repeat(300_000));
    await removeAll();
    await backend.close();
    const error = { code: 'UNAVAILABLE', message: expect.stringContaining(file()) as string };
    expect(told).toEqual([[expect.objectContaining(error), 'upkeep']]);
  });
});
