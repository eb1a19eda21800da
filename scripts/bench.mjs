import { fileURLToPath } from 'node:url';
import { peerFolders } from '../test/bench/options.mjs';
import { findProgram, installDebianPackages } from './debian.mjs';
import { endRunningCommands, runCommand } from './run-command.mjs';
import { installPackages, setUp } from './setup.mjs';

// npm run bench [-- --list]: what Recap costs, and what else there is to choose from
// npm run bench -- --stretches [--rows=300000]
// npm run bench -- --memory [--connections=10000 --readers=500 --mib=1024]
// npm run bench -- --codecs [--only=1024,10240]
// npm run bench -- --bytes [--exchanges=5000 --size=1200 --codec=zlib]
// npm run bench -- --storage [--quick] [--backends=memory,postgres] [--write]
const KINDS = {
  '--codecs': 'codecs.mjs',
  '--bytes': 'bytes.mjs',
  '--stretches': 'stretches.mjs',
  '--memory': 'memory.mjs',
  '--storage': 'storage/run.mjs',
};

const args = process.argv.slice(2);
const inBench = (path) => fileURLToPath(new URL(`../test/bench/${path}`, import.meta.url));

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, endRunningCommands);

const { built } = await setUp({ build: true });
if (!built) process.exit(1);
const kind = args.find((argument) => argument in KINDS);
if (kind === undefined) await prepareComparison();
if (kind === '--storage')
  await addPeers('storage-peers', '2 to 5 minutes, most of it compiling SQLite for one of them');
const { code } = await runCommand(process.execPath, [inBench(KINDS[kind] ?? 'run.mjs'), ...args]);
process.exitCode = code;

/** What cannot be had here is left out of the comparison, which says so. */
async function prepareComparison() {
  if (!findProgram('wrk')) {
    const problem = await installDebianPackages(['wrk']);
    if (problem)
      console.log(
        `wrk is not here (${problem}): autocannon makes the load, and takes a core from the programs.`,
      );
  }
  for (const folder of peerFolders(args)) await addPeers(folder, '1 to 2 minutes');
}

async function addPeers(folder, howLong) {
  const problem = await installPackages(inBench(folder), `test/bench/${folder}`, howLong);
  if (problem !== undefined) console.error(`${problem}\nIt is left out of the comparison.`);
}
