import { z } from 'zod';
import { MAX_TIMER_MS } from '../check-options';
import { CACHE_PARTS, type CacheParts } from '../cache/create-cache-backend';
import type { DatabaseBackend } from '../database/database-backend';
import type { DATABASE_PARTS, DatabaseParts } from '../database/create-database-backend';
import { checkedSettings } from '../options/backend-options';
import { functionOf } from '../options/program-shape';
import { settings, wholeNumber } from '../options/setting-schemas';
import type { CachedDatabaseOptions, CachingStrategy } from './cached-database';

const STRATEGIES: readonly CachingStrategy[] = ['read-through', 'write-through', 'write-behind'];
const METHODS = [
  ...(['connect', 'disconnect', 'get', 'set', 'delete', 'mget', 'mset', 'exists', 'clear', 'keys'] as const),
  ...(['append', 'getRange', 'getLength'] as const),
] satisfies readonly (keyof DatabaseBackend)[];

const isDatabase = (value: unknown): boolean =>
  METHODS.every((name) => typeof (value as Partial<DatabaseBackend> | null)?.[name] === 'function');

/** What is left open here is checked where it is read. */
const SHAPE = {
  cache: z.custom((value) => partsOf(value, CACHE_PARTS) !== undefined, {
    error: 'has to be made by createCacheBackend()',
  }),
  database: z.custom(isDatabase, {
    error: 'has to be a database, as createDatabaseBackend() makes one',
  }),
  strategy: z.enum(STRATEGIES, { error: `has to be one of ${STRATEGIES.join(', ')}` }),
  ttlSeconds: z.unknown().optional(),
  negativeTtlSeconds: z.unknown().optional(),
  invalidateOver: z.unknown().optional(),
  writeBehind: settings({
    maxQueued: z.unknown().optional(),
    retries: wholeNumber(0, 1_000_000).optional(),
    initialDelayMs: wholeNumber(0, MAX_TIMER_MS).optional(),
    maxDelayMs: wholeNumber(0, MAX_TIMER_MS).optional(),
    pause: functionOf(' that waits').optional(),
  }).optional(),
  onError: functionOf(' that is told of errors').optional(),
};

/** @throws {StorageError} `CONFIG_INVALID` */
export function checkCachedDatabaseOptions(options: CachedDatabaseOptions): void {
  checkedSettings(SHAPE, 'createCachedDatabase', options);
}

/** What another copy of the package made has them as well. */
export function partsOf<S extends typeof CACHE_PARTS | typeof DATABASE_PARTS>(
  role: unknown,
  symbol: S,
): (S extends typeof CACHE_PARTS ? CacheParts : DatabaseParts) | undefined {
  return (role as Record<symbol, never> | null | undefined)?.[symbol];
}
