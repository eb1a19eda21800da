import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StorageError } from '../../errors';
import { retryWhileBusy } from './busy-retry';
import type { SqliteConstructor, SqliteDatabase } from './sqlite-client';
import { SqliteConnection } from './sqlite-connection';
import { HAS_LAYOUT, LAYOUT, READ_LAYOUT, SQLITE_DEFINITIONS } from './sqlite-schema';
import { SqliteReader } from './sqlite-reader';
import { SqliteWriter } from './sqlite-writer';
import { WalSync } from './wal-sync';

export interface SqliteTarget {
  /** For messages. */
  readonly title: string;
  /** A database that was handed in, or where ours is. */
  readonly place: SqliteDatabase | { readonly path: string; readonly makesFolder: boolean };
  readonly load: () => Promise<SqliteConstructor>;
  readonly syncs: boolean;
  readonly busyTimeoutMs: number;
  readonly onError: (error: unknown) => void;
}

export interface OpenSqlite {
  readonly reader: SqliteReader;
  readonly writer: SqliteWriter;
  close(): Promise<void>;
}

const nothing = (): Promise<void> => Promise.resolve();

export async function openSqlite(target: SqliteTarget): Promise<OpenSqlite> {
  const { place, busyTimeoutMs, onError } = target;
  const isOurs = 'path' in place;
  const database = isOurs ? await connect(place, await target.load()) : place;
  const connection = new SqliteConnection(database);
  let log: WalSync | undefined;
  try {
    const isFile = isOurs && !database.memory;
    const deadline = performance.now() + busyTimeoutMs;
    if (isFile) await retryWhileBusy(() => useLog(database), deadline);
    await retryWhileBusy(() => define(database), deadline);
    if (isFile && target.syncs) log = await WalSync.open(pathOf(database));
    const writer = new SqliteWriter(connection, {
      busyTimeoutMs,
      sync: log === undefined ? nothing : () => log!.sync(),
      checkpoints: isFile,
      onError,
    });
    return {
      reader: new SqliteReader(connection, busyTimeoutMs),
      writer,
      close: async () => {
        try {
          await writer.drain();
        } finally {
          await log?.close();
          connection.close(isOurs);
        }
      },
    };
  } catch (error) {
    await log?.close();
    connection.close(isOurs);
    throw error;
  }
}

async function connect(
  { path, makesFolder }: { readonly path: string; readonly makesFolder: boolean },
  Database: SqliteConstructor,
): Promise<SqliteDatabase> {
  if (path !== ':memory:') {
    if (makesFolder) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // Readable by its user only; the log and the index of the log take over what the file has.
    await (await open(path, 'a', 0o600)).close();
  }
  return new Database(path, { timeout: 0 });
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
}

function define(database: SqliteDatabase): void {
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
