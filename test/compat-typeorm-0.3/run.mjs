import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packPackages, unpackInto } from '../../scripts/pack-packages.mjs';
import { endRunningCommands, runCommand } from '../../scripts/run-command.mjs';
import { installPackages } from '../../scripts/setup.mjs';

/*
 * Runs this folder's tests against the packed packages, with the TypeORM and the driver of this folder's own
 * lockfile. Arguments go to Jest, which is the root's. Ends with 75 when this machine cannot install the driver.
 */

const folder = fileURLToPath(new URL('.', import.meta.url));
const jest = fileURLToPath(new URL('../../node_modules/jest/bin/jest.js', import.meta.url));

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, endRunningCommands);

const problem = await installPackages(
  folder,
  'TypeORM 0.3 and sqlite3',
  '1 to 2 minutes, most of it compiling SQLite',
);
if (problem !== undefined) {
  console.error(problem);
  process.exit(75);
}

const scratch = mkdtempSync(join(tmpdir(), 'recap-compat-'));
try {
  rmSync(join(folder, 'node_modules/@recap'), { recursive: true, force: true });
  await unpackInto(join(folder, 'node_modules'), await packPackages(scratch));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

const args = [jest, '--config', join(folder, 'jest.config.cjs'), ...process.argv.slice(2)];
const { code } = await runCommand(process.execPath, args, { cwd: folder });
process.exitCode = code;
