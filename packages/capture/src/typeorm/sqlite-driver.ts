import { loadBetterSqlite, loadDriver, StorageError, type BetterSqliteSources } from '@recap/storage';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { SqliteDriverName } from './database-options';

/** A loaded SQLite package and the type under which TypeORM knows it. */
export interface SqliteDriver {
  readonly name: SqliteDriverName;
  readonly typeormType: 'better-sqlite3' | 'sqlite';
  readonly package: unknown;
}

/**
 * Loads the SQLite package: the one asked for, else `better-sqlite3` in the line that suits this Node, else
 * `sqlite3`, which TypeORM 0.3 alone can use.
 *
 * @param hasOwnBinary the program brings the binary itself, which is one for the package under its usual name
 * @throws {StorageError} `SQLITE_NOT_BUILT` with the remedy; `DRIVER_MISSING` when `sqlite3` was asked for
 *   and is not installed, `CONFIG_INVALID` when TypeORM cannot use it.
 */
export async function loadSqliteDriver(
  wanted: SqliteDriverName | undefined,
  hasOwnBinary = false,
): Promise<SqliteDriver> {
  if (wanted === 'sqlite3') return loadSqlite3();
  try {
    const { Database } = loadBetterSqlite(SOURCES, hasOwnBinary);
    return { name: 'better-sqlite3', typeormType: 'better-sqlite3', package: Database };
  } catch (reason) {
    const error = notBuilt(reason as StorageError);
    if (wanted === 'better-sqlite3') throw error;
    return loadSqlite3().catch(() => {
      throw error;
    });
  }
}

const SOURCES: BetterSqliteSources = {
  usual: {
    load: () => require('better-sqlite3') as unknown,
    resolve: () => require.resolve('better-sqlite3'),
  },
  stable: {
    load: () => require('better-sqlite3-napi') as unknown,
    resolve: () => require.resolve('better-sqlite3-napi'),
  },
};

async function loadSqlite3(): Promise<SqliteDriver> {
  const sqlite3 = await loadDriver('sqlite3', async () => require('sqlite3') as unknown);
  try {
    // Connects to nothing; TypeORM 1 no longer knows the type.
    new DataSource({ type: 'sqlite', database: ':memory:', driver: sqlite3 } as object as DataSourceOptions);
  } catch (cause) {
    throw new StorageError(
      'CONFIG_INVALID',
      'The driver "sqlite3" works with TypeORM 0.3 only, and another TypeORM is installed. Use "better-sqlite3".',
      { cause },
    );
  }
  return { name: 'sqlite3', typeormType: 'sqlite', package: sqlite3 };
}

/** An optional dependency of ours: that it is missing has the same reasons as that it was not compiled. */
function notBuilt({ message, cause }: StorageError): StorageError {
  const otherwise = 'Or give Recap a PostgreSQL database: { type: "postgres", url }.';
  return new StorageError('SQLITE_NOT_BUILT', `${message}. ${otherwise}`, { cause });
}
