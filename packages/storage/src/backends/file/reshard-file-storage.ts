import { resolve } from 'node:path';
import { checkOptions } from '../../check-options';
import { StorageError } from '../../errors';
import { FileCalls } from './file-calls';
import { explainFileError } from './file-errors';
import { diskFileSystem, type FileSystem } from './file-system';
import { finishMove, makeFolders, readDescription, writeDescription } from './folder-description';
import { FolderLayout } from './folder-layout';
import { FolderLock } from './folder-lock';

export interface ReshardOptions {
  /** How many folders there shall be, 1 to 4,096. */
  readonly shardCount: number;
  /** As the backend has it: 0o600 unless given. For the folders that are made. */
  readonly fileMode?: number;
  /** Told how many files have been moved so far. */
  readonly onMoved?: (files: number) => void;
  readonly fileSystem?: FileSystem;
}

export interface Resharded {
  readonly from: number;
  readonly to: number;
  /** Values, lists and backups. */
  readonly movedFiles: number;
}

/**
 * Spreads the files of a file backend over another number of folders. The backend must be closed. When it is interrupted,
 * nothing is lost: the next opening, or another call, goes on with it.
 *
 * @throws {StorageError} `CONFIG_INVALID` where no file backend has been; `UNAVAILABLE` while a program has it open
 */
export async function reshardFileStorage(path: string, options: ReshardOptions): Promise<Resharded> {
  checkOptions({ ...options, onMoved: undefined }, { shardCount: [1, 4_096] });
  const { shardCount, fileMode = 0o600, onMoved, fileSystem = diskFileSystem } = options;
  const calls = new FileCalls(fileSystem, fileMode);
  try {
    return await reshard(path, calls, shardCount, onMoved);
  } catch (error) {
    throw explainFileError(error, path) ?? error;
  }
}

async function reshard(
  path: string,
  calls: FileCalls,
  shardCount: number,
  onMoved: (files: number) => void = () => undefined,
): Promise<Resharded> {
  const layout = new FolderLayout(resolve(path), shardCount);
  if ((await readDescription(layout.root, calls)) === undefined)
    throw new StorageError('CONFIG_INVALID', `${path} has no recap.json: it is no folder of a file backend.`);
  const lock = new FolderLock(layout.lock, calls, () => undefined);
  await lock.take();
  try {
    const there = await readDescription(layout.root, calls);
    if (there === 'damaged' || there === undefined)
      throw new StorageError(
        'CORRUPT',
        `${layout.description} is damaged. Open the backend once, which mends it.`,
      );
    const from = there.shardCount;
    let movedFiles = 0;
    if (from !== shardCount || there.isMoving) {
      await makeFolders(layout, calls);
      await writeDescription(layout, calls, true);
      await finishMove(layout, calls, (files) => {
        movedFiles = files;
        onMoved(files);
      });
    }
    return { from, to: shardCount, movedFiles };
  } finally {
    await lock.release();
  }
}
