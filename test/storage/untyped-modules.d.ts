declare module 'better-sqlite3' {
  import type { SqliteDatabase, SqliteOpenOptions } from '@recap/storage';

  interface Options extends Partial<SqliteOpenOptions> {
    /** Told of every statement. */
    readonly verbose?: (text: unknown) => void;
  }

  interface Database extends SqliteDatabase {
    defaultSafeIntegers(isOn: boolean): this;
  }

  const Database: new (path: string, options?: Options) => Database;
  export default Database;
}
