import type { ConnectionOptions } from 'node:tls';
import { StorageError } from '../../errors';
import { loadDriver } from '../../load-driver';
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
  readonly tls?: ConnectionOptions;
}

/** A client that is not connected yet. */
export async function openRedis(options: RedisBackendOptions, timeoutMs: number): Promise<RedisClient> {
  const endpoint = toEndpoint(options);
  const redis = await loadDriver('ioredis', async () => require('ioredis') as RedisModule);
  const { connectTimeoutMs = 10_000, clientName = 'recap', autoPipelining, sentinel, cluster } = options;
  const { host, port, db, ...credentials } = endpoint;
  const connection = {
    ...credentials,
    connectionName: clientName,
    connectTimeout: connectTimeoutMs,
    // One on which no answer comes any more is closed, not waited on for as long as TCP would.
    socketTimeout: timeoutMs,
    keepAlive: 10_000,
    // A call in flight when the connection breaks fails at once; sent again later, it could undo a newer write.
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
      // A pipeline is not sent elsewhere once a part of it has succeeded, as it must be while slots move.
      enableAutoPipelining: autoPipelining ?? false,
      clusterRetryStrategy: retryDelay,
      slotsRefreshTimeout: connectTimeoutMs,
      redisOptions: { ...connection, maxRetriesPerRequest: undefined, autoResubscribe: true },
      ...(cluster.natMap && { natMap: cluster.natMap }),
    });
  let isOpen = false;
  const client = new redis.Redis({
    ...connection,
    ...(sentinel === undefined ? { host, port } : toSentinel(sentinel, () => isOpen)),
    family: 0,
    db,
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: autoPipelining ?? true,
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

function toEndpoint({ url, host, port, username, password, db, tls }: RedisBackendOptions): Endpoint {
  const parsed = url === undefined ? {} : parseUrl(url);
  const given = { host, port, username, password, db, tls: tls === true ? {} : tls || undefined };
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...parsed, ...Object.fromEntries(chosen) };
}

/** @throws {StorageError} `CONFIG_INVALID`, without the URL, which may hold a password */
function parseUrl(url: string): Endpoint {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const database = parsed?.pathname.slice(1) ?? '';
  if (parsed === undefined || !/^rediss?:$/.test(parsed.protocol) || !/^\d*$/.test(database))
    throw new StorageError(
      'CONFIG_INVALID',
      '"url" must be redis://user:password@host:port/database, or rediss:// for TLS; user, password, port and database (a number) may be left out.',
    );
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost',
    ...(parsed.port !== '' && { port: Number(parsed.port) }),
    ...(parsed.username !== '' && { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password !== '' && { password: decodeURIComponent(parsed.password) }),
    ...(database !== '' && { db: Number(database) }),
    ...(parsed.protocol === 'rediss:' && { tls: {} }),
  };
}
