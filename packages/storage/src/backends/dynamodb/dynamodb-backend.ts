import type { Backend } from '../../backend';
import { checkOptions as checkNumbers, MAX_TIMER_MS } from '../../check-options';
import { createBackend } from '../../create-backend';
import { StorageError } from '../../errors';
import { isWellFormed } from '../../well-formed';
import { DynamodbDriver } from './dynamodb-driver';
import type { DynamodbBackendOptions } from './dynamodb-options';
import { openDynamodb } from './open-dynamodb';

const MIB = 2 ** 20;
const MAX_PREFIX_BYTES = 512;

/**
 * Keeps items in one table of Amazon DynamoDB, or of a server that speaks its language. Needs the package
 * `@aws-sdk/client-dynamodb`. `timeoutMs` is 10,000 unless given; what the server throttles is repeated that long.
 */
export function createDynamodbBackend(options: DynamodbBackendOptions = {}): Backend {
  const { client, endpoint, table = 'recap', keyPrefix = 'recap:', timeoutMs = 10_000 } = options;
  const { createTable = false, createTimeoutMs = 120_000, declareTimeToLive = false } = options;
  const { maxValueBytes = 16 * MIB, random = Math.random, onError = () => undefined } = options;
  checkNumbers(options, {
    timeoutMs: [1, MAX_TIMER_MS],
    createTimeoutMs: [1, MAX_TIMER_MS],
    maxConnections: [1, 10_000],
    maxValueBytes: [1, 512 * MIB],
  });
  checkTexts(table, keyPrefix, endpoint);
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
    onError,
  });
  return createBackend(driver, { ...options, timeoutMs });
}

/** @throws {StorageError} `CONFIG_INVALID` */
function checkTexts(table: string, keyPrefix: string, endpoint: string | undefined): void {
  const problem =
    (/^[\w.-]{3,255}$/.test(table)
      ? undefined
      : '"table" must be 3 to 255 letters, digits, dots, hyphens and underscores') ??
    (isWellFormed(keyPrefix) && !keyPrefix.includes('\0') && Buffer.byteLength(keyPrefix) <= MAX_PREFIX_BYTES
      ? undefined
      : `"keyPrefix" must be at most ${MAX_PREFIX_BYTES} bytes of text without NUL`) ??
    (endpoint === undefined || /^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : '')
      ? undefined
      : '"endpoint" must be a URL such as http://localhost:8000');
  if (problem !== undefined) throw new StorageError('CONFIG_INVALID', `DynamoDB: ${problem}.`);
}
