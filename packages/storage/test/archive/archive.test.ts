import { execFile } from 'node:child_process';
import { constants, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { backupStorage, createMemoryBackend, restoreStorage, type Backend } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';

let clock: FakeClock;
let folder: string;
let source: Backend;
let target: Backend;

async function memory(): Promise<Backend> {
  const backend = createMemoryBackend({ clock, sweepIntervalMs: 0 });
  await backend.open();
  return backend;
}

beforeEach(async () => {
  clock = new FakeClock();
  folder = await mkdtemp(join(tmpdir(), 'recap-archive-'));
  [source, target] = [await memory(), await memory()];
  await source.set({ partition: 'p', key: 'json' }, { a: [1, null, '😀\0\n'] });
  await source.set({ partition: 'p', key: 'bytes' }, new Uint8Array([0, 255, 10, 13]));
  await source.set({ partition: 'p', key: 'bytes-like' }, { bytes: 'AAAA' });
  await source.set({ partition: 'q\0\n', key: '../x' }, 'y', {
    expiresAt: clock.now() + 1_000,
    version: 'v',
  });
  await source.append({ partition: 'q\0\n', key: 'list' }, [1, new Uint8Array([9]), { json: 1 }, null]);
  await source.append(
    { partition: 'r', key: 'long' },
    Array.from({ length: 300 }, (_, index) => index),
  );
});
afterEach(async () => {
  await Promise.all([source.close(), target.close()]);
  await rm(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);
const restore = (path: string) => restoreStorage(path, target, { clock });

describe.each(['a.ndjson', 'a.ndjson.gz'])('the archive %s', (name) => {
  it('brings back everything', async () => {
    const backup = await backupStorage(source, at(name), { clock });
    expect(backup).toMatchObject({ values: 4, lists: 2, elements: 304 });
    const result = await restore(at(name));
    expect(result).toMatchObject({ values: 4, lists: 2, elements: 304, digest: backup.digest });
    const again = await backupStorage(target, at('again.ndjson'), { clock });
    expect(again).toEqual(backup);
    for (const partition of ['p', 'q\0\n', 'r'])
      expect(await target.scan(partition)).toEqual(await source.scan(partition));
  });

  it('is only for its owner, and alone in its folder', async () => {
    await backupStorage(source, at(name), { clock });
    expect((await stat(at(name))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual([name]);
  });

  it('is refused when it is cut off anywhere', async () => {
    await backupStorage(source, at(name), { clock });
    const whole = await readFile(at(name));
    const cut = [whole.subarray(0, -1)];
    for (let length = 0; length < whole.length; length += Math.max(1, Math.floor(whole.length / 100)))
      cut.push(whole.subarray(0, length));
    await expectAllRefused(cut);
  });

  it('is refused with any bit flipped, and what is refused is not restored', async () => {
    await backupStorage(source, at(name), { clock });
    const whole = await readFile(at(name));
    const damaged: Uint8Array[] = [];
    for (let at = 0; at < whole.length; at += Math.max(1, Math.floor(whole.length / 150))) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 1 << (at % 8);
      if (!isTheSame(flipped, whole)) damaged.push(flipped);
    }
    await expectAllRefused(damaged);
  });

  /** The head of a compressed file, and the bits that fill its last byte, say nothing of what is in it. */
  function isTheSame(flipped: Buffer, whole: Buffer): boolean {
    if (!name.endsWith('.gz')) return false;
    try {
      return gunzipSync(flipped).equals(gunzipSync(whole));
    } catch {
      return false;
    }
  }

  /** Some at a time: nearly all of it is waiting for the file system. */
  async function expectAllRefused(contents: readonly Uint8Array[]): Promise<void> {
    expect(contents.length).toBeGreaterThan(99);
    const waiting = [...contents.entries()];
    const refuseSome = async (): Promise<void> => {
      for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
        const damaged = at(`damaged-${one[0]}-${name}`);
        writeFileSync(damaged, one[1]);
        await expect(restore(damaged)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
        expect((await target.stats()).items).toBe(0);
      }
    };
    await Promise.all(Array.from({ length: 16 }, refuseSome));
  }
});

describe('an archive', () => {
  const lines = async (): Promise<string[]> => {
    await backupStorage(source, at('a.ndjson'), { clock, overwrite: true });
    return (await readFile(at('a.ndjson'), 'utf8')).trimEnd().split('\n');
  };
  const refusal = async (changed: readonly string[]): Promise<string> => {
    await writeFile(at('b.ndjson'), changed.map((line) => `${line}\n`).join(''));
    const error: unknown = await restore(at('b.ndjson')).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'ARCHIVE_INVALID' });
    expect((await target.stats()).items).toBe(0);
    return (error as Error).message;
  };

  it('is refused with a line left out, doubled, moved, added or from another archive, and names the line', async () => {
    const all = await lines();
    await source.set({ partition: 'a', key: 'new' }, 1);
    const others = await lines();
    for (let index = 0; index < all.length; index += 1) {
      const without = all.filter((_, at) => at !== index);
      const doubled = all.flatMap((line, at) => (at === index ? [line, line] : [line]));
      if (index < all.length - 1) {
        expect(await refusal(without)).toContain(`line ${index + 1}`);
        const moved = [...without.slice(0, index + 1), all[index]!, ...without.slice(index + 1)];
        expect(await refusal(moved)).toContain(`line ${index + 1}`);
      } else expect(await refusal(without)).toContain(`after line ${index}`);
      expect(await refusal(doubled)).toContain(`line ${index + 2}`);
      const mixed = all.map((line, at) => (at === index ? others[index]! : line));
      if (index > 0) expect(await refusal(mixed)).toMatch(/line \d+/);
    }
    expect(await refusal([...all, all[1]!])).toContain(`line ${all.length + 1}`);
    expect(await refusal([])).toContain('is empty');
    expect(await refusal(['{"some":"json"}'])).toContain('no archive');
  });

  it('holds one record on each line, as JSON', async () => {
    const [header, ...records] = (await lines()).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(header).toMatchObject({ recapArchive: 1, source: 'memory' });
    expect(records).toContainEqual(
      expect.objectContaining({ partition: 'p', key: 'bytes', bytes: 'AP8KDQ==' }),
    );
    expect(records).toContainEqual(
      expect.objectContaining({ key: 'json', json: { a: [1, null, '😀\0\n'] } }),
    );
    expect(records.at(-1)).toMatchObject({ end: true, values: 4, lists: 2 });
  });

  it('is compressed by its name', async () => {
    await backupStorage(source, at('a.gz'), { clock });
    expect(gunzipSync(await readFile(at('a.gz'))).toString()).toContain('"recapArchive":1');
  });

  it('is known by what it holds, whatever its name says', async () => {
    await backupStorage(source, at('a.ndjson'), { clock });
    await backupStorage(source, at('b.gz'), { clock });
    await rename(at('a.ndjson'), at('a.gz'));
    await rename(at('b.gz'), at('b.ndjson'));
    expect(await restore(at('a.gz'))).toMatchObject({ values: 4, lists: 2 });
    const again = { clock, existing: 'overwrite' } as const;
    expect(await restoreStorage(at('b.ndjson'), target, again)).toMatchObject({ values: 4, lists: 2 });
  });

  it.each<[string, Buffer, string]>([
    ['is empty', Buffer.alloc(0), 'is empty'],
    ['is text', Buffer.from('text\n'), 'is no archive of Recap, or its line 1 is damaged or cut off'],
    [
      'is text without an end',
      Buffer.from('text'),
      'is no archive of Recap, or its line 1 is damaged or cut off',
    ],
    ['is compressed text', gzipSync('text\n'), 'is no archive of Recap, or its line 1 is damaged or cut off'],
    [
      'is compressed and cut',
      gzipSync('text\n').subarray(0, 12),
      'is no archive of Recap, or its line 1 is damaged or cut off',
    ],
    [
      'is no text',
      Buffer.from([0xff, 0xfe, 10]),
      'is no archive of Recap, or its line 1 is damaged or cut off',
    ],
  ])('that %s is refused in words alone', async (_what, bytes, why) => {
    await writeFile(at('x'), bytes);
    await expect(restore(at('x'))).rejects.toMatchObject({
      ...{ code: 'ARCHIVE_INVALID', message: `The archive ${at('x')} ${why}. Nothing of it is used.` },
    });
  });

  it.each(['a', 'a.gz'])('that is cut off in %s says after which line', async (name) => {
    await backupStorage(source, at(name), { clock });
    const whole = await readFile(at(name));
    await writeFile(at(name), whole.subarray(0, -1 - (name === 'a' ? 0 : 8)));
    await expect(restore(at(name))).rejects.toThrow(
      /^The archive \S+ is cut off after line [1-9]\d*\. Nothing/,
    );
  });

  it('is closed when it was refused, or its reading was ended', async () => {
    const files = (): string[] =>
      readdirSync('/proc/self/fd').flatMap((name) => {
        try {
          return readlinkSync(`/proc/self/fd/${name}`).startsWith(folder) ? [name] : [];
        } catch (error) {
          // The folder itself was open while it was listed.
          expect(error).toMatchObject({ code: 'ENOENT' });
          return [];
        }
      });
    // Only there can it be seen.
    if (process.platform !== 'linux') return;
    for (const name of ['a', 'a.gz']) {
      await backupStorage(source, at(name), { clock });
      await target.set({ partition: 'p', key: 'mine' }, 1);
      await expect(restore(at(name))).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
      const reads = { throwIfAborted: () => expect(++calls).toBeLessThan(3) } as unknown as AbortSignal;
      let calls = 0;
      await expect(restoreStorage(at(name), target, { clock, signal: reads })).rejects.toThrow();
      const whole = await readFile(at(name));
      await writeFile(at('cut'), whole.subarray(0, -10));
      await expect(restore(at('cut'))).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
    }
    expect(files()).toEqual([]);
  });

  it.each(['EINVAL', 'EIO'])(
    'is written where folders are synced with %s, unless that is a failure',
    async (code) => {
      const handle = await open(folder);
      const failing = Object.assign(new Error(code), { code });
      // No other handle is synced: files are by their streams.
      const sync = jest
        .spyOn(Object.getPrototypeOf(handle) as typeof handle, 'sync')
        .mockRejectedValue(failing);
      await handle.close();
      const written = backupStorage(source, at('a'), { clock });
      if (code === 'EIO') await expect(written).rejects.toMatchObject({ code });
      else await written;
      expect(sync).toHaveBeenCalledTimes(1);
      sync.mockRestore();
      await restore(at('a'));
    },
  );

  it('that is a pipe is said to be one', async () => {
    await promisify(execFile)('mkfifo', [at('pipe')]);
    // Its other end is open as long as it takes.
    const end = await open(at('pipe'), constants.O_RDWR);
    await expect(restore(at('pipe'))).rejects.toThrow('is a pipe, and an archive is read twice');
    await end.close();
  });

  it('that is a folder is said to be one', async () => {
    await expect(restore(folder)).rejects.toThrow('is a folder. Nothing');
  });

  it('does not replace another unless asked to', async () => {
    await writeFile(at('a'), 'mine');
    await expect(backupStorage(source, at('a'))).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
    expect(await readFile(at('a'), 'utf8')).toBe('mine');
    await backupStorage(source, at('a'), { clock, overwrite: true });
    await restore(at('a'));
  });

  it('is written by one of several at the same time; the others are told that there is one', async () => {
    const name = at('a.gz');
    const all = await Promise.allSettled([1, 2, 3].map(() => backupStorage(source, name, { clock })));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const each of all)
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'TARGET_NOT_EMPTY' });
    expect(await readdir(folder)).toEqual(['a.gz']);
    expect((await stat(name)).nlink).toBe(1);
    await restore(name);
  });

  it('takes no link that leads nowhere for a free name', async () => {
    await symlink(at('nowhere'), at('a'));
    await expect(backupStorage(source, at('a'), { clock })).rejects.toMatchObject({
      code: 'TARGET_NOT_EMPTY',
    });
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('is not there when its source fails, and leaves what was there', async () => {
    await writeFile(at('a'), 'mine');
    const failing = new Proxy(source, {
      get: (backend, name) => {
        const method: unknown = Reflect.get(backend, name, backend);
        if (typeof method !== 'function') return method;
        return name === 'range' ? () => Promise.reject(new Error('cut')) : (method.bind(backend) as unknown);
      },
    });
    await expect(backupStorage(failing, at('a'), { clock, overwrite: true })).rejects.toThrow('cut');
    expect(await readdir(folder)).toEqual(['a']);
    expect(await readFile(at('a'), 'utf8')).toBe('mine');
  });

  it('is not there when it is ended by a signal', async () => {
    const abort = new AbortController();
    const onProgress = (): void => abort.abort(new Error('enough'));
    await expect(backupStorage(source, at('a'), { clock, onProgress, signal: abort.signal })).rejects.toThrow(
      'enough',
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves out what has expired since', async () => {
    await backupStorage(source, at('a'), { clock });
    clock.advance(1_000);
    expect(await restore(at('a'))).toMatchObject({ values: 3, expired: 1 });
  });

  it('is restored into what is there as a copy is', async () => {
    await target.set({ partition: 'p', key: 'json' }, 'mine');
    await backupStorage(source, at('a'), { clock });
    await expect(restore(at('a'))).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
    const options = { clock, existing: 'onlyMissing' } as const;
    expect(await restoreStorage(at('a'), target, options)).toMatchObject({ values: 3, lists: 2, kept: 1 });
    expect(await target.get({ partition: 'p', key: 'json' })).toMatchObject({ value: 'mine' });
  });

  it('is gone on with from a token, but not from that of another archive', async () => {
    await backupStorage(source, at('a'), { clock });
    const abort = new AbortController();
    let token = '';
    const onProgress = (progress: { token?: string }): void => {
      token = progress.token ?? token;
      abort.abort(new Error('enough'));
    };
    const cut = restoreStorage(at('a'), target, { clock, onProgress, signal: abort.signal });
    await expect(cut).rejects.toThrow('enough');
    expect(await restoreStorage(at('a'), target, { clock, resumeFrom: token })).toMatchObject({
      values: 4,
      lists: 2,
    });
    await source.set({ partition: 'p', key: 'new' }, 1);
    await backupStorage(source, at('b'), { clock });
    await expect(restoreStorage(at('b'), target, { clock, resumeFrom: token })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
    });
  });

  it('that is not there is said to be so', async () => {
    await expect(restore(at('nothing'))).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      message: expect.stringContaining('not there') as string,
    });
  });
});
