import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endRunningCommands, runCommand } from './run-command.mjs';

/*
 * npm run test:fidelity                      programs with and without Recap, compared byte for byte
 * npm run test:fidelity -- --sequences=50000 more random sequences of calls (default 2,000)
 * npm run test:fidelity -- --write-guide     writes the table of cases into docs/guides/fidelity.md
 * Other arguments are Jest's.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'recap-fidelity-'));
const report = join(scratch, 'figures.jsonl');
const given = process.argv.slice(2);
const sequences = given.find((arg) => arg.startsWith('--sequences='))?.slice('--sequences='.length);
const writesGuide = given.includes('--write-guide');
const jestArgs = given.filter((arg) => !arg.startsWith('--sequences=') && arg !== '--write-guide');

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, endRunningCommands);

const { code, seconds } = await runCommand(
  process.execPath,
  [join(root, 'node_modules/jest/bin/jest.js'), '--selectProjects', 'fidelity', ...jestArgs],
  {
    cwd: root,
    env: {
      FIDELITY_REPORT: report,
      ...(sequences !== undefined && { FIDELITY_SEQUENCES: sequences }),
      ...(writesGuide && { FIDELITY_WRITE_GUIDE: '1' }),
    },
  },
);
const figures = existsSync(report)
  ? readFileSync(report, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  : [];
const sum = (key) => figures.reduce((total, each) => total + (each[key] ?? 0), 0).toLocaleString('en');
console.log(`
fidelity (${seconds.toFixed(0)} s)
  cases                 ${sum('cases')}, each with and without Recap on every framework that has it: ${sum('comparisons')} comparisons
  differences           ${sum('differences')}
  sequences fuzzed      ${sum('sequences')}, of which differ: ${sum('sequencesThatDiffer')}
  broken recorders      ${sum('broken')}, of which found: ${sum('brokenFound')}
  fault points          ${sum('faultPoints')}, of which reached and harmless: ${sum('faultPointsHeld')}
`);
rmSync(scratch, { recursive: true, force: true });
process.exitCode = code;
