import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { postgresDatabase, Sqlite } from './rig/databases';
import { newFolders } from './rig/folders';
import { startFaultProxy } from './rig/fault-proxy';
import { startHost } from './rig/start-host';
import { until } from './rig/until';

const newFolder = newFolders();
const newDatabase = (): string => join(newFolder(), 'recap.db');

function startProgram(database: object, options: object) {
  return startHost({ database, options });
}

function pathsIn(path: string): string[] {
  const database = new Sqlite(path, { readonly: true });
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
  it('stores what a killed process spooled while the database could not be written to', async () => {
    const path = newDatabase();
    const first = await startProgram({ type: 'sqlite', path }, { durability: 'spooled' });
    await first.tell('ready');
    const other = new Sqlite(path);
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
    const path = newDatabase();
    const first = await startProgram({ type: 'sqlite', path }, { durability: 'spooled' });
    await first.tell('ready');
    const other = new Sqlite(path);
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
    const path = newDatabase();
    const first = await startProgram({ type: 'sqlite', path }, { durability: 'spooled' });
    await first.tell('ready');
    const other = new Sqlite(path);
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
    const path = newDatabase();
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
    const path = newDatabase();
    const program = await startProgram({ type: 'sqlite', path }, { maxQueuedExchanges: 10 });
    await program.tell('ready');
    const other = new Sqlite(path);
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
    const path = newDatabase();
    const program = await startProgram({ type: 'sqlite', path }, {});
    for (let index = 0; index < 5; index += 1) await program.post(`/echo/${index}`);
    expect(await program.tell('flush')).toMatchObject({ stored: 5, replayed: 0 });
    await expect(readdir(`${path}-spool`)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

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
      const database = await postgresDatabase(postgres, newFolder());
      const proxy = await startFaultProxy(database.url);
      try {
        const program = await startProgram(
          { type: 'postgres', url: proxy.url },
          { durability, spool: database.spool, maxQueuedExchanges: 5 },
        );
        await program.post('/echo/0');
        await program.tell('flush');
        await proxy.down();
        for (let index = 1; index < 40; index += 1) await program.post(`/echo/${index}`, body(index));
        const away = await program.tell('stats');
        expect(away).toMatchObject({ captured: 40, stored: 1, shed: {} });
        expect(away.spooled).toBeGreaterThanOrEqual(34);
        await proxy.up();
        const told = await until(
          'everything is stored',
          // One that began while the server was away may still fail.
          () => program.tell('flush'),
          ({ error }) => error === undefined,
        );
        expect(told).toMatchObject({ captured: 40, stored: 40, queued: 0, spooled: 0, shed: {} });
        await program.tell('close');
        const paths = await database.paths();
        expect(paths).toHaveLength(40);
        expect(new Set(paths).size).toBe(40);
      } finally {
        await proxy.close();
        await database.remove();
      }
    },
  );
});
