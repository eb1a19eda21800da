import { chownSync, constants, existsSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runCommand } from '../run-command.mjs';

/**
 * Whom a server runs as: whoever runs this, but not root, who runs it as the first of these users.
 *
 * @param {string[]} users such as the one that the server's package made
 * @returns {Promise<{ uid?: number, gid?: number } | { missing: string }>}
 */
export async function serverAccount(users) {
  if (process.getuid?.() !== 0) return {};
  const id = async (option, user) =>
    Number((await runCommand('id', [option, user], { quiet: true })).output || NaN);
  for (const user of users) {
    const [uid, gid] = [await id('-u', user), await id('-g', user)];
    if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid, gid };
  }
  return { missing: `it should not run as root, and there is no user ${users.join(' or ')} to run it as` };
}

/** A temporary folder that is the account's, where it can get to. */
export function makeServerFolder(prefix, { uid, gid }) {
  const parent = uid === undefined ? tmpdir() : [tmpdir(), '/tmp', '/var/tmp'].find(openToAll);
  const folder = mkdtempSync(join(parent ?? '/tmp', prefix));
  if (uid !== undefined) chownSync(folder, uid, gid);
  return folder;
}

function openToAll(folder) {
  for (let path = folder; ; path = dirname(path)) {
    if (!existsSync(path) || (statSync(path).mode & constants.S_IXOTH) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
