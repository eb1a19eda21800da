import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { preparePackedFolder } from '../../scripts/packed-folder.mjs';
import { runCommand } from '../../scripts/run-command.mjs';

/*
 * node test/node-versions/run.mjs <major version> [arguments of Jest]
 * Runs tests on a newer Node than the one at hand: this folder's, on the packed packages; on the newest, some of the
 * sources' own as well; with RECAP_LONG=1, all of those that need no server. Ends with 75 when there is no such Node
 * for this machine.
 */

const [major, ...jestArgs] = process.argv.slice(2);
const folder = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

await preparePackedFolder(folder, 'newer versions of Node', 'about 15 seconds');
const { platform, arch } = process;
const node = join(folder, `node_modules/node-${major}-${platform}-${arch}/bin/node`);
if (!existsSync(node)) {
  console.error(`There is no Node ${major} for ${platform} on ${arch} in test/node-versions/package.json.`);
  process.exit(75);
}
const jest = join(root, 'node_modules/jest/bin/jest.js');
const args = [jest, '--config', join(folder, 'jest.config.cjs'), '--maxWorkers=2', ...jestArgs];
const { code } = await runCommand(node, args, { cwd: root });
process.exitCode = code;
