import { loadSqliteModule } from './load-sqlite-module';
import { HAS_LAYOUT } from './sqlite-schema';

/** Whether a backend has made the database in that file, which is left as it is; `undefined` where that cannot be seen. */
export function isSqliteStorage(path: string): boolean | undefined {
  const { Database } = loadSqliteModule();
  let database;
  try {
    database = new Database(path, { timeout: 0, readonly: true, fileMustExist: true });
    return database.prepare(HAS_LAYOUT).get() !== undefined;
  } catch {
    // Opening it for use tells what is wrong with it, or waits for who has it.
    return undefined;
  } finally {
    database?.close();
  }
}
