import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findProgram, installDebianPackages } from './debian.mjs';
import { setUp } from './setup.mjs';

// npm run bench [-- --rounds=5 --seconds=3 --sizes=1024,10240]
// npm run bench -- --stretches [--rows=300000]
// npm run bench -- --memory [--connections=10000 --readers=500 --mib=1024]
// npm run bench -- --codecs [--only=1024,10240]
// npm run bench -- --bytes [--exchanges=5000 --size=1200 --codec=zlib]
const KINDS = {
  '--codecs': 'codecs.mjs',
  '--bytes': 'bytes.mjs',
  '--stretches': 'stretches.mjs',
  '--memory': 'memory.mjs',
};

const { built } = await setUp({ build: true });
if (!built) process.exit(1);
const kind = process.argv.find((argument) => argument in KINDS);
if (kind === undefined && !findProgram('wrk')) {
  const problem = await installDebianPackages(['wrk']);
  if (problem)
    console.log(
      `wrk is not here (${problem}): autocannon makes the load, and takes a core from the programs.`,
    );
}
const file = KINDS[kind] ?? 'run.mjs';
const bench = fileURLToPath(new URL(`../test/bench/${file}`, import.meta.url));
const { status } = spawnSync(process.execPath, [bench, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
