import { createRequire } from 'node:module';
import { loadBetterSqlite } from '../../load-better-sqlite';
import type { SqliteConstructor } from './sqlite-client';

/** The driver, and where a thread of its own finds it. */
export interface SqliteModule {
  readonly Database: SqliteConstructor;
  readonly path: string;
}

/** Brought along by `@recap/capture`. Two builds of SQLite within a process would not see each other's locks. */
const STABLE_NAME = 'better-sqlite3-napi';
const requireOther = createRequire(__filename);

export function loadSqliteModule(): SqliteModule {
  const { Database, source } = loadBetterSqlite({
    usual: {
      load: () => require('better-sqlite3') as unknown,
      resolve: () => require.resolve('better-sqlite3'),
    },
    stable: {
      load: () => requireOther(STABLE_NAME) as unknown,
      resolve: () => requireOther.resolve(STABLE_NAME),
    },
  });
  return { Database: Database as SqliteConstructor, path: source.resolve() };
}
