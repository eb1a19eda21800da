import { StorageError } from '../../errors';
import { loadSqliteModule } from './load-sqlite-module';
import { explainSqliteError, isBusy } from './sqlite-errors';

/**
 * Keeps other processes off what is kept under `name` within the file `path`, by a lock on an empty file beside it. The system takes the lock back when the process ends, however it ends.
 *
 * @returns what gives it back
 * @throws {StorageError} `UNAVAILABLE` while another has it
 */
export function ownFile(path: string, name: string): () => void {
  const file = `${path}-${name}.lock`;
  const { Database } = loadSqliteModule();
  const lock = new Database(file, { timeout: 0 });
  try {
    // Nothing is ever written into it, and nothing is to be left beside it.
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw explainSqliteError(error, file);
    throw new StorageError(
      'UNAVAILABLE',
      `Another process keeps its own writes in ${path} until they are replayed. Give each process a path of its own.`,
    );
  }
  return () => {
    lock.close();
  };
}
