import { copyFile, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { createSqliteBackend, type Backend } from '@recap/storage';
import { runCli } from '../../src/cli/run-cli';

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
