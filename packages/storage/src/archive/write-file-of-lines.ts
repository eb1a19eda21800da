import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { cannotSyncFolders } from '../backends/file/file-calls';
import { errorCode } from '../errors';

export interface WriteFileOptions {
  readonly overwrite: boolean;
  readonly check: (path: string) => Promise<void>;
}

/**
 * Writes lines, compressed when the name ends with `.gz`, to a file that only this user may read, and that is there with all of them or not at all.
 *
 * @param options.overwrite whether it takes the place of what has the name; else that is an error of the code `EEXIST`
 * @param options.check looks at the file before it gets its name
 */
export async function writeFileOfLines(
  path: string,
  lines: AsyncIterable<string>,
  { overwrite, check }: WriteFileOptions,
): Promise<void> {
  const ending = path.toLowerCase().endsWith('.gz') ? '.gz' : '';
  const temporary = `${path}.${randomUUID().slice(0, 8)}.partial${ending}`;
  try {
    const from = Readable.from(lines);
    // It is synced before it is closed, and closed before the pipeline ends.
    const to = createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true });
    await (ending === '' ? pipeline(from, to) : pipeline(from, createGzip(), to));
    await check(temporary);
    await (overwrite ? rename(temporary, path) : renameExclusively(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** What a file system says that has no links: FAT, some that come over a network. */
const NO_LINKS: readonly unknown[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** `rename` would replace what somebody else has written under the name meanwhile. */
async function renameExclusively(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!NO_LINKS.includes(errorCode(error))) throw error;
    // The name is taken first, and then what has it is replaced.
    await (await open(to, 'wx', 0o600)).close();
    try {
      await rename(from, to);
    } catch (reason) {
      await rm(to, { force: true });
      throw reason;
    }
    return;
  }
  await rm(from);
}

/** A new name is lasting only then. */
async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders, and needs this not.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (error) {
    if (!cannotSyncFolders(error)) throw error;
  } finally {
    await folder.close();
  }
}
