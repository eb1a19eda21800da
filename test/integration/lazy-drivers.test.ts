import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '../..');

/** Runs a program on the packages' sources, and gives which of some packages it has loaded at the end. */
function loadedBy(program: string, packages: readonly string[]): string[] {
  const code = `
    const { createStorageBackends, loadStorageConfig } = require('@recap/storage');
    (async () => {
      ${program}
      const folders = Object.keys(require.cache).map((path) => path.replaceAll('\\\\', '/'));
      const loaded = ${JSON.stringify(packages)}.filter((name) =>
        folders.some((path) => path.includes('/node_modules/' + name + '/')));
      console.log(JSON.stringify(loaded));
    })();`;
  const hook = join(root, 'test/docs/typescript-hook.cjs');
  const args = ['--conditions=recap-source', '--require', hook, '--eval', code];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as string[];
}

const DRIVERS = ['pg', 'better-sqlite3', 'ioredis', 'mongodb', 'yaml'];

describe('a program that uses memory alone', () => {
  const program = `
    const { manager, backends } = await createStorageBackends({ cache: { type: 'memory' }, database: { type: 'in-memory' } });
    await backends.cache.set('a', 1, 60);
    await backends.database.append('b', 2);
    await manager.healthCheck();
    await manager.validateConfig();
    await manager.disconnect();`;

  it('loads no driver, and no parser of configuration files', () => {
    expect(loadedBy(program, DRIVERS)).toEqual([]);
  });

  it('is found out when it loads one', () => {
    const used = `
      const { manager } = await createStorageBackends({ database: { type: 'sqlite', path: ':memory:' } });
      await manager.disconnect();`;
    expect(loadedBy(used, DRIVERS)).toEqual(['better-sqlite3']);
  });

  it('ends by itself, connected or not', () => {
    const open = program.replace('await manager.disconnect();', '');
    expect(loadedBy(open, DRIVERS)).toEqual([]);
  });
});
