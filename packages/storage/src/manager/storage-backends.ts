import type { CacheBackend } from '../cache/cache-backend';
import type { DatabaseBackend } from '../database/database-backend';
import { StorageError } from '../errors';

/** The cache and the database of a manager. */
export class StorageBackends {
  /** Throws `CONFIG_INVALID` when none is configured. */
  declare readonly cache: CacheBackend;
  /** Throws `CONFIG_INVALID` when none is configured. */
  declare readonly database: DatabaseBackend;

  constructor(cache: CacheBackend | undefined, database: DatabaseBackend | undefined) {
    this.#define('cache', cache);
    this.#define('database', database);
  }

  /** As a property of its own, so that `{ ...backends }` has what is configured. */
  #define(role: 'cache' | 'database', value: CacheBackend | DatabaseBackend | undefined): void {
    const get = (): never => {
      throw notConfigured(role);
    };
    Object.defineProperty(this, role, value === undefined ? { get } : { value, enumerable: true });
  }
}

export function notConfigured(role: 'cache' | 'database'): StorageError {
  return new StorageError('CONFIG_INVALID', `No ${role} is configured. Add "${role}": { "type": … }.`);
}
