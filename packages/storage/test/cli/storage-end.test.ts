import Database from 'better-sqlite3';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEnd, readEnd } from '../../src/cli/storage-end';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recap-end-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = async (path: string, hasToExist: boolean) =>
  openEnd(await readEnd(`file:${path}`, undefined, {}), hasToExist, {});

describe('a file that data is read from', () => {
  it.each(['of another program', 'of no program'])(
    'and that is %s is refused, and left as it is',
    async (whose) => {
      const path = join(folder, 'a.db');
      const other = new Database(path);
      if (whose === 'of another program') other.exec('CREATE TABLE theirs (id INTEGER)');
      other.close();
      await writeFile(path, '', { flag: 'a' });
      const before = await readFile(path);
      const end = await readEnd(`sqlite:${path}`, undefined, {});
      await expect(openEnd(end, true, {})).rejects.toMatchObject({
        ...{ code: 'UNAVAILABLE', message: expect.stringContaining('no tables') as string },
      });
      expect(await readdir(folder)).toEqual(['a.db']);
      expect((await readFile(path)).equals(before)).toBe(true);
    },
  );
});

describe('an end that is named', () => {
  it.each([
    ['memory:', 'is in memory'],
    ['sqlite::memory:', 'is in memory'],
    ['sqlite://:memory:', 'is in memory'],
    ['app.yml#cache', 'is in memory'],
    ['app.yml#database', 'is in memory'],
    ['sqlite:', 'names no path'],
    ['sqlite://', 'names no path'],
    ['file:', 'names no path'],
    ['FILE:', 'names no path'],
  ])('as %s is refused, since it %s', async (given, why) => {
    const config = 'cache: { type: memory }\ndatabase: { type: sqlite, path: ":memory:" }\n';
    await writeFile(join(folder, 'app.yml'), config);
    const named = given.startsWith('app') ? join(folder, given) : given;
    await expect(readEnd(named, undefined, {})).rejects.toMatchObject({
      ...{ code: 'CONFIG_INVALID', message: expect.stringContaining(why) as string },
    });
  });
});

describe('a folder that data is read from', () => {
  it.each(['that is of something else', 'that is a file', 'that is not there'])(
    '%s is refused, and nothing is made in it',
    async (what) => {
      const path = join(folder, 'plain');
      if (what === 'that is a file') await writeFile(path, 'text');
      if (what === 'that is of something else') {
        await mkdir(path);
        await writeFile(join(path, 'readme'), 'text');
      }
      await expect(open(path, true)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining(path) as string,
      });
      const left = (await readdir(folder, { recursive: true })).sort();
      expect(left).toEqual(
        { 'a file': ['plain'], 'not there': [] }[what.slice(8)] ?? ['plain', 'plain/readme'],
      );
    },
  );

  it('is opened when a backend has made it', async () => {
    const path = join(folder, 'items');
    for (const hasToExist of [false, true]) await (await open(path, hasToExist)).backend.close();
    expect(await readdir(path)).toContain('recap.json');
  });
});
