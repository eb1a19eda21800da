import { StorageError } from '../errors';

/** @throws {StorageError} `ARGUMENT_INVALID` unless it is an array of arrays */
export function checkItems(items: unknown, form: string): void {
  if (Array.isArray(items) && items.every((item) => Array.isArray(item))) return;
  throw new StorageError('ARGUMENT_INVALID', `mset() takes an array of ${form}.`);
}

/** @throws {StorageError} `ARGUMENT_INVALID` unless it is an array */
export function checkKeys(keys: unknown): void {
  if (!Array.isArray(keys)) throw new StorageError('ARGUMENT_INVALID', 'mget() takes an array of keys.');
}
