import { StorageError, systemClock } from '@recap/storage';
import { closeOnSignals } from './close-on-signals';
import { checkRecorderOptions, RECORDER_DEFAULTS, type RecorderOptions } from './recorder/recorder-options';
import type { Recorder } from './recorder/recorder';
import { queueLimits } from './recorder/default-pipeline';
import { newExchangeId } from './recorder/exchange-id';
import { mustSync } from './must-sync';
import { RecorderCore } from './recorder/recorder-core';
import { loadRedactionModule, resolveRedactionModule } from './redaction';
import { keepStore } from './retention';
import {
  createEntryStoreAt,
  durabilityMismatch,
  resolveDatabase,
  type DatabaseOption,
  type DatabaseTarget,
} from './typeorm';
import { writeAtExit } from './write-at-exit';
import { openSpool } from './open-spool';
import { reportStats } from './report-stats';
import { obstacleToWorker, workerPipeline, type WorkerPlan } from './worker';

/**
 * Makes a recorder. Returns at once: the database is opened at the first exchange, or by
 * `recorder.ready()`. Without options it writes to the SQLite file `./.recap/recap.db`.
 *
 * @example
 * const recorder = createRecorder({ database: { type: 'postgres', url: process.env.DATABASE_URL } });
 * app.use(storageMiddleware({ recorder }));
 * @throws {StorageError} `CONFIG_INVALID`, `DATABASE_UNSUPPORTED`, `DATABASE_NOT_SHAREABLE` or `DURABILITY_MISMATCH`
 *   when the options cannot work.
 */
export function createRecorder(given: RecorderOptions<DatabaseOption> = {}): Recorder {
  checkRecorderOptions(given);
  const options = withRedactionModule(given);
  const database = options.database ?? { type: 'sqlite', path: './.recap/recap.db' };
  const target = resolveDatabase(database, options.shareSqliteFile);
  if (options.durability === 'strict' && target.dialect === 'sqlite' && target.path === ':memory:') {
    throw durabilityMismatch(
      'sqlite :memory:',
      'there is no disk',
      "Give the path of a file, such as { type: 'sqlite', path: './.recap/recap.db' }, or a PostgreSQL database.",
    );
  }
  const recorder = isWorkerWanted(options, target)
    ? threadedRecorder(options, target)
    : recorderHere(options, target);
  keepStore(recorder);
  writeAtExit(recorder);
  reportStats(recorder);
  if (options.closeOnSignals === true) closeOnSignals(recorder);
  return recorder;
}

/** Finds and loads a redaction module now, so that what is wrong with it is said at once. */
function withRedactionModule<Options extends RecorderOptions>(options: Options): Options {
  const { redaction } = options;
  if (redaction === undefined || redaction === false || redaction.module === undefined) return options;
  const module = resolveRedactionModule(redaction.module);
  loadRedactionModule(module);
  return { ...options, redaction: { ...redaction, module } };
}

function recorderHere(options: RecorderOptions, target: DatabaseTarget): RecorderCore {
  const { clock = systemClock, newId } = options;
  const { sessionMaxAgeMs, slowOperationMs, mustSync } = planOf(options, target);
  const store = createEntryStoreAt(target, {
    clock,
    ...(newId && { newId }),
    sessionMaxAgeMs,
    slowOperationMs,
    mustSync,
    onSlowOperation: slowOperationLogger(options),
  });
  const recorder: RecorderCore = new RecorderCore(
    options,
    store,
    clock,
    newId ?? newExchangeId,
    undefined,
    openSpool(options, target, store, (error, where) => {
      recorder.onError(error, where);
    }),
  );
  return recorder;
}

function threadedRecorder(options: RecorderOptions, target: DatabaseTarget): RecorderCore {
  const { store, pipeline } = workerPipeline(
    planOf(options, target),
    queueLimits(options, RECORDER_DEFAULTS.batchSize),
    {
      onDeath: (error) => {
        recorder.onError(error, 'worker');
      },
      onSlowOperation: slowOperationLogger(options),
      onFailure: (error, where) => {
        recorder.onError(error, where);
      },
    },
  );
  const recorder: RecorderCore = new RecorderCore(
    options,
    store,
    systemClock,
    newExchangeId,
    pipeline,
    openSpool(options, target, store, (error, where) => {
      recorder.onError(error, where);
    }),
  );
  return recorder;
}

/** @throws {StorageError} `CONFIG_INVALID` when a worker is asked for and cannot be. */
function isWorkerWanted(options: RecorderOptions, target: DatabaseTarget): boolean {
  if (options.worker === false) return false;
  const obstacle =
    options.clock !== undefined || options.newId !== undefined
      ? 'clock and newId are functions, which cannot be given to another thread'
      : obstacleToWorker(planOf(options, target));
  if (obstacle !== undefined && options.worker === true) {
    throw new StorageError('CONFIG_INVALID', `The option worker cannot be true: ${obstacle}.`);
  }
  return obstacle === undefined;
}

function planOf(options: RecorderOptions, target: DatabaseTarget): WorkerPlan {
  const { redaction, codec, compressionThresholdBytes, endpoints } = options;
  return {
    target,
    entries: {
      ...(redaction !== undefined && { redaction }),
      ...(codec !== undefined && { codec }),
      ...(compressionThresholdBytes !== undefined && { compressionThresholdBytes }),
      ...(endpoints !== undefined && { endpoints }),
    },
    sessionMaxAgeMs: (options.sessionMaxAgeHours ?? RECORDER_DEFAULTS.sessionMaxAgeHours) * 3_600_000,
    slowOperationMs: options.slowOperationMs ?? RECORDER_DEFAULTS.slowOperationMs,
    mustSync: mustSync(options.durability, target),
  };
}

function slowOperationLogger({ logger }: RecorderOptions) {
  return (operation: string, durationMs: number): void => {
    logger?.warn({ operation, durationMs }, 'slow operation of the store');
  };
}
