import { resolve } from 'node:path';
import type { Backend } from '../../backend';
import { createBackend, type CreateBackendOptions } from '../../create-backend';
import { StorageError } from '../../errors';
import { backendOptions } from '../../options/backend-options';
import { tellProgram } from '../../tell-program';
import { textOfDamage, type FileDamage } from './file-damage';
import { FileDriver } from './file-driver';
import { diskFileSystem, type FileSystem } from './file-system';

export interface FileBackendOptions extends CreateBackendOptions {
  /** Of the folder, which belongs to this backend alone. */
  readonly path: string;
  /** Makes the folder and those above it, for this user only: `true` unless given. */
  readonly createFolder?: boolean;
  /** Spreads the files over folders: `true` unless given. `false` is one folder. */
  readonly enableSharding?: boolean;
  /**
   * How many folders, 1 to 4,096. Absent: as many as there are, 16 for a new one.
   *
   * @see reshardFileStorage
   */
  readonly shardCount?: number;
  /** Keeps what was in a file before, so that a damaged one is restored: `true` unless given. */
  readonly enableBackups?: boolean;
  /** How many, 1 to 100: 5 unless given. */
  readonly backupCount?: number;
  /**
   * Who may read and write the files, as a number or in octal digits: 0o600 or `'0600'`, this user only, unless given.
   * Folders get the `x` that goes with it.
   */
  readonly fileMode?: number | string;
  /** 16 MiB unless given. */
  readonly maxValueBytes?: number;
  /** Told of each damaged file, and whether a backup has taken its place. Unless given, the process warns. */
  readonly onDamage?: (damage: FileDamage) => void;
  /** What stands for the file system, to see or change what it does. */
  readonly fileSystem?: FileSystem;
}

const MIB = 2 ** 20;

/**
 * Keeps each value in a JSON file that people can read, in a folder with one writing process at a time. Every write is on
 * the disk when it is answered. Backends of one process may share a folder.
 *
 * @throws {StorageError} `CONFIG_INVALID`
 */
export function createFileBackend(given: FileBackendOptions): Backend {
  const options = backendOptions('file', 'createFileBackend', given);
  const { path, enableSharding = true, shardCount, enableBackups = true, backupCount = 5 } = options;
  if (typeof path !== 'string')
    throw new StorageError('CONFIG_INVALID', 'A file backend needs the "path" of a folder.');
  if (!enableSharding && (shardCount ?? 1) !== 1)
    throw new StorageError('CONFIG_INVALID', 'Without "enableSharding" there is no "shardCount".');
  const { fileMode = '0600', maxValueBytes = 16 * MIB, createFolder = true } = options;
  const { onDamage = warn, fileSystem = diskFileSystem } = options;
  const driver = new FileDriver({
    ...{ path: resolve(path), createsFolder: createFolder, maxValueBytes },
    onDamage: (damage) => tellProgram(() => onDamage(damage)),
    onError: (error) => tellProgram(() => options.onError?.(error, 'upkeep')),
    // Checked, it is a text.
    fileMode: parseInt(String(fileMode), 8),
    system: fileSystem,
    shardCount: enableSharding ? shardCount : 1,
    backupCount: enableBackups ? backupCount : 0,
  });
  return createBackend(driver, options);
}

function warn(damage: FileDamage): void {
  process.emitWarning(textOfDamage(damage), { type: 'RecapWarning' });
}
