import { resolve } from 'node:path';
import type { Backend } from '../../backend';
import { createBackend, type CreateBackendOptions } from '../../create-backend';
import { StorageError } from '../../errors';
import { backendOptions } from '../../options/backend-options';
import { checkClient } from '../../check-client';
import { tellProgram } from '../../tell-program';
import { loadSqliteModule } from './load-sqlite-module';
import type { SqliteDatabase } from './sqlite-client';
import { SqliteDriver } from './sqlite-driver';
import { explainSqliteError } from './sqlite-errors';

export interface SqliteBackendOptions extends CreateBackendOptions {
  /** Of the file, which is made when it is missing; or `:memory:`, which is gone on `close()`. */
  readonly path?: string;
  /**
   * A database of `better-sqlite3` that is open already, instead of `path`. It is left open on `close()`, and set up as
   * it is: how long SQLite itself waits for a lock, and what a commit survives, is what its owner has chosen.
   */
  readonly client?: SqliteDatabase;
  /** Makes the folders that the file is in, for this user only: `true` unless given. */
  readonly createFolder?: boolean;
  /**
   * When a write is answered: `full` (the default) once it is on the disk, so that it survives a power cut; `normal`
   * once it is with the operating system, so that it survives the end of the process.
   */
  readonly synchronous?: 'full' | 'normal';
  /** How long an operation waits while another process has the lock: 5,000 ms unless given. */
  readonly busyTimeoutMs?: number;
  /** 1 MiB unless given. What is larger takes the thread for longer than 20 ms. */
  readonly maxValueBytes?: number;
}

const MIB = 2 ** 20;

/**
 * Keeps items in tables of an SQLite database, which several processes may use at once. Needs the package
 * `better-sqlite3`, which works on the thread of the program: what takes longer is done in pieces of a few ms.
 *
 * @throws {StorageError} `CONFIG_INVALID` unless there is either a `path` or a `client`
 */
export function createSqliteBackend(given: SqliteBackendOptions): Backend {
  // A program in JavaScript may call it without.
  const options = backendOptions('sqlite', 'createSqliteBackend', (given as typeof given | undefined) ?? {});
  const { path, client, createFolder = true, synchronous = 'full' } = options;
  const { busyTimeoutMs = 5_000, maxValueBytes = MIB } = options;
  if ((path === undefined) === (client === undefined))
    throw new StorageError(
      'CONFIG_INVALID',
      'createSqliteBackend: give either the "path" of a file (or ":memory:") or a "client".',
    );
  const file = path === undefined ? undefined : toFile(path);
  checkClient(client, 'a database of better-sqlite3', ['prepare', 'exec', 'pragma', 'close']);
  const title = file ?? 'that was handed in';
  const driver = new SqliteDriver(
    {
      title,
      place: client ?? { path: file!, makesFolder: createFolder },
      load: loadSqliteModule,
      syncs: synchronous === 'full',
      busyTimeoutMs,
      onError: (error) => tellProgram(() => options.onError?.(explainSqliteError(error, title), 'upkeep')),
    },
    maxValueBytes,
  );
  return createBackend(driver, options);
}

function toFile(path: string): string {
  if (path === ':memory:') return path;
  // The driver would leave white space at the ends out, and take an empty path for a temporary file.
  if (path !== '' && path === path.trim() && !path.includes('\0')) return resolve(path);
  throw new StorageError('CONFIG_INVALID', `"path" must name a file, or be ":memory:"; it is "${path}".`);
}
