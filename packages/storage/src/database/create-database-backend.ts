import type { Backend } from '../backend';
import type { StorageError } from '../errors';
import { checkItems, refuseLifetime } from '../key-space/check-items';
import { KeySpace, type KeyWrite, type RoleOptions } from '../key-space/key-space';
import { checkRole } from '../options/role-options';
import type { DatabaseBackend, DatabaseItem } from './database-backend';

export type DatabaseBackendOptions = RoleOptions;

/** What stands behind a database of ours. A symbol that every copy of the package knows. */
export const DATABASE_PARTS: unique symbol = Symbol.for('@recap/storage/database-parts');

export interface DatabaseParts {
  readonly backend: Backend;
  readonly keyPrefix: string;
}

/**
 * Makes a database of any backend; `disconnect()` closes the backend, unless `ownsBackend` is false.
 *
 * @throws {StorageError} `CONFIG_INVALID`, and `KEY_INVALID` for a prefix that is none
 */
export function createDatabaseBackend(
  backend: Backend,
  options: DatabaseBackendOptions = {},
): DatabaseBackend {
  return new BackendDatabase(backend, options);
}

class BackendDatabase implements DatabaseBackend {
  readonly [DATABASE_PARTS]: DatabaseParts;
  readonly #space: KeySpace;

  constructor(backend: Backend, options: DatabaseBackendOptions) {
    checkRole('createDatabaseBackend', backend, options);
    this.#space = new KeySpace(backend, 'database', options);
    this[DATABASE_PARTS] = { backend, keyPrefix: this.#space.keyPrefix };
  }

  connect(): Promise<void> {
    return this.#space.connect();
  }

  disconnect(): Promise<void> {
    return this.#space.disconnect();
  }

  get<T>(key: string): Promise<T | undefined> {
    return this.#space.get<T>(key);
  }

  async set(key: string, value: unknown, ...more: unknown[]): Promise<void> {
    refuseLifetime(more[0]);
    const taken = this.#space.taken(value);
    if (!this.#space.isConnected) await this.#space.connect();
    await this.#space.backend.set(this.#space.address(key), taken);
  }

  delete(key: string): Promise<boolean> {
    return this.#space.delete(key);
  }

  async append(key: string, ...values: unknown[]): Promise<number> {
    const taken = values.map((value) => this.#space.taken(value));
    if (!this.#space.isConnected) await this.#space.connect();
    return await this.#space.backend.append(this.#space.address(key), taken);
  }

  async getRange<T>(key: string, start?: number, end?: number): Promise<T[]> {
    if (!this.#space.isConnected) await this.#space.connect();
    return (await this.#space.backend.range(this.#space.address(key), start, end)) as T[];
  }

  async getLength(key: string): Promise<number> {
    if (!this.#space.isConnected) await this.#space.connect();
    return await this.#space.backend.length(this.#space.address(key));
  }

  mget<T>(keys: readonly string[]): Promise<(T | undefined)[]> {
    return this.#space.mget<T>(keys);
  }

  async mset(items: readonly DatabaseItem[]): Promise<void> {
    checkItems(items, '[key, value]');
    await this.#space.write(items.map((item, place) => this.#toWrite(item, place)));
  }

  exists(key: string): Promise<boolean> {
    return this.#space.exists(key);
  }

  clear(): Promise<void> {
    return this.#space.clear();
  }

  keys(pattern?: string): Promise<string[]> {
    return this.#space.keys(pattern);
  }

  #toWrite(item: DatabaseItem, place: number): KeyWrite {
    const [key, value] = item;
    try {
      refuseLifetime((item as readonly unknown[])[2]);
      return {
        key,
        write: { type: 'set', ...this.#space.address(key), value: this.#space.taken(value, place) },
      };
    } catch (error) {
      return { key, error: error as StorageError };
    }
  }
}
