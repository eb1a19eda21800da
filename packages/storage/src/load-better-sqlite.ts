import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode, StorageError } from './errors';

/** How the program that needs it finds a package, since each has its own copy. */
export interface PackageSource {
  readonly load: () => unknown;
  readonly resolve: () => string;
}

export interface BetterSqliteSources {
  /** `better-sqlite3` in whatever line is installed under that name. */
  readonly usual: PackageSource;
  /** Its line from 13 on, for the versions of Node that can load it. */
  readonly stable: PackageSource;
}

export interface BetterSqlite {
  /** The class `Database`, of which one has been opened. */
  readonly Database: unknown;
  readonly source: PackageSource;
}

/**
 * From here on there is a build of better-sqlite3 for every version of Node. It crashes on older ones, and the
 * line for those (12) aborts Node from 24.19 on when a statement is collected at the wrong moment.
 *
 * @see https://nodejs.org/api/n-api.html#node-api-version-matrix
 */
const STABLE_BINARY_NODE_API = 10;
const STABLE_BINARY_MAJOR = 13;

/**
 * Loads `better-sqlite3` in the line that suits this Node.
 *
 * @param hasOwnBinary the program brings the binary itself, which is one for the package under its usual name
 * @throws {StorageError} `DRIVER_MISSING` when it is not installed, `SQLITE_NOT_BUILT` when it does not load, both
 *   with the remedy
 */
export function loadBetterSqlite({ usual, stable }: BetterSqliteSources, hasOwnBinary = false): BetterSqlite {
  const isStableUsable = Number(process.versions.napi) >= STABLE_BINARY_NODE_API;
  if (!hasOwnBinary && isStableUsable) {
    try {
      return load(stable);
    } catch {
      // Optional: left out at installation, or for a platform it has no binary for. The other line may serve.
    }
  }
  try {
    if (!isStableUsable) refuseStable(usual);
    return load(usual);
  } catch (cause) {
    throw cause instanceof StorageError ? cause : notLoaded(cause);
  }
}

function load(source: PackageSource): BetterSqlite {
  const Database = source.load() as new (path: string) => { close(): void };
  // The package loads its binary with the first database, so only opening one tells whether there is one.
  new Database(':memory:').close();
  return { Database, source };
}

/** It would end the process without a word. */
function refuseStable(usual: PackageSource): void {
  const manifest = join(dirname(usual.resolve()), '..', 'package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version?: unknown };
  if (Number.parseInt(String(version), 10) < STABLE_BINARY_MAJOR) return;
  throw new StorageError(
    'SQLITE_NOT_BUILT',
    `The package "better-sqlite3" is installed in version ${String(version)}, which needs Node 22.14 or newer; ` +
      `this is ${process.versions.node}. Run: npm install better-sqlite3@12`,
  );
}

function notLoaded(cause: unknown): StorageError {
  const code = errorCode(cause);
  const isAbsent = code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
  const state = isAbsent
    ? 'is not installed'
    : code === 'ERR_DLOPEN_FAILED'
      ? 'was built for another version of Node'
      : 'is installed but was not compiled';
  return new StorageError(
    isAbsent ? 'DRIVER_MISSING' : 'SQLITE_NOT_BUILT',
    `The package "better-sqlite3" ${state}, so Recap cannot open its SQLite file. ` +
      'If npm blocked its install script, add "allowScripts": { "better-sqlite3": true } to package.json; ' +
      'if there is no compiler, install one (apt-get install build-essential python3); ' +
      `then run: ${isAbsent ? 'npm install better-sqlite3' : 'npm rebuild better-sqlite3'}`,
    { cause },
  );
}
