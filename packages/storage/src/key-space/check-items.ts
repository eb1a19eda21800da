import { StorageError } from '../errors';

/** @throws {StorageError} `ARGUMENT_INVALID` unless it is an array of arrays */
export function checkItems(items: unknown, form: string): void {
  if (Array.isArray(items) && items.every((item) => Array.isArray(item))) return;
  throw new StorageError('ARGUMENT_INVALID', `mset() takes an array of ${form}.`);
}

/**
 * Of a database, which would keep for ever what was meant for a cache.
 *
 * @throws {StorageError} `ARGUMENT_INVALID` where there is one
 */
export function refuseLifetime(ttlSeconds: unknown): void {
  if (ttlSeconds === undefined) return;
  throw new StorageError(
    'ARGUMENT_INVALID',
    'A database keeps what is set, and takes no lifetime. Set it in a cache, or leave the lifetime out.',
  );
}

/** @throws {StorageError} `ARGUMENT_INVALID` unless it is an array */
export function checkKeys(keys: unknown): void {
  if (!Array.isArray(keys)) throw new StorageError('ARGUMENT_INVALID', 'mget() takes an array of keys.');
}
