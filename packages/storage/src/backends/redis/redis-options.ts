import type { ConnectionOptions } from 'node:tls';
import type { CreateBackendOptions } from '../../create-backend';

export interface RedisBackendOptions extends CreateBackendOptions {
  /** `redis://user:password@host:port/database`, `rediss://` for TLS. The single fields go before it. */
  readonly url?: string;
  /** `localhost` unless given; a path that begins with `/` is a Unix socket. */
  readonly host?: string;
  /** 6379 unless given. */
  readonly port?: number;
  readonly username?: string;
  /** As `username`. */
  readonly user?: string;
  readonly password?: string;
  /** The number of the database: 0 unless given, and always on a cluster. */
  readonly db?: number;
  /** The addresses that a name is looked up for: 4, 6, or 0 for either, unless given. */
  readonly family?: 0 | 4 | 6;
  readonly tls?: boolean | ConnectionOptions;
  /** Asks sentinels for the master, instead of `host` and `port`. */
  readonly sentinel?: RedisSentinelOptions;
  /** Some nodes of a Redis Cluster, which know the others, instead of `host` and `port`. */
  readonly cluster?: RedisClusterOptions;
  /** A `Redis` or `Cluster` of `ioredis` 5, instead of all of the above. It is left open on `close()`. */
  readonly client?: object;
  /** What every name in the server begins with: literal text without braces, `recap:` unless given. */
  readonly keyPrefix?: string;
  /** What the server's list of connections calls this one: `recap` unless given. */
  readonly clientName?: string;
  /** 10,000 unless given. */
  readonly connectTimeoutMs?: number;
  /**
   * Whether calls of one turn of the event loop are answered as one: `false` unless given. They leave in one packet
   * either way, so it saves nothing more on a single server; on a cluster, calls fail while slots move.
   */
  readonly autoPipelining?: boolean;
  /**
   * How many replicas must have a write before it resolves: 0 unless given. It makes losing one in a failover
   * unlikely, not impossible.
   *
   * @see https://redis.io/docs/latest/commands/wait/
   */
  readonly waitReplicas?: number;
  /** How long to wait for them before the write is `UNAVAILABLE`, though the master has it: 1,000 unless given. */
  readonly waitTimeoutMs?: number;
  /** 16 MiB unless given; the server takes no more than 512 MiB. */
  readonly maxValueBytes?: number;
  /** Told once when the server may evict items; a warning of the process unless given. */
  readonly onWarning?: (message: string) => void;
}

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

export interface RedisSentinelOptions {
  /** What the sentinels call the master. */
  readonly name: string;
  readonly nodes: readonly RedisNode[];
  /** Of the sentinels themselves. */
  readonly username?: string;
  readonly password?: string;
  readonly tls?: boolean | ConnectionOptions;
}

export interface RedisClusterOptions {
  readonly nodes: readonly RedisNode[];
  /** Where nodes are reached, by the address that the cluster knows them by, such as `{ '10.0.0.1:6379': {...} }`. */
  readonly natMap?: Readonly<Record<string, RedisNode>>;
}
