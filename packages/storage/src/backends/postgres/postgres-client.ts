/** The parts of `pg` that are used, so that another copy or version of it, or a pool of the user's, fits as well. */
export interface PostgresPool {
  query(config: PostgresQueryConfig): Promise<PostgresResult>;
  connect(): Promise<PostgresClient>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'acquire' | 'connect', listener: (client: PostgresClient) => void): unknown;
  removeListener?(event: 'acquire', listener: (client: PostgresClient) => void): unknown;
  readonly options?: { readonly max?: number | undefined };
  /** Of connections, those that are still being made as well. */
  readonly totalCount?: number;
}

export interface PostgresClient {
  query(config: PostgresQueryConfig): Promise<PostgresResult>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'notification', listener: (message: PostgresNotification) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
  /** With `true` the connection is closed instead of used again. */
  release(destroy?: boolean): void;
}

export interface PostgresQueryConfig {
  text: string;
  values?: unknown[];
  name?: string;
}

export interface PostgresResult {
  rows: Record<string, unknown>[];
}

export interface PostgresNotification {
  channel: string;
  payload?: string | undefined;
}
