import type { Backend } from '../backend';
import { wholeClock, type Clock } from '../clock';
import type { StorageError } from '../errors';
import { checkItems } from '../key-space/check-items';
import { KeySpace, type KeyWrite, type RoleOptions } from '../key-space/key-space';
import { checkRole } from '../options/role-options';
import type { CacheBackend, CacheItem } from './cache-backend';
import { toExpiry } from './time-to-live';

export interface CacheBackendOptions extends RoleOptions {
  /** How long what is set without a lifetime of its own lives; without it, for ever. */
  readonly defaultTtlSeconds?: number;
  /** The one that the backend goes by: the system's unless given. */
  readonly clock?: Clock;
}

/** What stands behind a cache of ours, for what is built upon one. A symbol that every copy of the package knows. */
export const CACHE_PARTS: unique symbol = Symbol.for('@recap/storage/cache-parts');

export interface CacheParts {
  readonly backend: Backend;
  readonly keyPrefix: string;
  readonly clock: Clock;
}

/**
 * Makes a cache of any backend; `disconnect()` closes the backend, unless `ownsBackend` is false.
 *
 * @throws {StorageError} `CONFIG_INVALID`, `KEY_INVALID` for a prefix and `ARGUMENT_INVALID` for a lifetime that is none
 */
export function createCacheBackend(backend: Backend, options: CacheBackendOptions = {}): CacheBackend {
  return new BackendCache(backend, options);
}

class BackendCache implements CacheBackend {
  readonly [CACHE_PARTS]: CacheParts;
  readonly #space: KeySpace;
  readonly #clock: Clock;
  readonly #defaultTtlSeconds: number | undefined;

  constructor(backend: Backend, options: CacheBackendOptions) {
    checkRole('createCacheBackend', backend, options);
    const { defaultTtlSeconds } = options;
    const clock = wholeClock(options.clock);
    toExpiry(defaultTtlSeconds, 0, 'defaultTtlSeconds');
    this.#space = new KeySpace(backend, 'cache', options);
    this.#clock = clock;
    this.#defaultTtlSeconds = defaultTtlSeconds;
    this[CACHE_PARTS] = { backend, keyPrefix: this.#space.keyPrefix, clock };
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

  async set(key: string, value: unknown, ttlSeconds?: number): Promise<void> {
    const taken = this.#space.taken(value);
    if (!this.#space.isConnected) await this.#space.connect();
    const expiresAt = this.#expiry(ttlSeconds);
    const options = expiresAt === undefined ? {} : { expiresAt };
    await this.#space.backend.set(this.#space.address(key), taken, options);
  }

  delete(key: string): Promise<boolean> {
    return this.#space.delete(key);
  }

  mget<T>(keys: readonly string[]): Promise<(T | undefined)[]> {
    return this.#space.mget<T>(keys);
  }

  async mset(items: readonly CacheItem[]): Promise<void> {
    checkItems(items, '[key, value, ttlSeconds?]');
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

  #toWrite([key, value, ttlSeconds]: CacheItem, place: number): KeyWrite {
    try {
      const expiresAt = this.#expiry(ttlSeconds);
      const options = expiresAt === undefined ? {} : { expiresAt };
      return {
        key,
        write: {
          type: 'set',
          ...this.#space.address(key),
          value: this.#space.taken(value, place),
          ...options,
        },
      };
    } catch (error) {
      return { key, error: error as StorageError };
    }
  }

  #expiry(ttlSeconds: number | undefined): number | undefined {
    return toExpiry(ttlSeconds === undefined ? this.#defaultTtlSeconds : ttlSeconds, this.#clock.now());
  }
}
