import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blocksOf, root } from './markdown-blocks';

describe('the program in the guide to SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'recap-docs-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('prints what it reads, twice the same', () => {
    const [block] = blocksOf('docs/guides/storage-sqlite.md').filter(({ language }) => language === 'ts');
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const [head, ...body] = block!.code.split('\n\n');
    writeFileSync(join(folder, 'program.ts'), `${head}\n(async () => {\n${body.join('\n')}\n})();\n`);
    const hook = join(root, 'test/docs/typescript-hook.cjs');
    const run = () =>
      spawnSync(process.execPath, ['--conditions=recap-source', '--require', hook, 'program.ts'], {
        cwd: folder,
        encoding: 'utf8',
        timeout: 60_000,
      });
    for (let runs = 0; runs < 2; runs += 1) {
      const { stdout, stderr } = run();
      expect(stderr).toBe('');
      expect(stdout).toBe("{ user: 'ann', visits: 1 }\n[ 'How are you?', 'Bye' ]\n1\n");
    }
  });
});
