import type { Backend } from '../../backend';
import { createBackend } from '../../create-backend';
import { backendOptions } from '../../options/backend-options';
import { MAX_MONGODB_VALUE_BYTES } from '../../options/config-schemas';
import { checkClient } from '../../check-client';
import { tellProgram } from '../../tell-program';
import type { MongoClient } from './mongodb-client';
import { MongoDriver } from './mongodb-driver';
import { explainMongoError } from './mongodb-errors';
import type { MongodbBackendOptions } from './mongodb-options';
import { databaseOf, openMongodb } from './open-mongodb';

/**
 * Keeps items as documents of two collections of a MongoDB database, 4.2 or newer: a single server, a replica set, or
 * a sharded cluster. Needs the package `mongodb`. `timeoutMs` is 10,000 unless given. Where the server has
 * transactions, which the two latter have, `capabilities` says so once it is open.
 *
 * @throws {StorageError} `CONFIG_INVALID`
 */
export function createMongodbBackend(given: MongodbBackendOptions = {}): Backend {
  const options = backendOptions('mongodb', 'createMongodbBackend', given);
  const { client, database, collectionPrefix = 'recap_', w = 'majority', journal = true } = options;
  const { timeoutMs = 10_000, maxValueBytes = MAX_MONGODB_VALUE_BYTES } = options;
  checkClient(client, 'a client of mongodb', ['connect', 'db']);
  const driver = new MongoDriver({
    openClient: async () => (client as MongoClient | undefined) ?? openMongodb(options, timeoutMs),
    isClientOurs: client === undefined,
    database: database ?? (client === undefined ? databaseOf(options) : undefined),
    collectionPrefix,
    writeConcern: { w, journal },
    timeoutMs,
    closeMs: Math.min(1_000, timeoutMs / 2),
    maxValueBytes,
    onError: (error) => tellProgram(() => options.onError?.(explainMongoError(error), 'upkeep')),
  });
  return createBackend(driver, { ...options, timeoutMs });
}
