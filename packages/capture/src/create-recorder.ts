import { newId as newUuid, systemClock } from '@recap/storage';
import { checkRecorderOptions, RECORDER_DEFAULTS, type RecorderOptions } from './recorder/recorder-options';
import type { Recorder } from './recorder/recorder';
import { RecorderCore } from './recorder/recorder-core';
import { keepStore } from './retention';
import { createTypeOrmEntryStore, type DatabaseOption } from './typeorm';

/**
 * Makes a recorder. Returns at once: the database is opened at the first exchange, or by
 * `recorder.ready()`. Without options it writes to the SQLite file `./.recap/recap.db`.
 *
 * @example
 * const recorder = createRecorder({ database: { type: 'postgres', url: process.env.DATABASE_URL } });
 * app.use(storageMiddleware({ recorder }));
 * @throws {StorageError} `CONFIG_INVALID`, `DATABASE_UNSUPPORTED` or `DATABASE_NOT_SHAREABLE` when the options cannot work.
 */
export function createRecorder(options: RecorderOptions<DatabaseOption> = {}): Recorder {
  checkRecorderOptions(options);
  const {
    clock = systemClock,
    newId = newUuid,
    slowOperationMs = RECORDER_DEFAULTS.slowOperationMs,
  } = options;
  const store = createTypeOrmEntryStore({
    database: options.database ?? { type: 'sqlite', path: './.recap/recap.db' },
    ...(options.shareSqliteFile !== undefined && { shareSqliteFile: options.shareSqliteFile }),
    clock,
    newId,
    sessionMaxAgeMs: (options.sessionMaxAgeHours ?? RECORDER_DEFAULTS.sessionMaxAgeHours) * 3_600_000,
    slowOperationMs,
    onSlowOperation: (operation, durationMs) => {
      options.logger?.warn({ operation, durationMs }, 'slow operation of the store');
    },
  });
  const recorder = new RecorderCore(options, store, clock, newId);
  keepStore(recorder);
  const writeBeforeExit = (): void => {
    // Nothing is opened only to write nothing.
    if (recorder.writer.counts.queued === 0) return;
    recorder.flush().catch((error: unknown) => {
      recorder.onError(error, 'beforeExit');
    });
  };
  process.once('beforeExit', writeBeforeExit);
  recorder.onClose(() => {
    process.removeListener('beforeExit', writeBeforeExit);
  });
  return recorder;
}
