import type { ConnectionOptions } from 'node:tls';
import type { CreateBackendOptions } from '../../create-backend';

export interface MongodbBackendOptions extends CreateBackendOptions {
  /** `mongodb://user:password@host:port,host:port/database?replicaSet=name`, or `mongodb+srv://`. */
  readonly url?: string;
  /** `localhost` unless given. Only without `url`. */
  readonly host?: string;
  /** 27017 unless given. */
  readonly port?: number;
  readonly username?: string;
  /** As `username`. */
  readonly user?: string;
  readonly password?: string;
  /** The database that knows the user: `admin` unless given. */
  readonly authSource?: string;
  readonly replicaSet?: string;
  readonly tls?: boolean | ConnectionOptions;
  /** The one that the URL names, or `recap`; of a client that is handed in, its own. */
  readonly database?: string;
  /** What the names of both collections begin with: `recap_` unless given. */
  readonly collectionPrefix?: string;
  /** A `MongoClient` of `mongodb` 7, instead of how to connect. It is left open on `close()`. */
  readonly client?: object;
  /** What the server's log and list of connections call this one: `recap` unless given. */
  readonly applicationName?: string;
  /** 10,000 unless given. */
  readonly connectTimeoutMs?: number;
  readonly pool?: MongodbPoolOptions;
  /**
   * How many members of a replica set must have a write before it resolves: `majority` unless given, which is the one
   * member of a single server. With fewer, a failover may undo what was answered.
   */
  readonly w?: number | 'majority';
  /** Whether they must have it on their disks: `true` unless given. */
  readonly journal?: boolean;
  /** 16 MiB less 64 KiB unless given, and no more: the server's documents take 16 MiB. */
  readonly maxValueBytes?: number;
}

export interface MongodbPoolOptions {
  /** Connections that stay open while idle: 0 unless given. */
  readonly min?: number;
  /** 20 unless given. */
  readonly max?: number;
  /** How long a connection above `min` stays open while idle: 60,000 ms unless given. */
  readonly idleTimeoutMs?: number;
  /** How long a call waits for a connection to be free: 10,000 ms unless given. */
  readonly acquireTimeoutMs?: number;
}
