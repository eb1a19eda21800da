import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './run-command.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const packagesFolder = join(root, 'packages');

/** The folders of the packages that are published. */
export function packageFolders() {
  return readdirSync(packagesFolder)
    .map((name) => join(packagesFolder, name))
    .filter((folder) => existsSync(join(folder, 'package.json')));
}

/**
 * Compiles the packages whose sources are newer than their output (`tsc -b` decides), and removes output
 * whose source is gone, since it would be packed with the rest.
 *
 * @returns {Promise<boolean>} whether everything compiles.
 */
export async function build() {
  for (const folder of packageFolders()) removeLeftovers(folder);
  console.log('Building the packages (about 15 seconds when all is new) …');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { code, seconds } = await runCommand(process.execPath, [tsc, '-b', 'packages'], { cwd: root });
  if (code !== 0) {
    console.error('The packages do not compile: see the errors of tsc above.');
    return false;
  }
  console.log(`Built in ${seconds.toFixed(1)} s.`);
  return true;
}

/** Removes what builds leave behind. */
export function clean() {
  for (const folder of packageFolders()) {
    rmSync(join(folder, 'dist'), { recursive: true, force: true });
    rmSync(join(folder, 'tsconfig.tsbuildinfo'), { force: true });
  }
}

function removeLeftovers(folder) {
  const dist = join(folder, 'dist');
  const record = join(folder, 'tsconfig.tsbuildinfo');
  // tsc takes its record for the output: without the record gone too, it would build nothing.
  if (!existsSync(dist)) return rmSync(record, { force: true });
  for (const path of filesBelow(dist)) {
    const name = relative(dist, path).replace(/(\.d\.ts|\.js)(\.map)?$/, '');
    if (existsSync(join(folder, 'src', `${name}.ts`))) continue;
    rmSync(path);
    rmSync(record, { force: true });
  }
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--clean')) clean();
  else process.exitCode = (await build()) ? 0 : 1;
}
