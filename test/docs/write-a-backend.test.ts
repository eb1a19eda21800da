import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blocksOf, root } from './markdown-blocks';

const programs = blocksOf('docs/guides/write-a-backend.md').map(({ code }) => code);

const programWith = (text: string): string => {
  const found = programs.filter((code) => code.includes(text));
  if (found.length !== 1) throw new Error(`${found.length} programs of the page say ${text}.`);
  return found[0]!;
};

describe("the programs in the guide to backends of one's own", () => {
  const folder = mkdtempSync(join(tmpdir(), 'recap-docs-'));
  beforeAll(() => symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules')));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (name: string, code: string, ...flags: string[]) => {
    writeFileSync(join(folder, name), code);
    const hook = join(root, 'test/docs/typescript-hook.cjs');
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--conditions=recap-source', '--require', hook, ...flags, name],
      { cwd: folder, encoding: 'utf8', timeout: 60_000 },
    );
    return { stdout, stderr };
  };

  it('use it by configuration and as a role', () => {
    const [head, ...body] = programWith("type: 'custom'").split('\n\n');
    const code = `${head}\n(async () => {\n${body.join('\n')}\n})();\n`;
    expect(run('use.ts', code)).toEqual({ stdout: "[ 'Hello' ]\nHello\n", stderr: '' });
  });

  it('test it on node:test, which tells what was skipped', () => {
    writeFileSync(join(folder, 'table.ts'), programWith('class TableDriver'));
    const code = programWith("from 'node:test'")
      .replace(
        "import { createMemoryBackend } from '@recap/storage'",
        "import { createTableBackend } from './table'",
      )
      .replace('createMemoryBackend(', 'createTableBackend(')
      .replace('{ framework', '{ modelRuns: 2, framework');
    const { stdout } = run('suite.test.ts', code, '--test-reporter=tap');
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(stdout).toMatch(/^# skipped [1-9]\d$/m);
    expect(stdout).toMatch(/shares what is written with another instance .* # SKIP/);
    expect(stdout).toMatch(/apply all writes of a partition .* # SKIP/);
  });
});
