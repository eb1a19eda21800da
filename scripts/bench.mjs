import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findProgram, installDebianPackages } from './debian.mjs';
import { setUp } from './setup.mjs';

// npm run bench [-- --rounds=5 --seconds=3 --sizes=1024,10240]
// npm run bench -- --stretches [--rows=300000]
const { built } = await setUp({ build: true });
if (!built) process.exit(1);
const isOfStretches = process.argv.includes('--stretches');
if (!isOfStretches && !findProgram('wrk')) {
  const problem = await installDebianPackages(['wrk']);
  if (problem)
    console.log(
      `wrk is not here (${problem}): autocannon makes the load, and takes a core from the programs.`,
    );
}
const bench = fileURLToPath(
  new URL(isOfStretches ? '../test/bench/stretches.mjs' : '../test/bench/run.mjs', import.meta.url),
);
const { status } = spawnSync(process.execPath, [bench, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
