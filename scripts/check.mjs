import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endRunningCommands, runCommand } from './run-command.mjs';
import { setUp } from './setup.mjs';

/*
 * npm run check                       every static check; all of them run, even when one fails
 * npm run check -- --only=lint,types  some of them
 */

const root = fileURLToPath(new URL('..', import.meta.url));
// A checkout has no folder that is still empty.
const folders = ['packages', 'test', 'examples'].filter((name) => existsSync(join(root, name)));
const tool = (name) => join(root, 'node_modules/.bin', name);
const checks = {
  types: [tool('tsc'), ['-p', 'tsconfig.json']],
  'types-standard': [process.execPath, ['scripts/check-standard-types.mjs']],
  lint: [tool('eslint'), ['.', '--max-warnings=0']],
  format: [tool('prettier'), ['--check', '--log-level=warn', '.']],
  structure: [tool('depcruise'), ['--config', '.dependency-cruiser.cjs', ...folders]],
  unused: [tool('knip'), ['--no-config-hints']],
  packages: [process.execPath, ['scripts/check-packages.mjs']],
  lockfile: ['npm', ['ci', '--dry-run', '--ignore-scripts', '--no-audit', '--no-fund', '--silent']],
};

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, endRunningCommands);

const only = process.argv
  .find((arg) => arg.startsWith('--only='))
  ?.slice('--only='.length)
  .split(',');
const { built } = await setUp();
const failed = built ? [] : ['build'];
for (const [name, [command, args]] of Object.entries(checks)) {
  if (only && !only.includes(name)) continue;
  console.log(`\n── ${name}`);
  const { code, seconds } = await runCommand(command, args, { cwd: root, limitMinutes: 5 });
  console.log(`${code === 0 ? 'ok' : 'FAILED'} (${seconds.toFixed(1)} s)`);
  if (code !== 0) failed.push(name);
}
console.log(failed.length === 0 ? '\nAll checks pass.' : `\nFAILED: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
