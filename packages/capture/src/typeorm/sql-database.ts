export type Dialect = 'sqlite' | 'postgres';

/** Runs SQL on one connection. Placeholders are `?` for every database; SQL texts hold no other question mark. */
export interface SqlRunner {
  readonly dialect: Dialect;
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Resolves to the number of rows changed. */
  execute(sql: string, values?: readonly unknown[]): Promise<number>;
  /**
   * Inserts rows with the statement `head` + VALUES + `tail`, each row with its own values.
   *
   * @param head such as `INSERT INTO t (a, b)`
   * @param tail such as `ON CONFLICT …`
   */
  insert(head: string, rows: readonly (readonly unknown[])[], tail?: string): Promise<void>;
  /** Runs a command to its end, for those that do a part of their work in each step. */
  command(sql: string): Promise<void>;
  /** How long the last statement itself took, without waiting for its turn: what slices are sized by. */
  readonly lastMs: number;
}

/** An open database. Every failure of the driver rejects as a `StorageError`. */
export interface SqlDatabase {
  readonly dialect: Dialect;
  /** True when nothing but Recap's tables is in it, so that its size is theirs. */
  readonly isOwn: boolean;
  /** Statements that only read, each with a view of its own. */
  read<T>(work: (sql: SqlRunner) => Promise<T>): Promise<T>;
  /** One transaction: all that `work` did, or nothing. `work` may be run again when the database asks for it. */
  write<T>(work: (sql: SqlRunner) => Promise<T>): Promise<T>;
  /** On a writing connection, without a transaction. */
  maintain<T>(work: (sql: SqlRunner) => Promise<T>): Promise<T>;
  /** Lets what is being written end. */
  close(): Promise<void>;
}

/** SQL text and the values of its placeholders, in order. */
export interface SqlFragment {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** A condition that the column is one of the values: one text however many there are, so that statements are reused. */
export function isAnyOf(dialect: Dialect, column: string, values: readonly string[]): SqlFragment {
  return dialect === 'postgres'
    ? { sql: `${column} = ANY(?)`, values: [values] }
    : { sql: `${column} IN (SELECT value FROM json_each(?))`, values: [JSON.stringify(values)] };
}

export function allOf(conditions: readonly SqlFragment[]): SqlFragment {
  if (conditions.length === 0) return { sql: '1 = 1', values: [] };
  return {
    sql: conditions.map(({ sql }) => sql).join(' AND '),
    values: conditions.flatMap(({ values }) => values),
  };
}
