import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { findProgram, installDebianPackages } from './debian.mjs';
import { runCommand } from './run-command.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const oldestNode = [20, 19];
const sqliteProbe = "const D = require('better-sqlite3'); new D(':memory:').prepare('select 1').get()";

/**
 * Makes a fresh checkout ready to run: right Node, npm packages as locked, SQLite's binary, built packages.
 * What is already in place costs well under a second. Ends the process when the checkout cannot be used at all.
 *
 * @param {{ build?: boolean }} [options]
 * @returns {Promise<{ built: boolean, sqlite: boolean }>} whether the packages compile and SQLite opens.
 */
export async function setUp(options = {}) {
  requireNode();
  const installed = await installPackages(
    root,
    'the npm packages',
    '2 to 4 minutes, most of it compiling SQLite',
  );
  if (installed !== undefined) {
    console.error(`\n${installed}`);
    process.exit(1);
  }
  const sqlite = await checkSqlite();
  const built = options.build === false ? false : await build();
  return { built, sqlite };
}

/**
 * Brings a folder's `node_modules` to what its lockfile says; does nothing when it is there already.
 *
 * @param {string} folder
 * @param {string} what as it is named to the person who waits
 * @param {string} howLong
 * @returns {Promise<string | undefined>} why it failed, or nothing.
 */
export async function installPackages(folder, what, howLong) {
  if (isInstalled(folder)) return undefined;
  const command = existsSync(join(folder, 'package-lock.json')) ? 'ci' : 'install';
  const install = () => {
    console.log(`Installing ${what}: npm ${command} (${howLong}) …`);
    return runCommand('npm', [command, '--no-fund', '--no-audit'], {
      cwd: folder,
      env: nodeHeaders(),
      limitMinutes: 15,
      stillDoing: 'still installing',
    });
  };
  let { code, seconds } = await install();
  if (code !== 0 && (await addCompiler())) ({ code, seconds } = await install());
  if (code === 127) return 'npm is not on the PATH. It comes with Node; install both and try again.';
  if (code !== 0) return `npm ${command} failed (its output is above); nothing can run without ${what}.`;
  console.log(`Installed in ${Math.round(seconds)} s.`);
  return undefined;
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestNode;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  console.error(
    `Recap needs Node ${oldestNode.join('.')} or newer; this is ${process.versions.node} (${process.execPath}).\n` +
      'Install a newer Node and run the same command again.',
  );
  process.exit(1);
}

/** npm writes `node_modules/.package-lock.json` last, so it is missing after an interrupted install. */
function isInstalled(folder) {
  const lock = join(folder, 'package-lock.json');
  const done = join(folder, 'node_modules/.package-lock.json');
  if (!existsSync(done)) return false;
  if (!existsSync(lock)) return true;
  const wanted = JSON.parse(readFileSync(lock, 'utf8')).packages;
  const present = JSON.parse(readFileSync(done, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, one]) =>
      path === '' ||
      present[path]?.version === one.version ||
      (present[path] === undefined && (one.optional === true || one.devOptional === true)),
  );
}

/** Headers that lie beside this Node spare a native build the download of the same ones. */
function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath));
  const beside = existsSync(join(prefix, 'include/node/node_version.h'));
  return beside && !process.env.npm_config_nodedir ? { npm_config_nodedir: prefix } : {};
}

async function checkSqlite() {
  if (await sqliteOpens()) return true;
  console.log(
    'SQLite (better-sqlite3) has no binary that this Node can open; building it (about 90 seconds) …',
  );
  await addCompiler();
  const rebuild = ['rebuild', 'better-sqlite3'];
  await runCommand('npm', rebuild, {
    cwd: root,
    env: nodeHeaders(),
    limitMinutes: 10,
    stillDoing: 'compiling',
  });
  if (await sqliteOpens()) return true;
  console.error(
    'SQLite still does not open, so everything that uses it will fail. The remedy:\n' +
      '  1. a C++ compiler and Python: apt-get install build-essential python3\n' +
      '  2. install scripts allowed: "allowScripts" in package.json names better-sqlite3; npm config get ignore-scripts says false\n' +
      '  3. npm rebuild better-sqlite3',
  );
  return false;
}

/** In a process of its own: a binary for another Node can crash rather than throw. */
async function sqliteOpens() {
  return (await runCommand(process.execPath, ['-e', sqliteProbe], { cwd: root, quiet: true })).code === 0;
}

/** @returns {Promise<boolean>} whether a compiler came, so that trying again makes sense. */
async function addCompiler() {
  const complete =
    ['make', 'python3'].every((name) => findProgram(name)) && (findProgram('g++') ?? findProgram('c++'));
  if (complete) return false;
  console.log('There is no complete C++ tool chain here, which SQLite needs to be compiled.');
  const problem = await installDebianPackages(['build-essential', 'python3']);
  if (problem) console.error(`It cannot be added: ${problem}.`);
  return problem === undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setUp();
