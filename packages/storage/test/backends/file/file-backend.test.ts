import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileBackend, type FileBackendOptions } from '../../../src/backends/file/file-backend';
import type { FileDamage } from '../../../src/backends/file/file-damage';
import { FakeClock } from '../../../src/testing/fake-clock';

let folder = '';
let damages: FileDamage[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recap-file-'));
  damages = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (key: string, partition = 'p') => ({ partition, key });

function make(options: Partial<FileBackendOptions> = {}) {
  return createFileBackend({
    ...{ path: join(folder, 'items'), enableSharding: false, sweepIntervalMs: 0 },
    onDamage: (damage) => damages.push(damage),
    ...options,
  });
}

async function open(options: Partial<FileBackendOptions> = {}) {
  const backend = make(options);
  await backend.open();
  return backend;
}

const read = (path: string): string => readFileSync(join(folder, 'items', path), 'utf8');
const list = (path: string): string[] => readdirSync(join(folder, 'items', path)).sort();

describe('the folder of a file backend', () => {
  it('holds a value as one JSON object that people can read, and a list as lines of them', async () => {
    const backend = await open({ newId: () => 'v1' });
    await backend.set(at('Order 7', 'orders'), { total: 3, note: 'déjà vu' }, { expiresAt: 4e12 });
    await backend.set(at('bytes'), Buffer.from('abc'));
    await backend.append(at('log'), ['a', { b: 1 }, Buffer.from('c')]);
    await backend.close();
    expect(list('values/000')).toEqual(['orders@^order%207.json', 'p@bytes.json', 'p@log.jsonl']);
    expect(JSON.parse(read('values/000/orders@^order%207.json'))).toMatchObject({
      ...{ partition: 'orders', key: 'Order 7', version: 'v1', expiresAt: 4e12 },
      value: { total: 3, note: 'déjà vu' },
    });
    expect(JSON.parse(read('values/000/p@bytes.json'))).toMatchObject({ base64: 'YWJj' });
    const lines = read('values/000/p@log.jsonl').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { partition: 'p', key: 'log' },
      { version: 'v1', values: ['a', { b: 1 }, 'Yw=='], base64: [2] },
      { length: 3 },
    ]);
  });

  it('has a journal only while something has not reached its file', async () => {
    const backend = await open();
    await backend.set(at('a'), 1);
    expect(list('journal')).toHaveLength(1);
    await backend.close();
    expect(list('journal')).toEqual([]);
  });

  it.each([
    [undefined, 0o600, 0o700],
    [0o640, 0o640, 0o750],
    [0o664, 0o664, 0o775],
  ])('of mode %p has files and folders for whom they shall be', async (fileMode, files, folders) => {
    const before = process.umask(0o077);
    try {
      const backend = await open(fileMode === undefined ? {} : { fileMode });
      await backend.set(at('a'), 1);
      await backend.close();
      const modeOf = (path: string): number => statSync(join(folder, 'items', path)).mode & 0o777;
      expect(modeOf('values/000/p@a.json')).toBe(files);
      expect(modeOf('recap.json')).toBe(files);
      for (const name of ['values', 'values/000', 'journal']) expect(modeOf(name)).toBe(folders);
    } finally {
      process.umask(before);
    }
  });

  it('is swept of what has expired, with its backups', async () => {
    const clock = new FakeClock();
    const backend = await open({ clock });
    await backend.set(at('a'), 1);
    await backend.close();
    const again = await open({ clock });
    await again.set(at('a'), 2, { expiresAt: clock.now() + 10 });
    await again.append(at('l'), [1], { expiresAt: clock.now() + 10 });
    clock.advance(10);
    expect(await again.sweep()).toBe(2);
    await again.close();
    expect([...list('values/000'), ...list('backups/000')]).toEqual([]);
  });

  it('is for two backends of one program, and refuses them different settings', async () => {
    const one = await open();
    const other = await open();
    await one.set(at('a'), 1);
    expect((await other.get(at('a')))?.value).toBe(1);
    await expect(open({ fileMode: 0o640 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await one.close();
    await other.set(at('a'), 2);
    await other.close();
  });

  it('is refused to another process while one has it, and given when that was killed', async () => {
    const program = `
      const { createFileBackend } = require(${JSON.stringify(join(__dirname, '../../../dist/backends/file/file-backend.js'))});
      createFileBackend({ path: process.argv[1], enableSharding: false }).open().then(() => console.log('open'));
      setInterval(() => undefined, 1_000);
    `;
    const child = spawn(process.execPath, ['-e', program, join(folder, 'items')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await expect(open()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(String(child.pid)) as string,
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const backend = await open();
    await backend.set(at('a'), 1);
    await backend.close();
  });
});

describe('a backup', () => {
  it('of each of the last states is kept, as many as shall be, and the newest sound one is restored', async () => {
    for (let count = 0; count < 5; count += 1) {
      const backend = await open({ backupCount: 2 });
      await backend.set(at('a'), `state ${count}`);
      await backend.close();
    }
    expect(list('backups/000')).toEqual(['p@a.0.json', 'p@a.1.json']);
    const older = ['p@a.0.json', 'p@a.1.json'].map(
      (name) => JSON.parse(read(`backups/000/${name}`)) as object,
    );
    expect(older).toMatchObject([{ value: 'state 2' }, { value: 'state 3' }]);
    writeFileSync(join(folder, 'items/values/000/p@a.json'), 'nonsense');
    const backend = await open({ backupCount: 2 });
    expect((await backend.get(at('a')))?.value).toBe('state 3');
    expect(damages).toEqual([
      {
        ...{ path: 'values/000/p@a.json', problem: 'is damaged', partition: 'p', key: 'a' },
        restoredFrom: 'backups/000/p@a.1.json',
      },
    ]);
    await backend.close();
    expect(JSON.parse(read('values/000/p@a.json'))).toMatchObject({ value: 'state 3' });
  });

  it('is not made where none shall be, and then a damaged file is an error until it is written again', async () => {
    for (const value of [1, 2]) {
      const backend = await open({ enableBackups: false });
      await backend.set(at('a'), value);
      await backend.set(at('b'), value);
      await backend.close();
    }
    expect(list('backups/000')).toEqual([]);
    writeFileSync(join(folder, 'items/values/000/p@a.json'), 'nonsense');
    const backend = await open({ enableBackups: false });
    for (const ask of [
      () => backend.get(at('a')),
      () => backend.scan('p'),
      () => backend.append(at('a'), [1]),
    ])
      await expect(ask()).rejects.toMatchObject({ code: 'CORRUPT' });
    expect((await backend.scan('p', { range: { gt: 'a' } })).items).toMatchObject([{ key: 'b', value: 2 }]);
    await backend.set(at('a'), 3);
    expect((await backend.scan('p')).items).toMatchObject([{ value: 3 }, { value: 2 }]);
    await backend.close();
    expect(damages).toHaveLength(1);
  });
});

describe('a list', () => {
  it('of many small appends becomes few lines, which still know an append that comes again', async () => {
    const backend = await open();
    const numbers = [...Array(700).keys()];
    await backend.batch(
      numbers.map((count) => ({ type: 'append', ...at('l'), values: [count], version: `v${count}` })),
    );
    await backend.close();
    const lines = (): number => read('values/000/p@l.jsonl').split('\n').length;
    expect(lines()).toBeGreaterThan(700);
    const again = await open();
    await again.append(at('l'), [700], { version: 'v700' });
    await again.close();
    expect(lines()).toBeLessThan(10);
    const last = await open();
    for (let count = 693; count <= 700; count += 1)
      expect(await last.append(at('l'), [count], { version: `v${count}` })).toBe(701);
    expect(await last.range(at('l'))).toEqual([...Array(701).keys()]);
    expect(await last.append(at('l'), ['new'])).toBe(702);
    await last.close();
  });

  it('is read whole while others append', async () => {
    const backend = await open();
    for (let count = 0; count < 50; count += 1) {
      const [found] = await Promise.all([backend.range(at('l')), backend.append(at('l'), [count])]);
      expect(found).toEqual([...Array(found.length).keys()]);
    }
    await backend.close();
    expect(damages).toEqual([]);
  });
});

describe('the path of a file backend', () => {
  it.each([
    ['is a file', 'plain', {}],
    ['is below a file', 'plain/items/more', {}],
    ['is a file and shall be there', 'plain', { createFolder: false }],
    ['is below a file and shall be there', 'plain/items', { createFolder: false }],
  ])('that %s is a mistake of the configuration', async (_what, path, options) => {
    writeFileSync(join(folder, 'plain'), 'mine');
    const backend = make({ ...options, path: join(folder, path) });
    await expect(backend.open()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('a file is where') as string,
    });
    expect(readFileSync(join(folder, 'plain'), 'utf8')).toBe('mine');
    expect(readdirSync(folder)).toEqual(['plain']);
  });
});

it.each([
  ['that shall be there and is not', 'nothing', { createFolder: false }],
  ['that is a link to nowhere', 'link', {}],
])('a folder %s is said to be missing', async (_what, path, options) => {
  symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
  await expect(make({ ...options, path: join(folder, path) }).open()).rejects.toMatchObject({
    ...{ code: 'UNAVAILABLE', message: expect.stringContaining('is not there') as string },
  });
  expect(readdirSync(folder)).toEqual(['link']);
});

describe('the options of a file backend', () => {
  it('are the same for all that share a folder, whoever opens it first', async () => {
    const four = createFileBackend({ path: folder, shardCount: 4 });
    const eight = createFileBackend({ path: folder, shardCount: 8 });
    const any = createFileBackend({ path: folder });
    const opened = await Promise.allSettled([four.open(), eight.open(), any.open()]);
    expect(opened.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    const refused = opened.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(refused.reason).toMatchObject({ code: 'CONFIG_INVALID' });
    await any.set({ partition: 'p', key: 'k' }, 1);
    await Promise.all([four, eight, any].map((backend) => backend.close()));
  });

  it.each([
    [{ path: '' }],
    [{ path: ' x' }],
    [{ path: 'a\0b' }],
    [{ shardCount: 0 }],
    [{ enableSharding: false, shardCount: 4 }],
    [{ backupCount: 0 }],
    [{ fileMode: 0o400 }],
    [{ fileMode: 0o611 }],
  ])('%p are refused', (options) => {
    expect(() => createFileBackend({ path: folder, ...options })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error,
    );
  });
});
