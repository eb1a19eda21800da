import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { preparePackedFolder } from '../../scripts/packed-folder.mjs';
import { runCommand } from '../../scripts/run-command.mjs';

/*
 * Runs this folder's tests against the packed packages, with the TypeORM and the driver of this folder's own
 * lockfile. Arguments go to Jest, which is the root's. Ends with 75 when this machine cannot install the driver.
 */

const folder = fileURLToPath(new URL('.', import.meta.url));
const jest = fileURLToPath(new URL('../../node_modules/jest/bin/jest.js', import.meta.url));

await preparePackedFolder(folder, 'TypeORM 0.3 and sqlite3', '1 to 2 minutes, most of it compiling SQLite');
const args = [jest, '--config', join(folder, 'jest.config.cjs'), ...process.argv.slice(2)];
const { code } = await runCommand(process.execPath, args, { cwd: folder });
process.exitCode = code;
