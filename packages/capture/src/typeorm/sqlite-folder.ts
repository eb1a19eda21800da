import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '@recap/storage';

/**
 * Makes the file and its folder readable by their user only, before SQLite sees them: the files that
 * SQLite puts beside it (`-wal`, `-shm`) take its mode. A folder made here keeps itself out of Git.
 *
 * @see https://www.sqlite.org/howtocorrupt.html section 2.2
 */
export async function prepareSqliteFile(path: string): Promise<void> {
  const folder = dirname(path);
  // Names the first folder that it made, which is the file's own or one above it.
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined) await createUnlessThere(join(folder, '.gitignore'), '*\n');
  // Only when it is not there: closing a file that this process has open in SQLite would drop SQLite's locks on it.
  await createUnlessThere(path, '');
}

async function createUnlessThere(path: string, content: string): Promise<void> {
  try {
    await writeFile(path, content, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}
