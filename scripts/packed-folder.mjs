import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packPackages, unpackInto } from './pack-packages.mjs';
import { endRunningCommands } from './run-command.mjs';
import { installPackages } from './setup.mjs';

/**
 * Brings a folder of tests with a lockfile of its own to what that says, and puts the packages there as they would be
 * published. Ends the process with 75 when this machine cannot install them.
 *
 * @param {string} folder
 * @param {string} what as it is named to the person who waits
 * @param {string} howLong
 */
export async function preparePackedFolder(folder, what, howLong) {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, endRunningCommands);
  const problem = await installPackages(folder, what, howLong);
  if (problem !== undefined) {
    console.error(problem);
    process.exit(75);
  }
  const scratch = mkdtempSync(join(tmpdir(), 'recap-packed-'));
  try {
    rmSync(join(folder, 'node_modules/@recap'), { recursive: true, force: true });
    await unpackInto(join(folder, 'node_modules'), await packPackages(scratch));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
