import { StorageError } from '../../errors';
import { loadDriver } from '../../load-driver';
import type { MongoClient } from './mongodb-client';
import type { MongodbBackendOptions } from './mongodb-options';

interface MongoModule {
  readonly MongoClient: new (url: string, options: object) => MongoClient;
}

/**
 * A client that is not connected yet.
 *
 * @throws {StorageError} `CONFIG_INVALID`, without the URL, which may hold a password
 */
export async function openMongodb(options: MongodbBackendOptions, timeoutMs: number): Promise<MongoClient> {
  const { MongoClient } = await loadDriver('mongodb', async () => require('mongodb') as MongoModule);
  const { host = 'localhost', port = 27_017, username, password, authSource, replicaSet, tls } = options;
  const { connectTimeoutMs = 10_000, applicationName = 'recap', pool = {} } = options;
  const { min = 0, max = 20, idleTimeoutMs = 60_000, acquireTimeoutMs = 10_000 } = pool;
  const { url = `mongodb://${host.includes(':') ? `[${host}]` : host}:${port}` } = options;
  const settings = {
    ...(username !== undefined && { auth: { username, password } }),
    ...(authSource !== undefined && { authSource }),
    ...(replicaSet !== undefined && { replicaSet }),
    ...(typeof tls === 'object' ? { ...tls, tls: true } : tls !== undefined && { tls }),
    ...unlessNamed(url, {
      appName: applicationName,
      minPoolSize: min,
      maxPoolSize: max,
      maxIdleTimeMS: idleTimeoutMs,
    }),
    // Where a connection cannot be made, it is that which is told, not that none is free.
    waitQueueTimeoutMS: acquireTimeoutMs < timeoutMs ? acquireTimeoutMs : timeoutMs + 1_000,
    connectTimeoutMS: Math.min(connectTimeoutMs, Math.ceil(0.8 * Math.min(acquireTimeoutMs, timeoutMs))),
    // A call that finds no server says why, before it is said to take too long.
    serverSelectionTimeoutMS: Math.max(1, Math.floor(timeoutMs * 0.9)),
    // A connection that gives no answer any more is closed, not used again.
    socketTimeoutMS: timeoutMs,
  };
  try {
    return new MongoClient(url, settings);
  } catch {
    // Why is in its message, and perhaps a part of the URL.
    throw new StorageError(
      'CONFIG_INVALID',
      'MongoDB: the "url" or another setting of the connection is refused by the driver. A URL is mongodb://user:password@host:port/database?option=value, in which @ : / ? # % of a user or password are written %40 and so on.',
    );
  }
}

/** The driver would take settings for those of the URL, and ours are there always. */
function unlessNamed(url: string, settings: Readonly<Record<string, unknown>>): object {
  const [, query = ''] = /\?(.*)$/.exec(url) ?? [];
  const named = new Set([...new URLSearchParams(query).keys()].map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !named.has(name.toLowerCase())));
}

/** The database that the URL names, or ours. */
export function databaseOf({ url = '' }: { readonly url?: string | undefined }): string {
  const name = /^[^:]+:\/\/[^/?]*\/([^?]+)/.exec(url)?.[1];
  // One that is badly written is refused with the rest of the URL.
  return name === undefined || /%(?![0-9A-Fa-f]{2})/.test(name) ? 'recap' : decodeURIComponent(name);
}
