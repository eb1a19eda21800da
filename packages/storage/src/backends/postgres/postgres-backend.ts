import { createHash } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import type { Backend } from '../../backend';
import { checkClient } from '../../check-client';
import { createBackend, type CreateBackendOptions } from '../../create-backend';
import { loadDriver } from '../../load-driver';
import { backendOptions } from '../../options/backend-options';
import { postgresFields } from '../../options/connection-fields';
import { tellProgram } from '../../tell-program';
import { cutOffAtEnd, type OwnPool } from './own-pool';
import type { PostgresPool } from './postgres-client';
import { PostgresDriver } from './postgres-driver';

export interface PostgresBackendOptions extends CreateBackendOptions {
  /** `postgres://user:password@host:port/database`. The single fields go before it. */
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly username?: string;
  /** As `username`. */
  readonly user?: string;
  readonly password?: string | (() => string | Promise<string>);
  readonly ssl?: boolean | ConnectionOptions;
  /** Binds the login to the encrypted connection where the server offers it: `false` unless given. */
  readonly channelBinding?: boolean;
  /** Settings of the server for each connection, such as `-c search_path=app`. */
  readonly options?: string;
  /** Where the tables are, and are made when they are missing; without it, by the server's `search_path`. */
  readonly schema?: string;
  /** What the server's list of connections calls this one: `recap` unless given. */
  readonly applicationName?: string;
  readonly pool?: PostgresPoolOptions;
  /** A pool of `pg` that is open already, instead of all of the above but `schema`. It is left open on `close()`. */
  readonly client?: PostgresPool;
  /** `false` behind a pooler that keeps no prepared statements and no settings, such as PgBouncer before 1.21. */
  readonly preparedStatements?: boolean;
  /** 16 MiB unless given. */
  readonly maxValueBytes?: number;
}

export interface PostgresPoolOptions {
  /** Connections that stay open while idle: 0 unless given. */
  readonly min?: number;
  /** 10 unless given. One of them is taken as long as there are subscriptions, which need 2. */
  readonly max?: number;
  /** How long a connection above `min` stays open while idle: 10,000 ms unless given. */
  readonly idleTimeoutMs?: number;
  /** How long a call waits for a connection to be free, or made: 10,000 ms unless given. */
  readonly acquireTimeoutMs?: number;
}

interface PostgresModule {
  readonly Pool: new (config: object) => OwnPool;
}

const MIB = 2 ** 20;

/**
 * Keeps items in three tables of a PostgreSQL database, 14 or newer. Needs the package `pg`.
 * JSON is stored as jsonb, so members of an object come back in jsonb's order; `timeoutMs` is 30,000 unless given.
 *
 * @throws {StorageError} `CONFIG_INVALID`
 */
export function createPostgresBackend(given: PostgresBackendOptions = {}): Backend {
  const options = withUrl(backendOptions('postgres', 'createPostgresBackend', given));
  const { schema, client, preparedStatements = true, maxValueBytes = 16 * MIB, timeoutMs = 30_000 } = options;
  checkClient(client, 'a pool of pg', ['query', 'connect', 'on']);
  const driver = new PostgresDriver({
    openPool: async () => client ?? openPool(options, timeoutMs),
    isPoolOurs: client === undefined,
    schema,
    suffix: createHash('sha256')
      .update(schema ?? '')
      .digest('hex')
      .slice(0, 8),
    preparesStatements: preparedStatements,
    maxValueBytes,
    timeoutMs,
    onError: (error) => tellProgram(() => options.onError?.(error, 'connection')),
  });
  // Our own pool ends a query that takes too long, and its connection with it; and a wait for one, as what it is.
  if (client === undefined) return createBackend(driver, withoutTimeout(options));
  return createBackend(driver, { ...options, timeoutMs });
}

function withoutTimeout({ timeoutMs: _, ...options }: PostgresBackendOptions): PostgresBackendOptions {
  return options;
}

/** What a URL says, and before it what single fields say. Not by `pg`, which lets the URL go before, and warns of it. */
function withUrl({ url, ...given }: PostgresBackendOptions): PostgresBackendOptions {
  const read: PostgresBackendOptions = postgresFields({ url }).fields;
  const chosen = Object.fromEntries(
    Object.entries<unknown>({ ...given }).filter(([, value]) => value !== undefined),
  );
  return { ...read, ...chosen, pool: { ...read.pool, ...given.pool } };
}

async function openPool(options: PostgresBackendOptions, timeoutMs: number): Promise<PostgresPool> {
  const pg = await loadDriver('pg', async () => require('pg') as PostgresModule);
  const { host, port, database, username, password, ssl, channelBinding, pool = {} } = options;
  const { applicationName = 'recap', preparedStatements = true } = options;
  const { min = 0, max = 10, idleTimeoutMs = 10_000, acquireTimeoutMs = 10_000 } = pool;
  const own = new pg.Pool({
    host,
    port,
    database,
    user: username,
    password,
    ssl,
    enableChannelBinding: channelBinding,
    options: options.options,
    min,
    max,
    application_name: applicationName,
    idleTimeoutMillis: idleTimeoutMs,
    // A call that finds the server gone waits for a new connection, not for longer than it may take.
    connectionTimeoutMillis: Math.min(acquireTimeoutMs, timeoutMs),
    // Poolers refuse a connection that brings settings.
    ...(preparedStatements && { statement_timeout: timeoutMs }),
    // One that gets no answer any more is closed, not used again.
    query_timeout: timeoutMs,
    keepAlive: true,
  });
  return cutOffAtEnd(own);
}
