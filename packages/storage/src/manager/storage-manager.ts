import type { Backend, BackendStats } from '../backend';
import type { CacheBackend } from '../cache/cache-backend';
import { createCacheBackend } from '../cache/create-cache-backend';
import { systemClock } from '../clock';
import { createDatabaseBackend } from '../database/create-database-backend';
import type { DatabaseBackend } from '../database/database-backend';
import { StorageError } from '../errors';
import { checkedSettings } from '../options/backend-options';
import { askHealth } from '../ask-health';
import { checkConfig } from './check-config';
import { checkDrivers } from './check-drivers';
import { openHalf, type Half } from './open-half';
import type { ResolvedStorage, Role } from './resolved-config';
import { notConfigured, StorageBackends } from './storage-backends';
import { Slot } from './slot';
import type { StorageConfig } from './storage-config';
import { storageHealth, type HalfHealth, type StorageHealth } from './storage-health';
import { optionsShape, type StorageOptions } from './storage-options';

/** Longest time for a look at the health of a backend, unless said otherwise. */
const HEALTH_MS = 5_000;

/**
 * Opens a cache and a database by their configuration, looks after their health, and closes them. Each manager has
 * connections of its own.
 */
export class StorageManager {
  readonly #config: StorageConfig;
  readonly #options: StorageOptions;
  readonly #cache: Slot<CacheBackend>;
  readonly #database: Slot<DatabaseBackend>;
  #connecting: Promise<StorageBackends> | undefined;
  #disconnecting: Promise<void> | undefined;

  /** @throws {StorageError} `CONFIG_INVALID` for wrong `options`; `connect()` checks the configuration */
  constructor(config: StorageConfig, options: StorageOptions = {}) {
    checkedSettings(optionsShape, 'StorageManager', options);
    this.#config = config;
    this.#options = options;
    const { clock = systemClock } = options;
    this.#cache = new Slot(
      () => this.#open('cache'),
      ({ backend, keyPrefix }) => createCacheBackend(backend, { keyPrefix, clock }),
    );
    this.#database = new Slot(
      () => this.#open('database'),
      ({ backend, keyPrefix }) => createDatabaseBackend(backend, { keyPrefix }),
    );
  }

  /**
   * Opens both, once: calls share the attempt and what it opened. When one cannot be opened the other is closed,
   * unless it was also asked for alone, and the next call tries again.
   *
   * @throws {StorageError} `CONFIG_INVALID` with everything that is wrong, `DRIVER_MISSING`, `ACCESS_DENIED`,
   *   `UNAVAILABLE` when a server cannot be reached and no fallback is configured, `CLOSED` after `disconnect()`
   */
  async connect(): Promise<StorageBackends> {
    this.#refuseClosed();
    this.#connecting ??= this.#connect();
    return await this.#connecting;
  }

  /** Opens the cache alone, and shares it with `connect()`. */
  async createCacheBackend(): Promise<CacheBackend> {
    this.#refuseClosed();
    const { role } = await this.#cache.openAlone();
    this.#refuseClosed();
    return role;
  }

  /** Opens the database alone, and shares it with `connect()`. */
  async createDatabaseBackend(): Promise<DatabaseBackend> {
    this.#refuseClosed();
    const { role } = await this.#database.openAlone();
    this.#refuseClosed();
    return role;
  }

  /**
   * Opens the backend beneath a role alone, and shares it with the role, with its time-outs, retries and fallback: for
   * what the role does not have, such as conditions, transactions, queries and messages. Partitions that begin with the
   * `keyPrefix` of the configuration and `cache:` or `database:` are those of the roles. The manager closes it; its own
   * `close()` does nothing.
   *
   * @throws {StorageError} `ARGUMENT_INVALID` for another role, and as `createDatabaseBackend()`
   */
  async openBackend(role: 'cache' | 'database'): Promise<Backend> {
    this.#refuseClosed();
    if (!['cache', 'database'].includes(role))
      throw new StorageError('ARGUMENT_INVALID', `The role has to be 'cache' or 'database'.`);
    const { half } = await (role === 'cache' ? this.#cache : this.#database).openAlone();
    this.#refuseClosed();
    return half.lent;
  }

  /**
   * Closes both. Safe to call twice, and before `connect()`.
   *
   * @throws {StorageError} `UNAVAILABLE` when a fallback kept writes in memory and its backend did not come back for
   *   them; everything is closed nevertheless
   */
  async disconnect(): Promise<void> {
    this.#disconnecting ??= this.#disconnect();
    await this.#disconnecting;
  }

  /** Works with each backend, in a namespace of its own. Never rejects: what cannot be reached, or is not open, is down. */
  async healthCheck(deadlineMs = HEALTH_MS): Promise<StorageHealth> {
    const [cache, database] = await Promise.all([
      this.#health('cache', deadlineMs),
      this.#health('database', deadlineMs),
    ]);
    return storageHealth({
      ...(cache === undefined ? {} : { cache }),
      ...(database === undefined ? {} : { database }),
    });
  }

  /** What each keeps, without what has expired. */
  async stats(): Promise<{ readonly cache?: BackendStats; readonly database?: BackendStats }> {
    const [cache, database] = [this.#cache.opened?.half, this.#database.opened?.half];
    return {
      ...(cache === undefined ? {} : { cache: await cache.backend.stats() }),
      ...(database === undefined ? {} : { database: await database.backend.stats() }),
    };
  }

  /**
   * Checks the configuration and whether the drivers that it needs are installed, and opens nothing.
   *
   * @throws {StorageError} `CONFIG_INVALID` with everything that is wrong, `DRIVER_MISSING`
   */
  async validateConfig(): Promise<void> {
    checkDrivers(this.#resolved());
  }

  async #connect(): Promise<StorageBackends> {
    try {
      const { cache, database } = this.#resolved();
      const slots = [cache && this.#cache, database && this.#database].filter((slot) => slot !== undefined);
      const attempts = await Promise.allSettled(slots.map((slot): Promise<unknown> => slot.open()));
      const failed = attempts.find((each) => each.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      this.#refuseClosed();
      return new StorageBackends(this.#cache.opened?.role, this.#database.opened?.role);
    } catch (error) {
      this.#connecting = undefined;
      // Neither is of use without the other, but for one that was asked for alone, before or meanwhile.
      await this.#close([this.#cache, this.#database].filter(({ isOpenedAlone }) => !isOpenedAlone));
      throw error;
    }
  }

  async #open(role: Role): Promise<Half> {
    const resolved = this.#resolved();
    const config = resolved[role];
    if (config === undefined) throw notConfigured(role);
    return await openHalf(config, this.#options, resolved.slowOperationMs);
  }

  async #health(role: Role, deadlineMs: number): Promise<HalfHealth | undefined> {
    const half = (role === 'cache' ? this.#cache : this.#database).opened?.half;
    if (half === undefined) {
      const given = (this.#config as Record<string, unknown> | undefined)?.[role] as
        { type?: unknown } | undefined;
      if (given === undefined) return undefined;
      const type = String(given.type);
      const error = new StorageError('NOT_OPEN', `The ${role} is not connected. Await connect() before.`);
      return { type, status: 'down', servedBy: type, latencyMs: 0, pendingWrites: 0, error };
    }
    const { healthy, latencyMs, error } = await askHealth(half.backend, deadlineMs);
    const { servedBy, isDegraded, degradedSince, pendingWrites } = half.state();
    return {
      type: half.type,
      status: !healthy ? 'down' : isDegraded ? 'degraded' : 'up',
      ...{ servedBy, latencyMs, pendingWrites },
      ...(degradedSince === undefined ? {} : { degradedSince }),
      ...(error === undefined ? {} : { error }),
    };
  }

  #resolved(): ResolvedStorage {
    return checkConfig(this.#config, this.#options.environment ?? process.env, 'StorageManager');
  }

  async #disconnect(): Promise<void> {
    const [failure] = await this.#close([this.#cache, this.#database]);
    if (failure !== undefined) throw failure;
  }

  /** Closes what is open or about to be, and gives what failed at that. */
  async #close(slots: readonly { close(): Promise<void> }[]): Promise<Error[]> {
    const closed = await Promise.allSettled(slots.map((slot) => slot.close()));
    return closed.filter((each) => each.status === 'rejected').map(({ reason }) => reason as Error);
  }

  #refuseClosed(): void {
    if (this.#disconnecting === undefined) return;
    throw new StorageError('CLOSED', 'The storage manager was disconnected. Make another.');
  }
}
