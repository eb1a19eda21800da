import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileBackend } from '../../../src/backends/file/file-backend';
import type { FileDamage } from '../../../src/backends/file/file-damage';
import { nameOf } from '../../../src/backends/file/file-names';

let folder = '';
let outside = '';
let damages: FileDamage[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recap-file-'));
  outside = join(folder, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
  damages = [];
});
afterEach(async () => {
  // Nothing outside was read into the store, changed, or made.
  expect(readdirSync(outside)).toEqual(['secret']);
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  await rm(folder, { recursive: true, force: true });
});

const at = (key: string) => ({ partition: 'p', key });
const items = (): string => join(folder, 'items');
const fileOf = (key: string): string => join(items(), 'values/000', `${nameOf(at(key))}.json`);

async function open() {
  const backend = createFileBackend({
    ...{ path: items(), enableSharding: false, sweepIntervalMs: 0 },
    onDamage: (damage) => damages.push(damage),
  });
  await backend.open();
  return backend;
}

async function filled() {
  const backend = await open();
  for (const key of ['a', 'b']) await backend.set(at(key), key);
  await backend.append(at('list'), [1]);
  await backend.close();
}

describe('a symbolic link within the folder', () => {
  it('in the place of a value is not read, is told, and is replaced by what is written', async () => {
    await filled();
    rmSync(fileOf('a'));
    symlinkSync(join(outside, 'secret'), fileOf('a'));
    const backend = await open();
    await expect(backend.get(at('a'))).rejects.toMatchObject({ code: 'CORRUPT' });
    expect((await backend.get(at('b')))?.value).toBe('b');
    expect(damages).toMatchObject([{ partition: 'p', key: 'a', problem: 'is a link, not a file' }]);
    await backend.set(at('a'), 'new');
    await backend.close();
    expect(statSync(fileOf('a')).isFile()).toBe(true);
  });

  it('that comes while the backend is open is not read either', async () => {
    await filled();
    const backend = await open();
    rmSync(fileOf('a'));
    symlinkSync(join(outside, 'secret'), fileOf('a'));
    await expect(backend.get(at('a'))).rejects.toMatchObject({ code: 'CORRUPT' });
    await backend.delete(at('a'));
    await backend.close();
    expect(existsSync(fileOf('a'))).toBe(false);
  });

  it('in the place of a file that is about to be made is not written through', async () => {
    await filled();
    const backend = await open();
    symlinkSync(join(outside, 'made'), `${fileOf('c')}.tmp`);
    symlinkSync(join(outside, 'made'), fileOf('d'));
    await backend.set(at('c'), 'c');
    await backend.set(at('d'), 'd');
    await backend.close();
    const again = await open();
    expect((await again.get(at('c')))?.value).toBe('c');
    expect((await again.get(at('d')))?.value).toBe('d');
    await again.close();
  });

  it('in the place of a part of the journal is not read, and is told', async () => {
    await filled();
    symlinkSync(join(outside, 'secret'), join(items(), 'journal/000000000099.jsonl'));
    const backend = await open();
    expect((await backend.get(at('a')))?.value).toBe('a');
    expect(damages).toMatchObject([
      {
        path: join('journal', '000000000099.jsonl'),
        problem: 'is a link, not a file: writes may be missing',
      },
    ]);
    await backend.close();
  });

  it.each(['values', 'values/000', 'backups', 'backups/000', 'journal', 'lock'])(
    'in the place of the folder %s is refused',
    async (name) => {
      await filled();
      renameSync(join(items(), name), join(folder, 'moved'));
      symlinkSync(outside, join(items(), name));
      await expect(open()).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    },
  );
});
