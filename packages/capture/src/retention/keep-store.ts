import type { RecorderCore } from '../recorder/recorder-core';
import { RECORDER_DEFAULTS } from '../recorder/recorder-options';
import { embeddedFile, hasFreeSpace } from './free-space';

/** How often size and free space are looked at. */
const WATCH_INTERVAL_MS = 5_000;
/** The event loop is given back every few milliseconds within this; it bounds one round, not one pause. */
const SWEEP_BUDGET_MS = 2_000;
/** Eviction goes on to this share of the limit, so that it does not run again with every batch. */
const EVICT_TO = 0.95;

/**
 * Keeps a recorder's store within its limits: deletes what has expired, deletes the oldest when the
 * database grows too large, and pauses recording while the disk is nearly full. Its timers never keep
 * the process alive.
 */
export function keepStore(recorder: RecorderCore): void {
  const { options } = recorder;
  const file = embeddedFile(options.database);
  const minFreeBytes = options.minFreeDiskBytes ?? RECORDER_DEFAULTS.minFreeDiskBytes;
  const maxBytes = maxDatabaseBytes(recorder);
  let isKeeping: Promise<unknown> = Promise.resolve();

  const sweep = async (): Promise<{ deletedEntries: number; deletedSessions: number }> => {
    const total = { deletedEntries: 0, deletedSessions: 0 };
    for (let hasMore = true; hasMore;) {
      const round = await recorder.store.sweep(SWEEP_BUDGET_MS);
      total.deletedEntries += round.deletedEntries;
      total.deletedSessions += round.deletedSessions;
      // A round that got nowhere waits for the next time: somebody else is sweeping.
      hasMore = round.hasMore && round.deletedEntries > 0;
    }
    return total;
  };
  const watch = async (): Promise<void> => {
    if (file !== undefined) {
      const isFree = await hasFreeSpace(file, minFreeBytes);
      if (!isFree) recorder.failures.warnOnce('disk_full', DISK_FULL, { minFreeBytes });
      recorder.writer.pause(isFree ? undefined : 'disk_full');
    }
    if (maxBytes === undefined) return;
    const { databaseBytes } = await recorder.store.sizes();
    if (databaseBytes <= maxBytes) return;
    recorder.noteEvicted(await recorder.store.evictOldest(Math.floor(maxBytes * EVICT_TO)));
    recorder.failures.warnOnce('evicted', EVICTED, { maxDatabaseBytes: maxBytes });
  };
  /** One job at a time: each waits for the one before, whatever came of it. */
  const inTurn = <T>(job: () => Promise<T>): Promise<T> => {
    const run = isKeeping.then(job, job);
    isKeeping = run.catch(() => undefined);
    return run;
  };
  const every = (intervalMs: number, job: () => Promise<unknown>, where: string): void => {
    const timer = setInterval(() => {
      if (!recorder.isOpen) return;
      inTurn(job).catch((error: unknown) => {
        recorder.onError(error, where);
      });
    }, intervalMs);
    timer.unref();
    recorder.onClose(() => {
      clearInterval(timer);
    });
  };

  recorder.sweepNow = () =>
    inTurn(async () => {
      const swept = await sweep();
      await watch();
      return swept;
    });
  every(options.sweepIntervalMs ?? RECORDER_DEFAULTS.sweepIntervalMs, sweep, 'sweep');
  every(WATCH_INTERVAL_MS, watch, 'watch');
  recorder.onClose(() => isKeeping.then(() => undefined));
}

const DISK_FULL =
  'Recording is paused: less disk space is free than minFreeDiskBytes asks for. It goes on by itself when there is space again.';
const EVICTED =
  'The database has reached maxDatabaseBytes: the oldest entries are deleted before they expire. Raise the limit, or lower ttlDays.';

function maxDatabaseBytes({ options, store }: RecorderCore): number | undefined {
  const { maxDatabaseBytes: limit } = options;
  if (limit === 'unlimited') return undefined;
  if (limit !== undefined) return limit;
  return store.kind === 'sqlite' ? RECORDER_DEFAULTS.embeddedMaxDatabaseBytes : undefined;
}
