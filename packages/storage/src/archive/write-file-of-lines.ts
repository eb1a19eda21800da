import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { isCompressed } from './read-lines';

/**
 * Writes lines to a file that only this user may read, and that is there with all of them or not at all.
 *
 * @param check looks at the file before it gets its name
 */
export async function writeFileOfLines(
  path: string,
  lines: AsyncIterable<string>,
  check: (path: string) => Promise<void>,
): Promise<void> {
  const ending = isCompressed(path) ? '.gz' : '';
  const temporary = `${path}.${randomUUID().slice(0, 8)}.partial${ending}`;
  try {
    const from = Readable.from(lines);
    // It is synced before it is closed, and closed before the pipeline ends.
    const to = createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true });
    await (ending === '' ? pipeline(from, to) : pipeline(from, createGzip(), to));
    await check(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** A new name is lasting only then. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
