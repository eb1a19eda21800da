import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFolders } from './build.mjs';
import { packPackages } from './pack-packages.mjs';
import { runCommand } from './run-command.mjs';

/*
 * Checks what would be published: each package's exports map against its build, and its tarball with
 * publint and attw. Needs `npm run build` before.
 */

const bin = fileURLToPath(new URL('../node_modules/.bin/', import.meta.url));
/** Rooms whose index is for their own package only. */
const innerRooms = ['redaction', 'retention', 'spool', 'typeorm', 'worker'];
let failures = 0;

for (const folder of packageFolders()) compareExports(folder);

const scratch = mkdtempSync(join(tmpdir(), 'recap-packages-'));
try {
  for (const { name, tarball } of await packPackages(scratch)) {
    await show(`publint ${name}`, join(bin, 'publint'), [tarball, '--strict']);
    await show(`attw ${name}`, join(bin, 'attw'), [tarball, '--profile', 'node16', '--no-emoji']);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = failures > 0 ? 1 : 0;

/** Every subpath leads to files that exist, and every `index` of the build is a subpath or known as an inner one. */
function compareExports(folder) {
  const { name, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const named = new Set();
  for (const [subpath, target] of Object.entries(exports)) {
    const files = typeof target === 'string' ? [target] : Object.values(target);
    for (const file of files) {
      named.add(file);
      if (!existsSync(join(folder, file)))
        fail(`${name}: exports "${subpath}" names ${file}, which is not there.`);
    }
  }
  const dist = join(folder, 'dist');
  const built = existsSync(dist)
    ? readdirSync(dist, { recursive: true }).map((path) => join(dist, path))
    : [];
  for (const path of built.filter((one) => /[\\/]index\.js$/.test(one))) {
    const file = `./${relative(folder, path).replaceAll('\\', '/')}`;
    if (named.has(file) || innerRooms.some((room) => file === `./dist/${room}/index.js`)) continue;
    fail(
      `${name}: ${file} is built, but no subpath of "exports" names it, and it is not among the inner rooms.`,
    );
  }
}

async function show(title, command, args) {
  const { code, output } = await runCommand(command, args, { quiet: true, limitMinutes: 3 });
  if (code === 0) return console.log(`ok  ${title}`);
  fail(`${title}:\n${output}`);
}

function fail(text) {
  failures += 1;
  console.error(`FAILED  ${text}`);
}
