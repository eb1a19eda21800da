import type { CreateBackendOptions } from '../../create-backend';

export interface DynamodbBackendOptions extends CreateBackendOptions {
  /** As the AWS SDK finds it unless given; with an `endpoint` as its name or `AWS_REGION` says, else `us-east-1`. */
  readonly region?: string;
  /** Of a server other than that of AWS, such as `http://localhost:8000`. */
  readonly endpoint?: string;
  /** 3 to 255 letters, digits, dots, hyphens and underscores: `recap` unless given. */
  readonly table?: string;
  /** What the AWS SDK finds by itself unless given: environment, profile, role. */
  readonly credentials?: DynamodbCredentials;
  /** A `DynamoDBClient` of `@aws-sdk/client-dynamodb` 3, instead of all of the above but `table`. Not destroyed on `close()`. */
  readonly client?: object;
  /** What every partition key begins with: literal text of at most 512 bytes without NUL, `recap:` unless given. */
  readonly keyPrefix?: string;
  /** Whether a missing table is created, billed on demand: `false` unless given. */
  readonly createTable?: boolean;
  /** How long `open()` waits for a table that is being created: 120,000 unless given. */
  readonly createTimeoutMs?: number;
  /**
   * Whether the table is told to drop by itself what has expired: `false` unless given.
   *
   * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
   */
  readonly declareTimeToLive?: boolean;
  /** Whether the server has `TransactWriteItems`: `true` where neither `endpoint` nor `client` is given, else `false`. */
  readonly transact?: boolean;
  /** Connections at most: 64 unless given. */
  readonly maxConnections?: number;
  /** 16 MiB unless given; what has more than 384 KiB is kept in parts. */
  readonly maxValueBytes?: number;
  /** From 0 up to 1, for the pauses between calls that the server throttles: `Math.random` unless given. */
  readonly random?: () => number;
}

export interface DynamodbCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}
