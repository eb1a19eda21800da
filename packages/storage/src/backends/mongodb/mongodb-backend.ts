import type { Backend } from '../../backend';
import { checkOptions, MAX_TIMER_MS } from '../../check-options';
import { createBackend } from '../../create-backend';
import { StorageError } from '../../errors';
import type { MongoClient } from './mongodb-client';
import { MAX_DOCUMENT_BYTES } from './mongodb-content';
import { MongoDriver } from './mongodb-driver';
import type { MongodbBackendOptions } from './mongodb-options';
import { databaseOf, openMongodb } from './open-mongodb';

/** A document holds the value, its address, and what belongs to them. */
export const MAX_MONGODB_VALUE_BYTES = MAX_DOCUMENT_BYTES;

/**
 * Keeps items as documents of two collections of a MongoDB database, 4.2 or newer: a single server, a replica set, or
 * a sharded cluster. Needs the package `mongodb`. `timeoutMs` is 10,000 unless given. Where the server has
 * transactions, which the two latter have, `capabilities` says so once it is open.
 *
 * @throws {StorageError} `CONFIG_INVALID`
 */
export function createMongodbBackend(options: MongodbBackendOptions = {}): Backend {
  const { client, database, collectionPrefix = 'recap_', w = 'majority', journal = true } = options;
  const { timeoutMs = 10_000, maxValueBytes = MAX_MONGODB_VALUE_BYTES } = options;
  check(options, collectionPrefix);
  const driver = new MongoDriver({
    openClient: async () => (client as MongoClient | undefined) ?? openMongodb(options, timeoutMs),
    isClientOurs: client === undefined,
    database: database ?? (client === undefined ? databaseOf(options) : undefined),
    collectionPrefix,
    writeConcern: { w, journal },
    closeMs: Math.min(1_000, timeoutMs / 2),
    maxValueBytes,
    onError: options.onError ?? (() => undefined),
  });
  return createBackend(driver, { ...options, timeoutMs });
}

/** @throws {StorageError} `CONFIG_INVALID` */
function check(options: MongodbBackendOptions, collectionPrefix: string): void {
  const { url, w, database, pool = {} } = options;
  checkOptions(options, {
    port: [1, 65_535],
    timeoutMs: [1, MAX_TIMER_MS],
    connectTimeoutMs: [1, MAX_TIMER_MS],
    maxValueBytes: [1, MAX_MONGODB_VALUE_BYTES],
  });
  checkOptions(pool, {
    min: [0, 10_000],
    max: [1, 10_000],
    idleTimeoutMs: [1, MAX_TIMER_MS],
    acquireTimeoutMs: [1, MAX_TIMER_MS],
  });
  if (w !== 'majority') checkOptions({ w }, { w: [1, 50] });
  const problem =
    (/^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/.test(collectionPrefix)
      ? undefined
      : '"collectionPrefix" must be 1 to 100 letters, digits and _ . -, and begin with a letter or _') ??
    (database === undefined || /^[^/\\. "$*<>:|?\0]{1,63}$/.test(database)
      ? undefined
      : '"database" must be 1 to 63 characters, and none of / \\ . " $ * < > : | ? or a space') ??
    (url === undefined || /^mongodb(\+srv)?:\/\//.test(url)
      ? undefined
      : '"url" must begin with mongodb:// or mongodb+srv://');
  if (problem !== undefined) throw new StorageError('CONFIG_INVALID', `MongoDB: ${problem}.`);
}
