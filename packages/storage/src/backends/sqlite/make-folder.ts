import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, StorageError } from '../../errors';

/**
 * Makes a folder and those that it is in, for this user only. Not by `mkdir` with `recursive`, which never ends where
 * a folder is there and takes no others, as in `/proc` (seen of Node 20 on Linux).
 *
 * @throws {StorageError} `CONFIG_INVALID` where none can be made; other errors as they are
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let folder = path; !(await isMade(folder)); folder = dirname(folder)) {
    if (dirname(folder) === folder) throw cannotBeMade(folder);
    missing.push(folder);
  }
  for (const folder of missing.reverse()) if (!(await isMade(folder))) throw cannotBeMade(folder);
}

/** Whether it is there now; not, where the one that it is in is missing. */
async function isMade(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    // Also a file; what is to be opened within says so.
    if (errorCode(error) === 'EEXIST') return true;
    throw error;
  }
}

function cannotBeMade(folder: string): StorageError {
  return new StorageError(
    'CONFIG_INVALID',
    `The folder ${folder} cannot be made there. Choose another path.`,
  );
}
