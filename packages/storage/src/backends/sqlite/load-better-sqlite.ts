import { loadDriver } from '../../load-driver';
import type { SqliteConstructor } from './sqlite-client';

export interface BetterSqlite {
  readonly Database: SqliteConstructor;
  readonly modulePath: string;
}

export async function loadBetterSqlite(): Promise<BetterSqlite> {
  return loadDriver('better-sqlite3', async () => ({
    Database: require('better-sqlite3') as SqliteConstructor,
    modulePath: require.resolve('better-sqlite3'),
  }));
}
