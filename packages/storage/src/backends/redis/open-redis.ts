import type { ConnectionOptions } from 'node:tls';
import { loadDriver } from '../../load-driver';
import { redisFields } from '../../options/connection-fields';
import type { RedisBackendOptions, RedisNode } from './redis-options';
import type { RedisClient } from './redis-client';

interface RedisModule {
  readonly Redis: new (options: object) => RedisClient;
  readonly Cluster: new (nodes: readonly RedisNode[], options: object) => RedisClient;
}

interface Endpoint {
  readonly host?: string;
  readonly port?: number;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly family?: 0 | 4 | 6;
  readonly tls?: ConnectionOptions;
}

/** A client that is not connected yet. */
export async function openRedis(options: RedisBackendOptions, endpoint: Endpoint): Promise<RedisClient> {
  const redis = await loadDriver('ioredis', async () => require('ioredis') as RedisModule);
  const {
    connectTimeoutMs = 10_000,
    clientName = 'recap',
    autoPipelining = false,
    sentinel,
    cluster,
  } = options;
  const { host, port, db, family = 0, ...credentials } = endpoint;
  const connection = {
    ...credentials,
    connectionName: clientName,
    connectTimeout: connectTimeoutMs,
    // Of a connection that is ended and does not hear of it.
    disconnectTimeout: 250,
    keepAlive: 10_000,
    // A call in flight when the connection breaks fails at once; sent again later, it could undo a newer write. On a cluster
    // the driver does so all the same: without that, it does not look for the new master.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // A master that became a replica: the address may lead to the new one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
  if (cluster !== undefined)
    return new redis.Cluster(cluster.nodes, {
      lazyConnect: true,
      enableOfflineQueue: false,
      enableAutoPipelining: autoPipelining,
      clusterRetryStrategy: retryDelay,
      slotsRefreshTimeout: connectTimeoutMs,
      redisOptions: { ...connection, maxRetriesPerRequest: undefined, autoResubscribe: true },
      ...(cluster.natMap && { natMap: cluster.natMap }),
    });
  let isOpen = false;
  const client = new redis.Redis({
    ...connection,
    ...(sentinel !== undefined
      ? toSentinel(sentinel, () => isOpen)
      : host?.startsWith('/') === true
        ? { path: host }
        : { host, port }),
    family,
    db,
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: autoPipelining,
    retryStrategy: retryDelay,
  });
  client.on('ready', () => {
    isOpen = true;
  });
  return client;
}

function toSentinel(
  { nodes, name, username, password, tls }: NonNullable<RedisBackendOptions['sentinel']>,
  isOpen: () => boolean,
): object {
  return {
    sentinels: nodes,
    name,
    sentinelUsername: username,
    sentinelPassword: password,
    ...(tls && { sentinelTLS: tls === true ? {} : tls, enableTLSForSentinelMode: true }),
    // Opening fails when no sentinel answers; a master that is lost later is looked for as long as it takes.
    sentinelRetryStrategy: (times: number) => (isOpen() || times < 3 ? retryDelay(times) : null),
  };
}

/** Doubling from 50 ms to 2 s, a part of it by chance, so that many clients do not come at once. */
function retryDelay(times: number): number {
  const delay = Math.min(50 * 2 ** Math.min(times - 1, 6), 2_000);
  return Math.round(delay * (0.5 + Math.random() / 2));
}

/** Of options that are checked: what a URL says, and before it what single fields say. */
export function toEndpoint(options: RedisBackendOptions): Endpoint {
  const { url, host, port, username, password, db, family, tls } = options;
  const { tls: isEncrypted, ...parsed } = redisFields({ url }).fields as Endpoint & { tls?: boolean };
  const encryption = tls ?? isEncrypted;
  const given = {
    ...{ host, port, username, password, db, family },
    tls: encryption === true ? {} : encryption || undefined,
  };
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...parsed, ...Object.fromEntries(chosen) };
}
