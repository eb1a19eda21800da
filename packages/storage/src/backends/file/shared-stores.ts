import { StorageError } from '../../errors';
import { openFileStore, type FileStore, type FileStoreOptions } from './file-store';
import { FileCalls } from './file-calls';
import type { FileSystem } from './file-system';
import { checkShardCount } from './folder-description';

interface Shared {
  readonly opening: Promise<FileStore>;
  readonly settings: string;
  users: number;
  closing: Promise<void> | undefined;
}

/** By folder: a folder has one writer, and both halves of a program may use the same. */
const systems = new WeakMap<FileSystem, Map<string, Shared>>();

function storesOf(system: FileSystem): Map<string, Shared> {
  const stores = systems.get(system) ?? new Map<string, Shared>();
  systems.set(system, stores);
  return stores;
}

export interface StoreLease {
  readonly store: FileStore;
  /** The last one closes it. */
  release(): Promise<void>;
}

/** @throws {StorageError} `CONFIG_INVALID` when this program has it open with other settings */
export async function leaseStore(
  path: string,
  options: FileStoreOptions,
  createsFolder: boolean,
): Promise<StoreLease> {
  const calls = new FileCalls(options.system, options.fileMode);
  if (createsFolder) await calls.makeFolders(path);
  const root = await options.system.realPath(path);
  const stores = storesOf(options.system);
  for (let closing = stores.get(root)?.closing; closing !== undefined; closing = stores.get(root)?.closing)
    await closing;
  const settings = JSON.stringify([options.fileMode, options.backupCount]);
  const shared = stores.get(root) ?? open(root, options, settings);
  if (shared.settings !== settings)
    throw new StorageError(
      'CONFIG_INVALID',
      `This program has ${root} open with other settings of "fileMode" or backups. Give both the same, or another path.`,
    );
  shared.users += 1;
  let store: FileStore;
  try {
    store = await shared.opening;
  } catch (error) {
    if (stores.get(root) === shared) stores.delete(root);
    throw error;
  }
  const lease = { store, release: () => release(stores, root, shared) };
  try {
    checkShardCount(root, store.reader.layout.shardCount, options.shardCount);
  } catch (error) {
    await lease.release();
    throw error;
  }
  return lease;
}

function open(root: string, options: FileStoreOptions, settings: string): Shared {
  const shared = { opening: openFileStore(root, options), settings, users: 0, closing: undefined };
  storesOf(options.system).set(root, shared);
  return shared;
}

async function release(stores: Map<string, Shared>, root: string, shared: Shared): Promise<void> {
  shared.users -= 1;
  if (shared.users > 0) return;
  shared.closing = shared.opening
    .then((store) => store.close())
    .finally(() => {
      stores.delete(root);
    });
  await shared.closing;
}
