import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endRunningCommands, runCommand } from './run-command.mjs';

/*
 * The suite `faults` of scripts/test.mjs, which builds the packages and starts the server first: npm run test:faults
 * Arguments are Jest's.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'recap-faults-'));
const report = join(scratch, 'figures.jsonl');

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, endRunningCommands);

const { code, seconds } = await runCommand(
  process.execPath,
  // Most of the time is spent waiting for time-outs, of which two can run at once.
  [
    join(root, 'node_modules/jest/bin/jest.js'),
    '--selectProjects',
    'faults',
    '--maxWorkers=2',
    ...process.argv.slice(2),
  ],
  { cwd: root, env: { FAULTS_REPORT: report } },
);
const lines = existsSync(report) ? readFileSync(report, 'utf8').trim().split('\n') : [];
console.log(`\nfaults (${seconds.toFixed(0)} s)`);
for (const { title, figures } of lines.map((line) => JSON.parse(line)).sort(byTitle)) {
  const words = Object.entries(figures).map(([name, figure]) => `${name} ${figure.toLocaleString('en')}`);
  console.log(`  ${title.padEnd(52)} ${words.join(', ')}`);
}
rmSync(scratch, { recursive: true, force: true });
process.exitCode = code;

function byTitle(a, b) {
  return a.title.localeCompare(b.title);
}
