import { loadDriver } from '../../load-driver';
import type { SqliteConstructor } from './sqlite-client';

export async function loadBetterSqlite(): Promise<SqliteConstructor> {
  return loadDriver('better-sqlite3', async () => require('better-sqlite3') as SqliteConstructor);
}
