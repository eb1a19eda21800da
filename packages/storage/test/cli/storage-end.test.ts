import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
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
