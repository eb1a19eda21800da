import { dirname } from 'node:path';
import { errorCode, StorageError } from '../../errors';
import { CREATE, READ, UPDATE, type FileSystem, type OpenFile } from './file-system';
import { temporaryName } from './file-names';

const DEFAULT_MODE = 0o600;
/** Less than this is read without asking for the size before. */
const MOST_FILES_BYTES = 4_096;
/** Node takes less than 2 GiB in one call. */
const MAX_CALL_BYTES = 2 ** 30;

/** What the backend does with files, in terms of the calls of a file system. */
export class FileCalls {
  constructor(
    readonly system: FileSystem,
    readonly fileMode: number,
  ) {}

  /** Who may read a file may look into its folder. */
  get folderMode(): number {
    return this.fileMode | ((this.fileMode & 0o444) >> 2) | 0o700;
  }

  /** `undefined` when there is none. */
  async read(path: string): Promise<Buffer | undefined> {
    return this.#with(path, async (file) => {
      const first = await readAt(file, MOST_FILES_BYTES, 0);
      if (first.length < MOST_FILES_BYTES) return first;
      const { size } = await file.stat();
      return Buffer.concat([first, await readAt(file, size - first.length, first.length)]);
    });
  }

  /** The first bytes, and the size of all. */
  async readStart(path: string, length: number): Promise<{ bytes: Buffer; size: number } | undefined> {
    return this.#with(path, async (file) => {
      const bytes = await readAt(file, length, 0);
      return { bytes, size: bytes.length < length ? bytes.length : (await file.stat()).size };
    });
  }

  /** What is between two places, each of some pairs, and the size of all. */
  async readParts(
    path: string,
    places: readonly (readonly [from: number, to: number])[],
  ): Promise<{ parts: Buffer[]; size: number } | undefined> {
    return this.#with(path, async (file) => {
      const parts: Buffer[] = [];
      for (const [from, to] of places) parts.push(await readAt(file, to - from, from));
      return { parts, size: (await file.stat()).size };
    });
  }

  async create(path: string): Promise<OpenFile> {
    const file = await this.system.open(path, CREATE, this.fileMode);
    if (this.fileMode === DEFAULT_MODE) return file;
    try {
      // What the process masks out of new files is given back.
      await file.chmod(this.fileMode);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Old or new, never something between; on the disk for good once the folder is synced. */
  async replace(path: string, bytes: Uint8Array, beforeRename?: () => Promise<void>): Promise<void> {
    const temporary = temporaryName(path);
    await this.createAnew(temporary, bytes);
    try {
      await beforeRename?.();
      await this.system.rename(temporary, path);
    } catch (error) {
      await this.removeIfThere(temporary).catch(() => false);
      throw error;
    }
  }

  /** Whatever a process that died has left there. */
  async createAnew(path: string, bytes: Uint8Array): Promise<void> {
    const file = await this.#createOver(path);
    try {
      await writeAll(file, bytes, 0);
      await file.datasync();
      await file.close();
    } catch (error) {
      await file.close().catch(() => undefined);
      await this.removeIfThere(path).catch(() => false);
      throw error;
    }
  }

  /** Over what begins at `position`, and the file ends behind it. */
  async overwriteEnd(path: string, bytes: Uint8Array, position: number): Promise<void> {
    const file = await this.system.open(path, UPDATE);
    try {
      await writeAll(file, bytes, position);
      await file.truncate(position + bytes.length);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async removeIfThere(path: string): Promise<boolean> {
    return (await unlessGone(this.system.remove(path).then(() => true))) ?? false;
  }

  /** Resolves to whether it was missing. */
  async makeFolder(path: string): Promise<boolean> {
    try {
      await this.system.makeFolder(path, this.folderMode);
      return true;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    const kind = await this.system.kindOf(path);
    if (kind === 'folder') return false;
    throw new StorageError(
      'ACCESS_DENIED',
      `${path} is a ${kind}, not a folder, and is not followed. Remove it.`,
    );
  }

  /** Some file systems know no second name for a file. */
  cannotLink(error: unknown): boolean {
    return CANNOT_LINK.has(errorCode(error));
  }

  async makeFolders(path: string): Promise<void> {
    const missing: string[] = [];
    for (let folder = path; !(await this.#isThere(folder)); folder = dirname(folder)) missing.push(folder);
    for (const folder of missing.reverse()) {
      await this.makeFolder(folder);
      await this.syncFolder(dirname(folder));
    }
  }

  async syncFolder(path: string): Promise<void> {
    // Windows opens no folders, and needs this not.
    if (process.platform === 'win32') return;
    const folder = await this.system.open(path, READ);
    try {
      await folder.sync();
    } catch (error) {
      if (!cannotSyncFolders(error)) throw error;
    } finally {
      await folder.close();
    }
  }

  async #isThere(path: string): Promise<boolean> {
    return (await unlessGone(this.system.kindOf(path))) !== undefined;
  }

  async #createOver(path: string): Promise<OpenFile> {
    try {
      return await this.create(path);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      await this.removeIfThere(path);
      return await this.create(path);
    }
  }

  async #with<T>(path: string, work: (file: OpenFile) => Promise<T>): Promise<T | undefined> {
    const file = await unlessGone(this.system.open(path, READ));
    if (file === undefined) return undefined;
    try {
      return await work(file);
    } finally {
      await file.close();
    }
  }
}

const CANNOT_SYNC: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Some file systems sync names by themselves, or never: no call of ours changes that. */
export function cannotSyncFolders(error: unknown): boolean {
  return CANNOT_SYNC.has(errorCode(error));
}

const CANNOT_LINK: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'EMLINK',
  'EXDEV',
  'ENOSYS',
]);

export async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(
      bytes,
      done,
      Math.min(bytes.length - done, MAX_CALL_BYTES),
      position + done,
    );
    if (bytesWritten === 0)
      throw Object.assign(new Error('Nothing more could be written.'), { code: 'ENOSPC' });
    done += bytesWritten;
  }
}

async function readAt(file: OpenFile, length: number, position: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(
      buffer,
      done,
      Math.min(length - done, MAX_CALL_BYTES),
      position + done,
    );
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

export async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
