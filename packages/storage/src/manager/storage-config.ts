import type { BackendTypeAlias } from './backend-types';

/** A number, or a text that holds or brings one: `'5433'`, `'${PGPORT:-5432}'`. */
export type NumberSetting = number | string;

/** True or false, or a text that holds or brings one: `'true'`, `'${PGSSL:-false}'`. */
export type FlagSetting = boolean | string;

/** Settings that every half takes. */
export interface HalfConfig {
  /**
   * Begins the name of everything that is kept, so that several programs can share one server; 1 to 512 bytes,
   * default `recap:`. Cache and database keep apart all the same. For Redis without braces, for DynamoDB without NUL.
   */
  readonly keyPrefix?: string;
  /**
   * What takes over, in this order, while the backend cannot be reached; default: nothing does, and its
   * failure is yours. `'documented'` is memory behind redis, sqlite and memory behind postgres, memory
   * behind sqlite.
   */
  readonly fallback?: FallbackConfig;
}

/** Settings of backends that are asked over a network. */
export interface RemoteConfig extends HalfConfig {
  /** Longest time for an operation, with what has to be tried again; default 10,000. */
  readonly timeoutMs?: NumberSetting;
  /** Another attempt after a failure that may pass, where it cannot do the work twice; `false` for none. */
  readonly retry?: RetryConfig | false;
  /** Asks a server no more that keeps failing, until some time has passed; `false` for never. */
  readonly circuitBreaker?: CircuitBreakerConfig | false;
}

export interface RetryConfig {
  /** Attempts beyond the first; default 3. */
  readonly retries?: NumberSetting;
  /** Upper end of the first wait; it doubles with each. The wait itself is drawn from 0 up to there. Default 50. */
  readonly initialDelayMs?: NumberSetting;
  /** What the upper end stops growing at; default 2,000. */
  readonly maxDelayMs?: NumberSetting;
}

export interface CircuitBreakerConfig {
  /** Failures in a row from which on the server is left alone; default 5. */
  readonly failures?: NumberSetting;
  /** After this time one operation is let through; default 5,000. */
  readonly resetAfterMs?: NumberSetting;
}

export interface MemoryConfig extends HalfConfig {
  readonly type: 'memory' | 'in-memory';
  /** Most values and lists; default 1,000,000. */
  readonly maxItems?: NumberSetting;
  /** Most bytes of partitions, keys and values; default 268,435,456 (256 MiB). */
  readonly maxBytes?: NumberSetting;
  /** Largest value; default 16,777,216 (16 MiB). */
  readonly maxValueBytes?: NumberSetting;
  /**
   * `evict` drops what was not used for longest, `refuse` rejects `CAPACITY_EXCEEDED`. Default: a cache evicts, a
   * database and what takes over for either refuse.
   */
  readonly whenFull?: 'evict' | 'refuse';
}

export interface FileConfig extends HalfConfig {
  readonly type: 'file';
  /** The folder, made when it is not there; default `.recap/files`. One process at a time writes there. */
  readonly path?: string;
  /** Makes the folder and those above it, for this user only; default true. */
  readonly createFolder?: FlagSetting;
  /** Spreads the files over folders; default true. */
  readonly enableSharding?: FlagSetting;
  /** How many folders, 1 to 4,096; default: as many as there are, 16 for a new one. */
  readonly shardCount?: NumberSetting;
  /** Keeps what was in a file before, so that a damaged one is restored; default true. */
  readonly enableBackups?: FlagSetting;
  /** How many; default 5. */
  readonly backupCount?: NumberSetting;
  /** Who may read and write the files, in octal digits: `'0640'` lets the group read; default `'0600'`. */
  readonly fileMode?: string | number;
  /** Largest value; default 16,777,216 (16 MiB). */
  readonly maxValueBytes?: NumberSetting;
}

export interface SqliteConfig extends HalfConfig {
  readonly type: 'sqlite';
  /** The file, made with its folder when it is not there; default `.recap/storage.db`. `:memory:` keeps nothing. */
  readonly path?: string;
  /** Makes the folders that the file is in, for this user only; default true. */
  readonly createFolder?: FlagSetting;
  /** `full` (the default) survives a power cut, `normal` the end of the process. */
  readonly synchronous?: 'full' | 'normal';
  /** Longest wait while another process has the lock; default 5,000. */
  readonly busyTimeoutMs?: NumberSetting;
  /** Largest value; default 1,048,576 (1 MiB): larger ones hold the program up for more than 20 ms. */
  readonly maxValueBytes?: NumberSetting;
  /** A database of your own (`better-sqlite3`), which stays yours to close. Then nothing that says where it is. */
  readonly client?: object;
}

export interface PostgresConfig extends RemoteConfig {
  readonly type: 'postgres' | 'postgresql';
  /** `postgres://user:password@host:port/database?sslmode=…`. What it says is not said again in a field. */
  readonly url?: string;
  /** Default `localhost`; a path that begins with `/` is the folder of a Unix socket. */
  readonly host?: string;
  /** Default 5432. */
  readonly port?: NumberSetting;
  /** Default: the name of the user. */
  readonly database?: string;
  readonly username?: string;
  readonly password?: string;
  /** True: encrypted, and the certificate is checked. Default false, unless the URL says otherwise. */
  readonly ssl?: FlagSetting | TlsConfig;
  /** Binds the login to the encrypted connection (SCRAM-SHA-256-PLUS) where the server offers it; default false. */
  readonly channelBinding?: FlagSetting;
  /** Settings of the server for each connection, such as `-c search_path=app`, or what a pooler wants to know. */
  readonly options?: string;
  /** Where Recap's tables are, and are made when they are missing; default: by the server's `search_path`. */
  readonly schema?: string;
  /** How the connections call themselves in `pg_stat_activity`; default `recap`. */
  readonly applicationName?: string;
  /** False behind a pooler that does not keep prepared statements, such as PgBouncer before 1.21; default true. */
  readonly preparedStatements?: FlagSetting;
  /** Largest value; default 16,777,216 (16 MiB). */
  readonly maxValueBytes?: NumberSetting;
  readonly pool?: PoolConfig;
  /** A pool of your own (`pg.Pool`), which stays yours to end. Then nothing that says how to connect. */
  readonly client?: object;
}

export interface PoolConfig {
  /** Connections that stay open; default 0. */
  readonly min?: NumberSetting;
  /** Default 10, for MongoDB 20. */
  readonly max?: NumberSetting;
  /** Time after which a connection beyond `min` that nobody needs is closed; default 10,000, for MongoDB 60,000. */
  readonly idleTimeoutMs?: NumberSetting;
  /** Longest wait for a connection to be free, or made; default 10,000. */
  readonly acquireTimeoutMs?: NumberSetting;
}

export interface TlsConfig {
  /** Certificates of authorities in PEM, instead of those that Node knows. */
  readonly ca?: string;
  /** The client's certificate in PEM. */
  readonly cert?: string;
  /** The client's key in PEM. */
  readonly key?: string;
  /** The name that the certificate has to bear; default: the host. */
  readonly servername?: string;
  /** False takes any certificate, so anybody can listen; default true. */
  readonly rejectUnauthorized?: FlagSetting;
}

export interface RedisConfig extends RemoteConfig {
  readonly type: 'redis';
  /** `redis://user:password@host:port/db`, `rediss://` for TLS. What it says is not said again in a field. */
  readonly url?: string;
  /** Default `localhost`; a path that begins with `/` is a Unix socket. */
  readonly host?: string;
  /** Default 6379. */
  readonly port?: NumberSetting;
  readonly username?: string;
  readonly password?: string;
  /** The number of the database; default 0, the only one of a cluster. */
  readonly db?: NumberSetting;
  /** The addresses that a name is looked up for: 4, 6, or 0 for either, the default. */
  readonly family?: 0 | 4 | 6 | string;
  readonly tls?: FlagSetting | TlsConfig;
  /** Finds the master through Sentinels. Then neither `url` nor `host`. */
  readonly sentinel?: SentinelConfig;
  /** A Redis Cluster. Then neither `url` nor `host`. */
  readonly cluster?: ClusterConfig;
  /** How the connections call themselves in the server's list; default `recap`. */
  readonly clientName?: string;
  /** Longest time to connect; default 10,000. */
  readonly connectTimeoutMs?: NumberSetting;
  /** Whether calls of one turn of the event loop also wait for each other's answers; default false. */
  readonly autoPipelining?: FlagSetting;
  /** How many replicas must have a write before it resolves; default 0. Makes losing one unlikely, not impossible. */
  readonly waitReplicas?: NumberSetting;
  /** Longest wait for them; default 1,000. */
  readonly waitTimeoutMs?: NumberSetting;
  /** Largest value; default 16,777,216 (16 MiB), at most 511 MiB. */
  readonly maxValueBytes?: NumberSetting;
  /** An `ioredis` client or cluster of your own, which stays yours to end. Then nothing that says how to connect. */
  readonly client?: object;
}

export interface SentinelConfig {
  /** The name of the group of servers, such as `mymaster`. */
  readonly name: string;
  readonly nodes: readonly NodeConfig[];
  /** Of the Sentinels themselves, as `password`. */
  readonly username?: string;
  readonly password?: string;
  readonly tls?: FlagSetting | TlsConfig;
}

export interface ClusterConfig {
  /** Some of its nodes, which know the others. */
  readonly nodes: readonly NodeConfig[];
  /** Where nodes are reached, by the address that the cluster knows them by: `{ '10.0.0.1:6379': { host, port } }`. */
  readonly natMap?: Readonly<Record<string, NodeConfig>>;
}

export interface NodeConfig {
  readonly host: string;
  /** Default 6379, of a Sentinel 26379. */
  readonly port?: NumberSetting;
}

export interface MongodbConfig extends RemoteConfig {
  readonly type: 'mongodb' | 'mongo';
  /** `mongodb://user:password@host:port,host:port/database?replicaSet=name` or `mongodb+srv://…`. */
  readonly url?: string;
  /** Default `localhost`. */
  readonly host?: string;
  /** Default 27017. */
  readonly port?: NumberSetting;
  readonly username?: string;
  readonly password?: string;
  /** The database that knows the user; default `admin`. */
  readonly authSource?: string;
  /** The name of the replica set, which finds its other members. */
  readonly replicaSet?: string;
  readonly tls?: FlagSetting | TlsConfig;
  /** Default: the one that the URL names, or `recap`; of a client of your own, its own. */
  readonly database?: string;
  /** Begins the names of both collections; default `recap_`. */
  readonly collectionPrefix?: string;
  /** How the connections call themselves in the server's log; default `recap`. */
  readonly applicationName?: string;
  /** Longest time to connect; default 10,000. */
  readonly connectTimeoutMs?: NumberSetting;
  readonly pool?: PoolConfig;
  /** How many members of a replica set must have a write before it resolves, or `majority`, the default. */
  readonly w?: NumberSetting;
  /** Whether they must have it on their disks; default true. */
  readonly journal?: FlagSetting;
  /** Largest value; default and at most 16,711,680 (64 KiB below 16 MiB). */
  readonly maxValueBytes?: NumberSetting;
  /** A `MongoClient` of your own, which stays yours to close. Then nothing that says how to connect. */
  readonly client?: object;
}

export interface DynamodbConfig extends RemoteConfig {
  readonly type: 'dynamodb' | 'dynamo';
  /** Default: what the AWS SDK finds; with an `endpoint` what its name or `AWS_REGION` says, else `us-east-1`. */
  readonly region?: string;
  /** Of a server other than that of the region, such as `http://localhost:8000`. */
  readonly endpoint?: string;
  /** 3 to 255 letters, digits, dots, hyphens and underscores; default `recap`. */
  readonly table?: string;
  /** Default: what the AWS SDK finds in the environment, a profile or a role. */
  readonly credentials?: DynamodbCredentialsConfig;
  /** Makes the table, billed on demand, when it is not there; default false. */
  readonly createTable?: FlagSetting;
  /** Longest wait for a table that is being made; default 120,000. */
  readonly createTimeoutMs?: NumberSetting;
  /** Tells the table to drop by itself what has expired; default false. */
  readonly declareTimeToLive?: FlagSetting;
  /** Whether the server has transactions; default true, with an `endpoint` or a `client` false. */
  readonly transact?: FlagSetting;
  /** Most connections; default 64. */
  readonly maxConnections?: NumberSetting;
  /** Largest value; default 16,777,216 (16 MiB). What has more than 384 KiB is kept in parts. */
  readonly maxValueBytes?: NumberSetting;
  /** A `DynamoDBClient` of your own, which stays yours to destroy. Then nothing that says how to connect. */
  readonly client?: object;
}

export interface DynamodbCredentialsConfig {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of credentials that end by themselves. */
  readonly sessionToken?: string;
}

export interface CustomConfig extends RemoteConfig {
  readonly type: 'custom';
  /** A backend of your own; see "Write a backend". */
  readonly backend: object;
}

export type BackendConfig =
  | MemoryConfig
  | FileConfig
  | SqliteConfig
  | PostgresConfig
  | RedisConfig
  | MongodbConfig
  | DynamodbConfig
  | CustomConfig;

/** A backend that takes over: its type, or its settings. */
export type FallbackBackend =
  Exclude<BackendConfig['type'], 'custom'> | BackendTypeAlias | WithoutFallback<BackendConfig>;

type WithoutFallback<Config> = Config extends unknown ? Omit<Config, 'fallback'> : never;

export type FallbackConfig = 'documented' | readonly FallbackBackend[] | FallbackSettings;

export interface FallbackSettings {
  readonly to: 'documented' | readonly FallbackBackend[];
  /**
   * What a read gives while the backend cannot be reached. `'known'`: what was written since, and else an
   * error, since nobody can know. `'partial'`: as if nothing else were there. Default: `known` for the
   * database, `partial` for the cache.
   */
  readonly reads?: 'known' | 'partial';
  /** Pause between two looks whether the backend is back; default 1,000. */
  readonly probeIntervalMs?: NumberSetting;
  /** How long it has to answer without a failure before it is used again; doubles up to sixteenfold when it fails soon after. Default 10,000. */
  readonly stableMs?: NumberSetting;
  /** Replays also what was kept for a backend elsewhere, whose data has moved to this one; default false. */
  readonly adoptWrites?: FlagSetting;
}

/** What a program keeps things in: a cache, whose content may be lost, and a database, whose content may not. */
export interface StorageConfig {
  readonly cache?: BackendConfig;
  readonly database?: BackendConfig;
  /** Operations that take at least this long are logged; default: none is. */
  readonly slowOperationMs?: NumberSetting;
}
