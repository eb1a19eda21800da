import type { CacheBackend } from '../cache/cache-backend';
import type { DatabaseBackend } from '../database/database-backend';
import { StorageError } from '../errors';

/** The cache and the database of a manager. */
export class StorageBackends {
  readonly #cache: CacheBackend | undefined;
  readonly #database: DatabaseBackend | undefined;

  constructor(cache: CacheBackend | undefined, database: DatabaseBackend | undefined) {
    this.#cache = cache;
    this.#database = database;
  }

  /** @throws {StorageError} `CONFIG_INVALID` when none is configured */
  get cache(): CacheBackend {
    if (this.#cache === undefined) throw notConfigured('cache');
    return this.#cache;
  }

  /** @throws {StorageError} `CONFIG_INVALID` when none is configured */
  get database(): DatabaseBackend {
    if (this.#database === undefined) throw notConfigured('database');
    return this.#database;
  }
}

export function notConfigured(role: 'cache' | 'database'): StorageError {
  return new StorageError('CONFIG_INVALID', `No ${role} is configured. Add "${role}": { "type": … }.`);
}
