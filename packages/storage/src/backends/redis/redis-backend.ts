import type { Backend } from '../../backend';
import { createBackend } from '../../create-backend';
import { StorageError } from '../../errors';
import { openRedis } from './open-redis';
import type { RedisClient } from './redis-client';
import { RedisDriver } from './redis-driver';
import type { RedisBackendOptions } from './redis-options';

const MIB = 2 ** 20;

/**
 * Keeps items in Redis 6.2 or newer: a single server, one behind sentinels, or a cluster. Needs the package `ioredis`.
 * `timeoutMs` is 10,000 unless given. Redis keeps what it answers in memory, and saves and replicates it later:
 * what a crash or a failover may lose is in the guide.
 */
export function createRedisBackend(options: RedisBackendOptions = {}): Backend {
  const {
    client,
    keyPrefix = 'recap:',
    waitReplicas = 0,
    waitTimeoutMs = 1_000,
    timeoutMs = 10_000,
  } = options;
  const { maxValueBytes = 16 * MIB, onWarning = (message) => process.emitWarning(message, 'RecapWarning') } =
    options;
  checkOptions(options);
  const driver = new RedisDriver({
    openClient: async () => (client as RedisClient | undefined) ?? openRedis(options, timeoutMs),
    isClientOurs: client === undefined,
    keyPrefix,
    waitReplicas,
    waitTimeoutMs,
    maxValueBytes,
    onError: options.onError ?? (() => undefined),
    onWarning,
  });
  return createBackend(driver, { ...options, timeoutMs });
}

/** @throws {StorageError} `CONFIG_INVALID` */
function checkOptions({ keyPrefix = '', cluster, sentinel, db = 0, ...options }: RedisBackendOptions): void {
  const problem =
    problemOfNumbers(options) ??
    // The braces of a prefix would become the hash tag, and tear partitions apart or heap them onto one node.
    (/[{}]/.test(keyPrefix) ? '"keyPrefix" must hold no braces' : undefined) ??
    (cluster && sentinel ? '"cluster" and "sentinel" exclude each other' : undefined) ??
    (cluster?.nodes.length === 0 ? '"cluster.nodes" is empty' : undefined) ??
    (sentinel?.nodes.length === 0 ? '"sentinel.nodes" is empty' : undefined) ??
    (cluster && db !== 0 ? 'a cluster has no "db" but 0' : undefined);
  if (problem !== undefined) throw new StorageError('CONFIG_INVALID', `Redis: ${problem}.`);
}

function problemOfNumbers(options: RedisBackendOptions): string | undefined {
  const { waitReplicas = 0, waitTimeoutMs = 1, connectTimeoutMs = 1, maxValueBytes = 1 } = options;
  const isWhole = (value: number, min: number): boolean => Number.isSafeInteger(value) && value >= min;
  if (!isWhole(waitReplicas, 0)) return '"waitReplicas" must be an integer from 0 on';
  // To the server 0 means for ever.
  if (!isWhole(waitTimeoutMs, 1)) return '"waitTimeoutMs" must be an integer from 1 on';
  if (!isWhole(connectTimeoutMs, 1)) return '"connectTimeoutMs" must be an integer from 1 on';
  return isWhole(maxValueBytes, 1) && maxValueBytes <= 512 * MIB - 1_024
    ? undefined
    : '"maxValueBytes" must be an integer from 1 to a little less than 512 MiB';
}
