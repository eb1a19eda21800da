import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createStorageBackends, loadStorageConfig } from '@recap/storage';
import { blocksOf, firstCells, root } from './markdown-blocks';

const GUIDE = 'docs/guides/choose-and-change-a-backend.md';
const REFERENCE = 'docs/reference/recap-storage.md';
const program = join(root, 'packages/storage/dist/cli/recap-storage.js');

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recap-commands-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { cwd: folder });
  return stdout;
}

const block = (predicate: (one: ReturnType<typeof blocksOf>[number]) => boolean): string =>
  blocksOf(GUIDE).find(predicate)?.code ?? '';

/** Runs the lines of a block of the guide. They hold nothing that only a shell could read. */
async function runLines(name: string): Promise<string> {
  const lines = block(({ language, info }) => language === 'sh' && info === name)
    .trim()
    .split('\n');
  let output = '';
  for (const line of lines) {
    expect(line).toMatch(/^npx recap-storage [\w .#:-]+$/);
    output += await run(...line.split(' ').slice(2));
  }
  return output;
}

async function database(file: string) {
  const { database: config } = await loadStorageConfig(join(folder, file));
  const placed = { ...config, path: join(folder, (config as { path: string }).path) };
  return await createStorageBackends({ database: placed as NonNullable<typeof config> });
}

describe('the guide to choosing and changing a backend', () => {
  it('moves data by its commands, saves it and brings it back', async () => {
    for (const name of ['old.yml', 'new.yml']) {
      const text = block(({ language, code }) => language === 'yaml' && code.startsWith(`# ${name}`));
      await writeFile(join(folder, name), text);
    }
    const old = await database('old.yml');
    await old.backends.database.set('user:1', { name: 'Ada' });
    await old.backends.database.set('user:2', { name: 'Grace' });
    for (const text of ['one', 'two', 'three']) await old.backends.database.append('messages:1', text);
    await old.manager.disconnect();

    const printed = block(({ language, code }) => language === 'text' && code.startsWith('Copied'));
    const output = await runLines('copy');
    expect(output.replace(/[0-9a-f]{64}/, '…')).toBe(printed);
    const moved = await database('new.yml');
    expect(await moved.backends.database.get('user:1')).toEqual({ name: 'Ada' });
    expect(await moved.backends.database.getRange('messages:1', 0, -1)).toEqual(['one', 'two', 'three']);
    await moved.manager.disconnect();

    expect(await runLines('backup')).toMatch(/^Wrote 2 values[^]*Restored 2 values[^]*Read 2 values/);
  });
});

describe('recap-storage', () => {
  it.each([['--help'], ['stats', 'sqlite:none.db'], ['stats', 'sqlite:none.db', '--json']])(
    'ends in order when nobody reads what it writes: %j',
    async (...args) => {
      const child = spawn(process.execPath, [program, ...args.filter(Boolean)], { cwd: folder });
      child.stdout.destroy();
      let errors = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        errors += text;
      });
      const [code] = (await once(child, 'close')) as [number];
      expect(errors).not.toContain('EPIPE');
      expect(code).toBe(args[0] === '--help' ? 0 : 1);
    },
  );
});

describe('the reference of recap-storage', () => {
  const commands = ['copy', 'backup', 'restore', 'check', 'stats', 'reshard'];

  it('names its commands and their arguments', async () => {
    const help = await Promise.all(commands.map((name) => run(name, '--help')));
    const usages = help.map((text) => /Usage: recap-storage (\w+) \[options\] (.*)/.exec(text)!);
    expect(firstCells(REFERENCE, 'Commands')).toEqual(usages.map(([, name, rest]) => `${name} ${rest}`));
    const all = [...(await run('--help')).matchAll(/^ {2}(\w+) \[options\]/gm)].map(([, name]) => name);
    expect(all).toEqual(commands);
  });

  it('names their options', async () => {
    const options = new Set<string>();
    for (const name of commands)
      for (const [, option] of (await run(name, '--help')).matchAll(/^ {2}(--[\w-]+(?: <\w+>)?) /gm))
        options.add(option!);
    expect(firstCells(REFERENCE, 'Options').sort()).toEqual([...options].sort());
  });
});
