import { access, constants, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, StorageError } from '../../errors';
import { retryWhileBusy } from './busy-retry';
import { FileWatch } from './file-watch';
import type { SqliteModule } from './load-sqlite-module';
import { LogKeeper } from './log-keeper';
import { makeFolder } from './make-folder';
import type { SqliteConstructor, SqliteDatabase } from './sqlite-client';
import { SqliteConnection } from './sqlite-connection';
import { HAS_LAYOUT, LAYOUT, READ_LAYOUT, SQLITE_DEFINITIONS } from './sqlite-schema';
import { SqliteReader } from './sqlite-reader';
import { SqliteWriter } from './sqlite-writer';

export interface SqliteTarget {
  /** For messages. */
  readonly title: string;
  /** A database that was handed in, or where ours is. */
  readonly place: SqliteDatabase | { readonly path: string; readonly makesFolder: boolean };
  readonly load: () => SqliteModule;
  readonly syncs: boolean;
  readonly busyTimeoutMs: number;
  readonly onError: (error: unknown) => void;
}

const FALLBACK_CHECKPOINT_PAGES = 8_000;

export interface OpenSqlite {
  readonly reader: SqliteReader;
  readonly writer: SqliteWriter;
  /** Of a file of ours. */
  readonly watch?: FileWatch;
  close(): Promise<void>;
}

export async function openSqlite(target: SqliteTarget): Promise<OpenSqlite> {
  const { place } = target;
  if (!('path' in place)) return prepare(target, place);
  const driver = target.load();
  const database = await connect(place, driver.Database);
  try {
    const watch = database.memory ? {} : { watch: new FileWatch(place.path) };
    return { ...(await prepare(target, database, driver.path)), ...watch };
  } catch (error) {
    database.close();
    throw await whatForbids(error, place.path);
  }
}

/**
 * Of a file system that may only be read, SQLite says no more than SQLITE_CANTOPEN, since it cannot make the files
 * beside its own. Returns what the system says then, and else the error.
 */
async function whatForbids(error: unknown, path: string): Promise<unknown> {
  if (errorCode(error)?.startsWith('SQLITE_CANTOPEN') !== true) return error;
  try {
    await access(path, constants.W_OK);
  } catch (reason) {
    if (errorCode(reason) === 'EROFS') return reason;
  }
  return error;
}

/** @param driverPath absent: a database that was handed in, and stays open and as it is */
async function prepare(
  { syncs, busyTimeoutMs, onError }: SqliteTarget,
  database: SqliteDatabase,
  driverPath?: string,
): Promise<OpenSqlite> {
  const isFile = driverPath !== undefined && !database.memory;
  const deadline = performance.now() + busyTimeoutMs;
  if (isFile) await retryWhileBusy(() => useLog(database), deadline);
  await retryWhileBusy(() => define(database), deadline);
  const log = isFile
    ? await LogKeeper.open({ path: pathOf(database), driverPath, syncs, onError })
    : undefined;
  const connection = new SqliteConnection(database);
  const writer = new SqliteWriter(connection, {
    busyTimeoutMs,
    sync: () => log?.sync(),
    wrote: (bytes) => log?.wrote(bytes),
    onError,
  });
  return {
    reader: new SqliteReader(connection, busyTimeoutMs),
    writer,
    close: async () => {
      const close = (): void => connection.close(driverPath !== undefined);
      await writer.drain();
      if (log === undefined) close();
      else await log.close(close);
    },
  };
}

async function connect(
  { path, makesFolder }: { readonly path: string; readonly makesFolder: boolean },
  Database: SqliteConstructor,
): Promise<SqliteDatabase> {
  if (path !== ':memory:') {
    if (makesFolder) await makeFolder(dirname(path));
    await makeFile(path);
  }
  return new Database(path, { timeout: 0 });
}

/** Readable by its user only; the log and its index take over what the file has. */
async function makeFile(path: string): Promise<void> {
  try {
    // Never one that is there: closing it would drop the locks of every other connection of this process.
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    if (!(await isFolder(path))) return;
    throw new StorageError(
      'CONFIG_INVALID',
      `The SQLite database ${path} cannot be opened: a folder is there. Correct the path.`,
    );
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    // A symbolic link to what is yet to be made.
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Readers and a writer go on side by side. Before anything is written: the first is without effect later. */
function useLog(database: SqliteDatabase): void {
  const mode = database.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal')
    throw new StorageError(
      'UNAVAILABLE',
      `SQLite cannot keep a write-ahead log there (it uses "${String(mode)}"), as on most network file systems. Choose a local path.`,
    );
  database.pragma('synchronous = NORMAL');
  // Only when the thread for it does not do its work.
  database.pragma(`wal_autocheckpoint = ${FALLBACK_CHECKPOINT_PAGES}`);
}

function define(database: SqliteDatabase): void {
  const encoding = database.pragma('encoding', { simple: true });
  if (encoding !== 'UTF-8')
    throw new StorageError(
      'DATABASE_UNSUPPORTED',
      `The database keeps text as ${String(encoding)}, and only UTF-8 keeps the order of keys. Use another database.`,
    );
  if (database.prepare(HAS_LAYOUT).get() === undefined) {
    database.exec('BEGIN IMMEDIATE');
    try {
      // Another may have been quicker while this one waited for the lock.
      if (database.prepare(HAS_LAYOUT).get() === undefined) database.exec(SQLITE_DEFINITIONS);
      database.exec('COMMIT');
    } finally {
      if (database.inTransaction) database.exec('ROLLBACK');
    }
  }
  const { version } = database.prepare(READ_LAYOUT).get() as { version: unknown };
  if (Number(version) === LAYOUT) return;
  throw new StorageError(
    'DATABASE_UNSUPPORTED',
    `The tables have layout ${String(version)}; this release knows ${LAYOUT}. Use the release that wrote them, or a newer one.`,
  );
}

/** As SQLite names it, behind symbolic links. */
function pathOf(database: SqliteDatabase): string {
  const [main] = database.pragma('database_list') as { file: string }[];
  return main!.file;
}
