import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';

/** What an entry of a folder is; nothing is done with what is neither of the first two. */
export type EntryKind = 'file' | 'folder' | 'link' | 'other';

export interface FolderEntry {
  readonly name: string;
  readonly kind: EntryKind;
}

export interface OpenFile {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  chmod(mode: number): Promise<void>;
  stat(): Promise<{ readonly size: number }>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** All that the file backend asks of a file system, a call of it for each method. */
export interface FileSystem {
  open(path: string, flags: number, mode?: number): Promise<OpenFile>;
  list(path: string): Promise<readonly FolderEntry[]>;
  kindOf(path: string): Promise<EntryKind>;
  /** Behind symbolic links. */
  realPath(path: string): Promise<string>;
  makeFolder(path: string, mode: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  link(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
  /** When it was written last, in ms. */
  writtenAt(path: string): Promise<number>;
  touch(path: string): Promise<void>;
}

// Windows has no such flag, and makes links only for who may.
const NO_FOLLOW = (constants as Partial<typeof constants>).O_NOFOLLOW ?? 0;

export const READ = constants.O_RDONLY | NO_FOLLOW;
export const UPDATE = constants.O_RDWR | NO_FOLLOW;
export const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW;

export const diskFileSystem: FileSystem = {
  open: (path, flags, mode) => fs.open(path, flags, mode),
  list: async (path) => {
    const entries = await fs.readdir(path, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
  },
  kindOf: async (path) => kindOf(await fs.lstat(path)),
  realPath: (path) => fs.realpath(path),
  makeFolder: async (path, mode) => {
    await fs.mkdir(path, { mode });
    // What the process masks out of new folders is given back.
    if ((mode & 0o077) !== 0) await fs.chmod(path, mode);
  },
  rename: fs.rename,
  link: fs.link,
  remove: fs.unlink,
  removeFolder: (path) => fs.rmdir(path),
  writtenAt: async (path) => (await fs.lstat(path)).mtimeMs,
  touch: (path) => fs.lutimes(path, new Date(), new Date()),
};

function kindOf(entry: { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean }): EntryKind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'link' : 'other';
}
