import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

// npm run bench [-- --rounds=5 --seconds=3 --sizes=1024,10240]
const { built } = await setUp({ build: true });
if (!built) process.exit(1);
const bench = fileURLToPath(new URL('../test/bench/run.mjs', import.meta.url));
const { status } = spawnSync(process.execPath, [bench, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
