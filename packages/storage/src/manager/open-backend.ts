import type { Backend } from '../backend';
import { createDynamodbBackend } from '../backends/dynamodb/dynamodb-backend';
import type { DynamodbBackendOptions } from '../backends/dynamodb/dynamodb-options';
import { createFileBackend } from '../backends/file/file-backend';
import { textOfDamage } from '../backends/file/file-damage';
import { createMemoryBackend } from '../backends/memory/memory-backend';
import { createMongodbBackend } from '../backends/mongodb/mongodb-backend';
import { createPostgresBackend } from '../backends/postgres/postgres-backend';
import { createRedisBackend } from '../backends/redis/redis-backend';
import type { RedisBackendOptions } from '../backends/redis/redis-options';
import { createSqliteBackend } from '../backends/sqlite/sqlite-backend';
import { wholeClock } from '../clock';
import type { CreateBackendOptions } from '../create-backend';
import { newId } from '../new-id';
import { aroundBackend, type Around } from '../resilience/around-backend';
import { aroundDriver } from '../resilience/around-driver';
import { callPolicy } from '../resilience/call-policy';
import type {
  ResolvedBackend,
  ResolvedCustom,
  ResolvedMongodb,
  ResolvedDynamodb,
  ResolvedPostgres,
  ResolvedRedis,
  Role,
} from './resolved-config';
import { isConsequence } from './is-consequence';
import type { StorageLog } from './storage-log';
import type { StorageOptions } from './storage-options';

export interface BackendContext {
  readonly role: Role;
  readonly log: StorageLog;
  readonly options: Pick<StorageOptions, 'clock' | 'newId' | 'random'>;
}

/** Makes a backend of its settings. Its driver is loaded when it is opened. */
export function makeBackend(config: ResolvedBackend, context: BackendContext): Backend {
  const { role, log, options } = context;
  const clock = wholeClock(options.clock);
  const base: CreateBackendOptions = {
    clock,
    newId: options.newId ?? newId,
    onError: (error, operation) => {
      if (!isConsequence(error)) log.failed(error, { role, backend: config.type, operation });
    },
  };
  const remote = (
    settings: ResolvedPostgres | ResolvedRedis | ResolvedMongodb | ResolvedDynamodb,
  ): CreateBackendOptions => ({
    ...base,
    timeoutMs: settings.timeoutMs,
    through: (driver) => aroundDriver(driver, policyOf(settings, context), clock),
  });
  switch (config.type) {
    case 'memory': {
      const { maxItems, maxBytes, maxValueBytes, whenFull } = config;
      return createMemoryBackend({ ...base, maxItems, maxBytes, maxValueBytes, whenFull });
    }
    case 'file': {
      const { path, createFolder, enableSharding, shardCount, enableBackups, backupCount } = config;
      return createFileBackend({
        ...{ ...base, path, createFolder, enableSharding, enableBackups, backupCount },
        ...(shardCount !== undefined && { shardCount }),
        fileMode: config.fileMode,
        maxValueBytes: config.maxValueBytes,
        onDamage: (damage) => {
          log.alert({ role, backend: 'file', ...damage }, textOfDamage(damage));
        },
      });
    }
    case 'postgres': {
      const { client, pool, applicationName, preparedStatements, maxValueBytes } = config;
      const place = withoutUndefined({
        ...{ host: config.host, port: config.port, database: config.database, username: config.username },
        ...{ password: config.password, ssl: config.ssl, schema: config.schema },
        ...{ channelBinding: config.channelBinding, options: config.options },
      });
      return createPostgresBackend({
        ...{ ...remote(config), ...place, pool, applicationName, preparedStatements, maxValueBytes },
        ...(client === undefined ? {} : { client: client as never }),
      });
    }
    case 'custom': {
      const backend = config.backend as Backend;
      const options = { newId: context.options.newId ?? newId, runsLater: true };
      return aroundBackend(backend, policyOf(config, context, config.timeoutMs), options);
    }
    case 'sqlite': {
      const { client, path, createFolder, synchronous, busyTimeoutMs, maxValueBytes } = config;
      return createSqliteBackend({
        ...{ ...base, maxValueBytes },
        ...(client === undefined
          ? { path, createFolder, synchronous, busyTimeoutMs }
          : { client: client as never }),
      });
    }
    case 'mongodb': {
      const {
        client,
        retry: _retry,
        circuitBreaker: _breaker,
        type: _type,
        keyPrefix: _prefix,
        ...settings
      } = config;
      return createMongodbBackend({
        ...withoutUndefined(settings),
        ...remote(config),
        ...(client === undefined ? {} : { client }),
      });
    }
    case 'redis': {
      const { client, retry: _retry, circuitBreaker: _breaker, type: _type, ...settings } = config;
      return createRedisBackend({
        ...withoutUndefined(settings),
        ...remote(config),
        ...(client === undefined ? {} : { client }),
        onWarning: (message) => log.alert({ role, backend: config.type }, message),
      } as RedisBackendOptions);
    }
    case 'dynamodb': {
      const { retry: _retry, circuitBreaker: _breaker, type: _type, ...settings } = config;
      return createDynamodbBackend({
        ...withoutUndefined(settings),
        ...remote(config),
        ...(options.random && { random: options.random }),
      } as DynamodbBackendOptions);
    }
  }
}

function policyOf(
  settings: ResolvedPostgres | ResolvedRedis | ResolvedMongodb | ResolvedDynamodb | ResolvedCustom,
  { role, log, options: { random } }: BackendContext,
  attemptTimeoutMs?: number,
): Around {
  const { type, timeoutMs, retry, circuitBreaker } = settings;
  const name = type === 'custom' ? (settings.backend as Backend).name : type;
  return callPolicy({
    ...{ name, budgetMs: timeoutMs, attemptTimeoutMs, retry, circuitBreaker },
    ...(random === undefined ? {} : { random }),
    onRetry: (attempt, delayMs) => {
      log.debug(
        { role, backend: name, attempt, delayMs: Math.round(delayMs) },
        'A storage operation is tried again.',
      );
    },
    onCircuit: (state) => {
      const details = { role, backend: name };
      if (state === 'open')
        log.warn(details, `The ${name} backend keeps failing and is left alone for a while.`);
      else log.info(details, `The ${name} backend answers again.`);
    },
  });
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutUndefined<T extends object>(settings: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}
