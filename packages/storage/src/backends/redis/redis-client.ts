/** What a script or a command answers, texts as bytes. */
export type RedisReply = number | Buffer | null | readonly RedisReply[];

export type RedisArgument = string | number | Uint8Array;

export type LexLimit = [word: 'LIMIT', offset: number, count: number];

/** The parts of `Redis` and `Cluster` of `ioredis` that are used, so that a client of the user's fits as well. */
export interface RedisClient {
  readonly status: string;
  readonly isCluster: boolean;
  readonly options: {
    readonly db?: number | undefined;
    readonly keyPrefix?: string | undefined;
    readonly stringNumbers?: boolean | undefined;
    /** Of a cluster, for each of its nodes. */
    readonly redisOptions?: { readonly stringNumbers?: boolean | undefined } | undefined;
  };
  /** Of a single client that is connected. */
  readonly stream?: unknown;
  connect(): Promise<unknown>;
  quit(): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
  /** Takes options of a single client, or nodes and options of a cluster. */
  duplicate(...options: object[]): RedisClient;
  getBuffer(key: string): Promise<Buffer | null>;
  set(key: string, value: string | Buffer, condition: 'XX'): Promise<unknown>;
  mgetBuffer(keys: string[]): Promise<(Buffer | null)[]>;
  zrangebylexBuffer(
    key: string,
    min: string | Buffer,
    max: string | Buffer,
    ...limit: LexLimit
  ): Promise<Buffer[]>;
  zrevrangebylexBuffer(
    key: string,
    max: string | Buffer,
    min: string | Buffer,
    ...limit: LexLimit
  ): Promise<Buffer[]>;
  evalshaBuffer(sha: string, keyCount: number, ...rest: RedisArgument[]): Promise<unknown>;
  evalBuffer(lua: string, keyCount: number, ...rest: RedisArgument[]): Promise<unknown>;
  pipeline(): RedisPipeline;
  /** Of a single client. */
  script?(subcommand: 'LOAD', lua: string): Promise<unknown>;
  info(section: string): Promise<string>;
  ping(): Promise<unknown>;
  select(db: number): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  on(event: string, listener: (...args: never[]) => void): unknown;
  removeListener(event: string, listener: (...args: never[]) => void): unknown;
  /** Of a cluster. */
  nodes?(role: 'master' | 'all'): readonly RedisClient[];
}

export interface RedisPipeline {
  evalBuffer(lua: string, keyCount: number, ...rest: RedisArgument[]): RedisPipeline;
  evalshaBuffer(sha: string, keyCount: number, ...rest: RedisArgument[]): RedisPipeline;
  wait(replicas: number, timeoutMs: number): RedisPipeline;
  exec(): Promise<[error: Error | null, result: unknown][] | null>;
}
