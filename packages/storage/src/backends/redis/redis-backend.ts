import type { Backend } from '../../backend';
import { createBackend } from '../../create-backend';
import { StorageError } from '../../errors';
import { backendOptions } from '../../options/backend-options';
import { checkClient } from '../../check-client';
import { tellProgram } from '../../tell-program';
import { openRedis, toEndpoint } from './open-redis';
import type { RedisClient } from './redis-client';
import { RedisDriver } from './redis-driver';
import type { RedisBackendOptions } from './redis-options';

const MIB = 2 ** 20;

/**
 * Keeps items in Redis 6.2 or newer: a single server, one behind sentinels, or a cluster. Needs the package `ioredis`.
 * `timeoutMs` is 10,000 unless given. Redis keeps what it answers in memory, and saves and replicates it later:
 * what a crash or a failover may lose is in the guide.
 */
export function createRedisBackend(given: RedisBackendOptions = {}): Backend {
  const options = backendOptions('redis', 'createRedisBackend', given);
  const {
    client,
    keyPrefix = 'recap:',
    waitReplicas = 0,
    waitTimeoutMs = 1_000,
    timeoutMs = 10_000,
  } = options;
  const { maxValueBytes = 16 * MIB, onWarning = (message) => process.emitWarning(message, 'RecapWarning') } =
    options;
  checkClient(client, 'a client or cluster of ioredis', ['getBuffer', 'evalshaBuffer', 'duplicate', 'on']);
  checkWays(options);
  const endpoint = toEndpoint(options);
  const driver = new RedisDriver({
    openClient: async () => (client as RedisClient | undefined) ?? openRedis(options, endpoint),
    isClientOurs: client === undefined,
    keyPrefix,
    waitReplicas,
    waitTimeoutMs,
    quitMs: Math.min(1_000, timeoutMs / 2),
    heartbeatMs: timeoutMs,
    maxValueBytes,
    onError: (error) => tellProgram(() => options.onError?.(error, 'connection')),
    onWarning: (message) => tellProgram(() => onWarning(message)),
  });
  return createBackend(driver, { ...options, timeoutMs });
}

/** @throws {StorageError} `CONFIG_INVALID` */
function checkWays({ client, cluster, sentinel, db = 0 }: RedisBackendOptions): void {
  const given = (client as Partial<RedisClient> | undefined)?.options;
  const stringNumbers = given?.stringNumbers ?? given?.redisOptions?.stringNumbers ?? false;
  const problem =
    (stringNumbers
      ? '"client" has "stringNumbers", with which numbers come as texts; hand in one without it'
      : undefined) ??
    (cluster && sentinel ? '"cluster" and "sentinel" exclude each other' : undefined) ??
    (cluster && db !== 0 ? 'a cluster has no "db" but 0' : undefined);
  if (problem !== undefined) throw new StorageError('CONFIG_INVALID', `createRedisBackend: ${problem}.`);
}
