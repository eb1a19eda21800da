import type { Awaitable } from '../../driver';

/** What a SQL engine differs in, where the statements are the same. Parameters are written `$1`, `$2`, … everywhere. */
export interface SqlDialect {
  /** Quoted, with the schema. */
  readonly table: (name: 'items' | 'elements' | 'dropped_lists') => string;
  /** A parameter holding JSON text, as the type of the column. */
  readonly json: (parameter: string) => string;
  /** A column of JSON, as its text. */
  readonly jsonText: (column: string) => string;
  /** Whether a text holds no such part. */
  readonly lacks: (text: string, part: string) => string;
  /** Whether the engine takes this JSON text as JSON; what it does not is kept as the bytes of its text. */
  readonly holds: (json: string) => boolean;
  /** Behind a `SELECT … LIMIT` that picks rows to delete: passes over what others work on. */
  readonly skipLocked: string;
}

export interface SqlStatement {
  /** Short and unique: engines that prepare statements know it by this. */
  readonly name: string;
  readonly text: string;
}

export type SqlValue = string | number | Uint8Array | null | readonly SqlValue[];
export type SqlRow = Readonly<Record<string, unknown>>;

export interface SqlQuery {
  readonly statement: SqlStatement;
  readonly values: readonly SqlValue[];
}

/**
 * An operation: it yields one query after the other, is sent the rows of each, and returns the answer. So the same
 * steps serve an engine that answers at once and one that answers later.
 */
export type SqlSteps<T> = Generator<SqlQuery, T, readonly SqlRow[]>;

/** How an engine takes steps. An error of a query is thrown into the steps, which may catch it. */
export interface SqlRunner {
  /** Each query by itself. */
  run<T>(steps: SqlSteps<T>): Awaitable<T>;
  /** All queries in one transaction, which is rolled back when the steps throw, or return what `isKept` refuses. */
  runTogether<T>(steps: SqlSteps<T>, isKept?: (result: T) => boolean): Awaitable<T>;
}
