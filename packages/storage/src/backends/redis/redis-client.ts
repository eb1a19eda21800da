/** What a script or a command answers, texts as bytes. */
export type RedisReply = number | Buffer | null | readonly RedisReply[];

export type RedisArgument = string | number | Uint8Array;

/** The parts of `Redis` and `Cluster` of `ioredis` that are used, so that a client of the user's fits as well. */
export interface RedisClient {
  readonly status: string;
  readonly isCluster: boolean;
  readonly options: { readonly db?: number | undefined };
  connect(): Promise<unknown>;
  quit(): Promise<unknown>;
  disconnect(): void;
  /** Takes options of a single client, or nodes and options of a cluster. */
  duplicate(...options: object[]): RedisClient;
  getBuffer(key: string): Promise<Buffer | null>;
  evalshaBuffer(sha: string, keyCount: number, ...rest: RedisArgument[]): Promise<unknown>;
  evalBuffer(lua: string, keyCount: number, ...rest: RedisArgument[]): Promise<unknown>;
  pipeline(): RedisPipeline;
  info(section: string): Promise<string>;
  ping(): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  on(event: string, listener: (...args: never[]) => void): unknown;
  removeListener(event: string, listener: (...args: never[]) => void): unknown;
  /** Of a cluster. */
  nodes?(role: 'master'): readonly RedisClient[];
}

export interface RedisPipeline {
  evalBuffer(lua: string, keyCount: number, ...rest: RedisArgument[]): RedisPipeline;
  evalshaBuffer(sha: string, keyCount: number, ...rest: RedisArgument[]): RedisPipeline;
  wait(replicas: number, timeoutMs: number): RedisPipeline;
  exec(): Promise<[error: Error | null, result: unknown][] | null>;
}
