/** Figures since the recorder was made. `captured = stored + queued + spooled + (sum of shed)` at any moment. */
export interface RecorderStats {
  /** Exchanges that were to be stored, those that an ended process left in the spool among them. */
  readonly captured: number;
  /** Waiting in memory to be written, or being written, and nowhere else. */
  readonly queued: number;
  /** In the spool and not stored yet, in memory as well or not. */
  readonly spooled: number;
  readonly stored: number;
  /** Of those stored: read back from the spool, since memory had no room or an ended process left them. */
  readonly replayed: number;
  /** Damaged records of the spool that were passed over. */
  readonly spoolCorrupt: number;
  /** Not stored, by reason: `queue_full`, `noisy_owner`, `lag`, `disk_full`, `poison`, `internal_error`, `closed`, `spool_corrupt`. */
  readonly shed: Readonly<Record<string, number>>;
  /** With `strict`, answers that were not committed in time, by reason: those of `shed`, `commit_failed`, `timeout`. */
  readonly strictFailures: Readonly<Record<string, number>>;
  /** Kept without bodies, or without headers, by reason: `backlog`, `lag`, `noisy_owner`, `open_budget`. */
  readonly reduced: Readonly<Record<'bodies' | 'headers', Readonly<Record<string, number>>>>;
  /** Exchanges seen but left out on purpose, by `sample` or `skip`. */
  readonly leftOut: number;
  /** Exchanges in progress. */
  readonly open: number;
  /** Bytes of bodies as they travelled, of entries stored. */
  readonly bytesBefore: number;
  /** Bytes that are stored of them. */
  readonly bytesAfter: number;
  /** Time in which 95 % of the last 256 batches were stored, from their start; null before the first. */
  readonly flushP95Ms: number | null;
  /**
   * Microseconds that the recorder spends on the program's thread at the beginning and the end of an exchange: the median
   * of the last ones measured, which is one of 32; null before the first. Without a worker, storing comes on top.
   */
  readonly microsPerExchange: number | null;
  /** Failures inside Recap; each was told to `onError`. */
  readonly internalErrors: number;
  /** Entries deleted before they expired, to keep within `maxDatabaseBytes`. */
  readonly evicted: number;
  /** Why recording is paused, such as `disk_full`; null while it is not. */
  readonly pausedFor: string | null;
  /** What is left out of every exchange at the moment, with all that comes before: `bodies`, `headers`, `exchanges`; null: nothing. */
  readonly leavingOut: 'bodies' | 'headers' | 'exchanges' | null;
  /** Whether a thread of its own redacts and stores; false: the program's thread does, in short slices. */
  readonly worker: boolean;
}

/** Takes exchanges and gets them stored. Never throws into the program and never makes it wait. */
export interface Recorder {
  /**
   * Waits until the store is open.
   *
   * @throws {StorageError} when it cannot be opened; what is captured meanwhile waits in the queue, and opening is tried again.
   */
  ready(): Promise<void>;
  stats(): RecorderStats;
  /** Writes what is queued now. @throws {StorageError} when the store fails; the exchanges stay queued. */
  flush(): Promise<void>;
  /** Deletes expired entries now, all of them; it is done by itself every `sweepIntervalMs` otherwise. */
  sweep(): Promise<{ readonly deletedEntries: number; readonly deletedSessions: number }>;
  /**
   * Writes what is queued, for at most `timeoutMs` (default 10,000), and closes the store. What could not
   * be written is counted as `shed.closed`. Safe to call twice.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}
