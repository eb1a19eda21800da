import type { Backend } from '../../backend';
import { createBackend } from '../../create-backend';
import { backendOptions } from '../../options/backend-options';
import { checkClient } from '../../check-client';
import { tellProgram } from '../../tell-program';
import { DynamodbDriver } from './dynamodb-driver';
import type { DynamodbBackendOptions } from './dynamodb-options';
import { openDynamodb } from './open-dynamodb';

const MIB = 2 ** 20;

/**
 * Keeps items in one table of Amazon DynamoDB, or of a server that speaks its language. Needs the package
 * `@aws-sdk/client-dynamodb`. `timeoutMs` is 10,000 unless given; what the server throttles is repeated that long.
 */
export function createDynamodbBackend(given: DynamodbBackendOptions = {}): Backend {
  const options = backendOptions('dynamodb', 'createDynamodbBackend', given);
  const { client, endpoint, table = 'recap', keyPrefix = 'recap:', timeoutMs = 10_000 } = options;
  const { createTable = false, createTimeoutMs = 120_000, declareTimeToLive = false } = options;
  const { maxValueBytes = 16 * MIB, random = Math.random } = options;
  checkClient(client, 'a DynamoDBClient', ['send']);
  const driver = new DynamodbDriver({
    openClient: () => openDynamodb(options, timeoutMs),
    isClientOurs: client === undefined,
    table,
    keyPrefix,
    transact: options.transact ?? (client === undefined && endpoint === undefined),
    createTable,
    createTimeoutMs,
    declareTimeToLive,
    retryMs: timeoutMs,
    maxValueBytes,
    random,
    onError: (error) => tellProgram(() => options.onError?.(error, 'upkeep')),
  });
  return createBackend(driver, { ...options, timeoutMs });
}
