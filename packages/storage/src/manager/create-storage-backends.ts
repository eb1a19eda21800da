import type { StorageBackends } from './storage-backends';
import type { StorageConfig } from './storage-config';
import { StorageManager } from './storage-manager';
import type { StorageOptions } from './storage-options';

/**
 * Opens a cache and a database.
 *
 * @throws {StorageError} as `StorageManager.connect()`
 * @example
 * const { manager, backends } = await createStorageBackends({
 *   cache: { type: 'redis', url: 'redis://localhost:6379' },
 *   database: { type: 'postgres', url: '$DATABASE_URL' },
 * });
 * await backends.cache.set('session:123', { user: 456 }, 3_600);
 * await manager.disconnect();
 */
export async function createStorageBackends(
  config: StorageConfig,
  options: StorageOptions = {},
): Promise<{ readonly manager: StorageManager; readonly backends: StorageBackends }> {
  const manager = new StorageManager(config, options);
  return { manager, backends: await manager.connect() };
}
