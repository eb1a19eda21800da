import * as fs from 'node:fs';
import { open, readdir, readFile, rename, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from '@recap/storage';

/** What the spool needs of a file system. What blocks is named so; it is done in the program's thread. */
export interface SpoolFiles {
  /** For its user only; one above that has to be made as well keeps itself out of Git. */
  makeFolderBlocking(path: string): void;
  /** A new file, for its user only. */
  createBlocking(path: string): number;
  /** @returns how many bytes were written, which may be fewer than given */
  writeBlocking(file: number, bytes: Uint8Array, position: number): number;
  truncateBlocking(file: number, length: number): void;
  closeBlocking(file: number): void;
  renameBlocking(from: string, to: string): void;
  /** Bytes that are free on the disk of `path`. */
  freeBytesBlocking(path: string): number;
  sync(file: number): Promise<void>;
  syncFolder(path: string): Promise<void>;
  list(path: string): Promise<string[]>;
  readAll(path: string): Promise<Buffer>;
  read(path: string, offset: number, length: number): Promise<Buffer>;
  remove(path: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
  /** False when there is nothing of that name any more. */
  rename(from: string, to: string): Promise<boolean>;
  /** Does nothing when there is nothing of that name any more. */
  touch(path: string): Promise<void>;
  /** When it was touched last, in ms; `undefined` when it is not there. */
  touchedAt(path: string): Promise<number | undefined>;
}

const syncData = promisify(fs.fdatasync);

export const diskFiles: SpoolFiles = {
  makeFolderBlocking: (path) => {
    const parent = dirname(path);
    const made = fs.mkdirSync(parent, { recursive: true, mode: 0o700 });
    if (made !== undefined) keepOutOfGit(parent);
    fs.mkdirSync(path, { recursive: true, mode: 0o700 });
  },
  createBlocking: (path) => fs.openSync(path, 'wx', 0o600),
  writeBlocking: (file, bytes, position) => fs.writeSync(file, bytes, 0, bytes.length, position),
  truncateBlocking: (file, length) => {
    fs.ftruncateSync(file, length);
  },
  closeBlocking: (file) => {
    fs.closeSync(file);
  },
  renameBlocking: (from, to) => {
    fs.renameSync(from, to);
  },
  freeBytesBlocking: (path) => {
    const { bavail, bsize } = fs.statfsSync(path);
    return bavail * bsize;
  },
  sync: syncData,
  syncFolder: async (path) => {
    // Windows opens no folders, and needs this not.
    if (process.platform === 'win32') return;
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  list: async (path) => (await unlessGone(readdir(path))) ?? [],
  readAll: (path) => readFile(path),
  read: async (path, offset, length) => {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  },
  remove: (path) => rm(path, { force: true }),
  removeFolder: async (path) => {
    await unlessGone(rmdir(path));
  },
  rename: async (from, to) => (await unlessGone(rename(from, to).then(() => true))) ?? false,
  touch: async (path) => {
    await unlessGone(utimes(path, new Date(), new Date()));
  },
  touchedAt: async (path) => (await unlessGone(stat(path)))?.mtimeMs,
};

function keepOutOfGit(folder: string): void {
  try {
    fs.writeFileSync(join(folder, '.gitignore'), '*\n', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
