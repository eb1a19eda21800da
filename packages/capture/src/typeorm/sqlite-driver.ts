import { errorCode, loadDriver, StorageError } from '@recap/storage';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { SqliteDriverName } from './database-options';

/** A loaded SQLite package and the type under which TypeORM knows it. */
export interface SqliteDriver {
  readonly name: SqliteDriverName;
  readonly typeormType: 'better-sqlite3' | 'sqlite';
  readonly package: unknown;
}

/**
 * From here on there is a build of better-sqlite3 for every version of Node. It crashes on older ones, and the
 * line for those (12) aborts Node from 24.19 on when a statement is collected at the wrong moment.
 *
 * @see https://nodejs.org/api/n-api.html#node-api-version-matrix
 */
const STABLE_BINARY_NODE_API = 10;

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
  if (!hasOwnBinary && Number(process.versions.napi) >= STABLE_BINARY_NODE_API) {
    try {
      return betterSqlite3(require('better-sqlite3-napi'));
    } catch {
      // Optional: left out at installation, or for a platform it has no binary for. The other line may serve.
    }
  }
  try {
    return betterSqlite3(require('better-sqlite3'));
  } catch (cause) {
    const error = notBuilt(cause);
    if (wanted === 'better-sqlite3') throw error;
    return loadSqlite3().catch(() => {
      throw error;
    });
  }
}

function betterSqlite3(loaded: unknown): SqliteDriver {
  const Database = loaded as new (path: string) => { close(): void };
  // The package loads its binary with the first database, so only opening one tells whether there is one.
  new Database(':memory:').close();
  return { name: 'better-sqlite3', typeormType: 'better-sqlite3', package: Database };
}

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

function notBuilt(cause: unknown): StorageError {
  const code = errorCode(cause);
  const state =
    code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND'
      ? 'is not installed'
      : code === 'ERR_DLOPEN_FAILED'
        ? 'was built for another version of Node'
        : 'is installed but was not compiled';
  return new StorageError(
    'SQLITE_NOT_BUILT',
    `The package "better-sqlite3" ${state}, so Recap cannot open its SQLite file. ` +
      'If npm blocked its install script, add "allowScripts": { "better-sqlite3": true } to package.json; ' +
      'if there is no compiler, install one (apt-get install build-essential python3); ' +
      `then run: ${state === 'is not installed' ? 'npm install better-sqlite3' : 'npm rebuild better-sqlite3'}. ` +
      'Or give Recap a PostgreSQL database: { type: "postgres", url }.',
    { cause },
  );
}
