import { copyFile, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { createSqliteBackend, type Backend } from '@recap/storage';
import { runCli } from '../../src/cli/run-cli';
import { placeOfEnd, readEnd } from '../../src/cli/storage-end';
import { CopyTally } from '../../src/copy/copy-counts';
import { writeToken } from '../../src/copy/resume-token';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recap-ends-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

interface Ended {
  readonly code: number;
  readonly result: Record<string, unknown>;
}

async function run(args: readonly string[], signal = new AbortController().signal): Promise<Ended> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const streams = { stdout, stderr };
  const code = await runCli({ args: [...args, '--json'], version: '1', streams, environment: {}, signal });
  return { code, result: JSON.parse(String(stdout.read())) as Record<string, unknown> };
}

async function withSqlite<T>(name: string, use: (backend: Backend) => Promise<T>): Promise<T> {
  const backend = createSqliteBackend({ path: at(name), sweepIntervalMs: 0 });
  await backend.open();
  try {
    return await use(backend);
  } finally {
    await backend.close();
  }
}

const fill = (name: string): Promise<void> =>
  withSqlite(name, async (backend) => {
    for (let key = 0; key < 3; key += 1) await backend.set({ partition: `recap:${key}`, key: 'k' }, key);
  });
const partitionsOf = (name: string) =>
  withSqlite(name, async (backend) => (await backend.partitions('')).items);

describe('recap-storage copy', () => {
  it('refuses a target within its source, by whatever path it is named, and writes nothing', async () => {
    await fill('a.db');
    await symlink(at('a.db'), at('link.db'));
    const before = await partitionsOf('a.db');
    for (const [target, prefix, policy] of [
      ['a.db', 'recap:old:', []],
      ['a.db', 'recap:', ['--overwrite']],
      ['./x/../a.db', 're', ['--overwrite']],
      ['link.db', 'recap:old:', ['--only-missing']],
    ] as const) {
      const ends = [`sqlite:${at('a.db')}`, `sqlite:${folder}/${target}`];
      const { code, result } = await run(['copy', ...ends, '--to-key-prefix', prefix, ...policy]);
      expect(code).toBe(1);
      expect(result).toMatchObject({ ok: false, error: { code: 'ARGUMENT_INVALID' } });
    }
    expect(await partitionsOf('a.db')).toEqual(before);
  });

  it('copies within one storage to a prefix beside the other', async () => {
    await fill('a.db');
    const ends = [`sqlite:${at('a.db')}`, `sqlite:${at('a.db')}`];
    expect(await run(['copy', ...ends, '--to-key-prefix', 'old:'])).toMatchObject({
      ...{ code: 0, result: { ok: true, values: 3 } },
    });
    expect(await partitionsOf('a.db')).toHaveLength(6);
  });

  it('goes on from no position of a copy between two others, though they hold the same', async () => {
    await withSqlite('a.db', async (backend) => {
      for (let key = 0; key < 1_200; key += 1)
        await backend.set({ partition: 'recap:p', key: `${key}` }, key);
    });
    const abort = new AbortController();
    // Told to end when the first position is asked for.
    const signal = new Proxy(abort.signal, {
      get: (target, name) => {
        if (name !== 'throwIfAborted') return Reflect.get(target, name, target) as unknown;
        return () => {
          calls += 1;
          if (calls > 700) throw new Error('enough');
        };
      },
    });
    let calls = 0;
    const token = ['--resume', at('token')];
    const { code } = await run(['copy', `sqlite:${at('a.db')}`, `sqlite:${at('b.db')}`, ...token], signal);
    expect(code).toBe(1);
    expect(await readFile(at('token'), 'utf8')).not.toContain(folder);
    await copyFile(at('a.db'), at('c.db'));
    await copyFile(at('b.db'), at('d.db'));
    for (const [from, to] of [
      ['c.db', 'd.db'],
      ['a.db', 'd.db'],
      ['c.db', 'b.db'],
    ] as const) {
      const { result } = await run(['copy', `sqlite:${at(from)}`, `sqlite:${at(to)}`, ...token]);
      expect(result).toMatchObject({ ok: false, error: { code: 'ARGUMENT_INVALID' } });
    }
    const { result } = await run(['copy', `sqlite:${at('a.db')}`, `sqlite:${at('b.db')}`, ...token]);
    expect(result).toMatchObject({ ok: true, values: 1_200 });
  });
});

describe('a target that is not there', () => {
  const refused = async (args: readonly string[], code: string): Promise<string> => {
    const before = (await readdir(folder)).sort();
    for (const to of [`sqlite:${at('new/new.db')}`, `file:${at('new/files')}`]) {
      const { code: exitCode, result } = await run(args.map((arg) => (arg === 'TO' ? to : arg)));
      expect(exitCode).toBeGreaterThan(0);
      expect(result).toMatchObject({ ok: false, error: { code } });
      expect((await readdir(folder)).sort()).toEqual(before);
      const { message } = result['error'] as { message: string };
      if (to.startsWith('file:')) return message;
    }
    throw new Error('nothing was refused');
  };

  it('is not made for an archive that is refused', async () => {
    await fill('a.db');
    await run(['backup', `sqlite:${at('a.db')}`, at('a.gz')]);
    const whole = await readFile(at('a.gz'));
    await writeFile(at('cut.gz'), whole.subarray(0, -9));
    await writeFile(at('other'), 'text\n');
    await writeFile(at('empty'), '');
    for (const name of ['cut.gz', 'other', 'empty', 'nothing'])
      await refused(['restore', at(name), 'TO'], 'ARCHIVE_INVALID');
    expect(
      await refused(['restore', at('a.gz'), 'TO', '--key-prefix', '\ud800'], 'CONFIG_INVALID'),
    ).toBeTruthy();
  });

  it('is not made for a source that is refused', async () => {
    await writeFile(at('text.db'), 'no database, whatever it is called');
    await refused(['copy', `sqlite:${at('nothing.db')}`, 'TO'], 'UNAVAILABLE');
    await refused(['copy', `file:${at('nothing')}`, 'TO'], 'UNAVAILABLE');
    await refused(['copy', `sqlite:${at('text.db')}`, 'TO'], 'CORRUPT');
    await refused(['copy', 'redis://127.0.0.1:1', 'TO'], 'UNAVAILABLE');
  });

  it('is not made to go on from a position', async () => {
    await fill('a.db');
    await run(['backup', `sqlite:${at('a.db')}`, at('a.gz')]);
    const commands = [
      ['copy', `sqlite:${at('a.db')}`, 'TO'],
      ['restore', at('a.gz'), 'TO'],
    ];
    for (const text of ['not a position', 'AAAA.0000', '\0\xff', 'x'.repeat(100_000)]) {
      await writeFile(at('token'), text);
      for (const command of commands) {
        const message = await refused([...command, '--resume', at('token')], 'ARGUMENT_INVALID');
        expect(message).toMatch(/^The position in .*token is none, or is damaged\. .*begin anew/);
      }
      expect(await readFile(at('token'), 'utf8')).toBe(text);
    }
    await writeFile(at('token'), writeToken(['sqlite', 'sqlite', '', ''], POINT));
    for (const command of commands)
      expect(await refused([...command, '--resume', at('token')], 'ARGUMENT_INVALID')).toMatch(
        /is of another copy/,
      );
  });

  it('is not made again where it is gone, and a position says how far it was', async () => {
    await fill('a.db');
    const source = placeOfEnd(await readEnd(`sqlite:${at('a.db')}`, undefined, {}), false);
    for (const to of [`sqlite:${at('gone.db')}`, `file:${at('gone')}`]) {
      const target = placeOfEnd(await readEnd(to, undefined, {}), false);
      const ends = [source.name, target.name, source.prefix, target.prefix];
      await writeFile(at('token'), writeToken(ends, POINT));
      const { result } = await run(['copy', `sqlite:${at('a.db')}`, to, '--resume', at('token')]);
      expect(result).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } });
      expect((await readdir(folder)).filter((name) => name.startsWith('gone'))).toEqual([]);
    }
  });
});

const POINT = { position: { partition: '0', key: 'k' }, counts: new CopyTally().counts, samples: [] };
