import type { SqliteDatabase } from '../../../src';

type SqliteStatement = ReturnType<SqliteDatabase['prepare']>;

/** A database that something is done to before each statement; what that throws, the statement throws. */
export function intercepted(
  database: SqliteDatabase,
  before: (sql: string) => void,
  eachRow: () => void = () => undefined,
): SqliteDatabase {
  function* rows(all: Iterable<unknown>): IterableIterator<unknown> {
    for (const row of all) {
      eachRow();
      yield row;
    }
  }
  return {
    get inTransaction() {
      return database.inTransaction;
    },
    open: database.open,
    memory: database.memory,
    exec: (sql) => database.exec(sql),
    pragma: (source, options) => database.pragma(source, options ?? {}),
    close: () => database.close(),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      const seen = <T>(call: (...values: unknown[]) => T) => {
        return (...values: unknown[]): T => {
          before(sql);
          return call.apply(statement, values);
        };
      };
      const watched: SqliteStatement = {
        reader: statement.reader,
        run: seen(statement.run),
        get: seen(statement.get),
        all: (...values) => [...rows(seen(statement.all)(...values))],
        iterate: (...values) => rows(seen(statement.iterate)(...values)),
        raw: (isRaw) => {
          statement.raw(isRaw);
          return watched;
        },
        safeIntegers: (isOn) => statement.safeIntegers(isOn),
      };
      return watched;
    },
  };
}
