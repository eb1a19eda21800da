import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runCommand } from './run-command.mjs';

let listsAreFresh = false;

/** The first of these programs that is on the PATH or in one of the extra folders. */
export function findProgram(name, extraFolders = []) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...extraFolders];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/**
 * Installs packages of Debian or a relative of it, if this machine and this user allow it.
 *
 * @param {string[]} packages
 * @returns {Promise<string | undefined>} why it was not possible, or nothing when they are installed.
 */
export async function installDebianPackages(packages) {
  const aptGet = findProgram('apt-get');
  if (!aptGet) return 'there is no apt-get on this machine';
  const prefix = await rootPrefix();
  if (!prefix) return 'installing it needs root or sudo without a password';

  const apt = (...args) => {
    const [command, ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', aptGet, ...args];
    return runCommand(command, rest, { quiet: true, limitMinutes: 10, stillDoing: `apt-get ${args[0]}` });
  };
  console.log(`  apt-get install ${packages.join(' ')} (about a minute) …`);
  if (!listsAreFresh) {
    const update = await apt('update');
    if (update.code !== 0) return `apt-get update failed: ${lastLine(update.output)}`;
    listsAreFresh = true;
  }
  const install = await apt('install', '-y', '--no-install-recommends', ...packages);
  return install.code === 0 ? undefined : `apt-get install failed: ${lastLine(install.output)}`;
}

async function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  const sudo = findProgram('sudo');
  if (!sudo) return undefined;
  const allowed = await runCommand(sudo, ['-n', 'true'], { quiet: true, limitMinutes: 1 });
  return allowed.code === 0 ? [sudo, '-n'] : undefined;
}

function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? '';
}
