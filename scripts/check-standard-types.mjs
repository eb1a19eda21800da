import { fileURLToPath } from 'node:url';
import { runCommand } from './run-command.mjs';

/*
 * Checks the tests of standard decorators as a program with standard decorators would be. Our own sources, which
 * they import, are written for legacy ones; what tsc says about those here means nothing.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));

const { code, output } = await runCommand(process.execPath, [tsc, '-p', 'tsconfig.standard.json'], {
  cwd: root,
  quiet: true,
});
const problems = output.split('\n').filter((line) => /^error TS|\.standard\.test\.ts\(/.test(line));
for (const line of problems) console.error(line);
process.exitCode = problems.length > 0 || code === 127 ? 1 : 0;
