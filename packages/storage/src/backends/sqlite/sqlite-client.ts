/** The parts of `better-sqlite3` that are used, so that any line of it, or a database of the user's, fits. */
export interface SqliteDatabase {
  /** A transaction is open, whoever began it. */
  readonly inTransaction: boolean;
  readonly open: boolean;
  readonly memory: boolean;
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
  pragma(source: string, options?: { simple?: boolean }): unknown;
  close(): unknown;
}

export interface SqliteStatement {
  /** It answers rows. */
  readonly reader: boolean;
  run(...values: unknown[]): unknown;
  get(...values: unknown[]): unknown;
  raw(isRaw: boolean): SqliteStatement;
  all(...values: unknown[]): unknown[];
  iterate(...values: unknown[]): IterableIterator<unknown>;
  safeIntegers(isOn: boolean): unknown;
}

export interface SqliteOpenOptions {
  readonly timeout: number;
  readonly readonly?: boolean;
  readonly fileMustExist?: boolean;
}

export type SqliteConstructor = new (path: string, options?: SqliteOpenOptions) => SqliteDatabase;
