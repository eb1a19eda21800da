import { setImmediate as nextTurn } from 'node:timers/promises';
import { isPromise } from 'node:util/types';
import { errorCode } from '@recap/storage';
import { faultPoint } from '../fault-point';
import type { EntryStore, NewEntry, Placement } from '../entries/entry-store';
import type { Exchange, SessionClaim } from '../exchange';

/** Why an exchange was not stored. */
export type ShedReason =
  | 'queue_full'
  | 'noisy_owner'
  | 'lag'
  | 'disk_full'
  | 'poison'
  | 'internal_error'
  | 'closed'
  | 'spool_corrupt';

/** What became of one batch. Plain data: it may come from another thread. */
export interface BatchOutcome {
  stored: number;
  /** What the store refuses for what it is. */
  poison: number;
  /** What could not be prepared. */
  unprepared: number;
  /** Bytes of bodies as they travelled, and as they are stored. */
  bytesBefore: number;
  bytesAfter: number;
  /** Where entries went; left empty unless asked for. */
  readonly placed: PlacedEntry[];
  readonly failures: BatchFailure[];
  /** Which ones are `poison` or `unprepared`. */
  readonly lost: LostExchange[];
}

export interface LostExchange {
  readonly id: string;
  readonly reason: 'poison' | 'internal_error';
}

export interface PlacedEntry {
  readonly claim: SessionClaim;
  readonly sessionId: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** A failure that did not stop the batch. */
export interface BatchFailure {
  readonly error: unknown;
  readonly where: string;
}

export interface BatchProcessorOptions<Item> {
  readonly store: Pick<EntryStore, 'open' | 'append'>;
  readonly prepare: (item: Item) => NewEntry | Promise<NewEntry>;
  readonly idOf: (item: Item) => string;
}

/** Uninterrupted work after which the thread's other work gets its turn. */
const SLICE_MS = 4;
/** Failures of the surroundings, which pass; any other is blamed on the batch. */
const TRANSIENT = new Set(['UNAVAILABLE', 'POOL_EXHAUSTED', 'SQLITE_NOT_BUILT', 'DRIVER_MISSING']);

/** A batch that has begun: what is left of it, and what became of the rest. */
interface Progress {
  outcome: BatchOutcome;
  /** `undefined` until the exchanges are prepared. */
  left: NewEntry[] | undefined;
}

type Prepared = NewEntry | undefined | Promise<NewEntry | undefined>;

/** Prepares exchanges, or what else becomes entries, and appends them to the store, batch by batch. */
export class BatchProcessor<Item = Exchange> {
  readonly #options: BatchProcessorOptions<Item>;
  /** Of batches that failed, by whatever names them. */
  readonly #begun = new Map<unknown, Progress>();

  constructor(options: BatchProcessorOptions<Item>) {
    this.#options = options;
  }

  /**
   * Stores a batch. When it was begun before, under the same name, it is gone on with: nothing is prepared or
   * counted twice.
   *
   * @param read called once for a batch, when it begins; what it gives is asked for one by one, so that each can be gone
   *   before the next one comes
   * @throws {StorageError} what the store failed with, when that may pass: call again later
   */
  async process(name: unknown, read: () => Iterable<Item>, tellsPlaces: boolean): Promise<BatchOutcome> {
    const progress = this.#begun.get(name) ?? { outcome: emptyOutcome(), left: undefined };
    this.#begun.set(name, progress);
    await this.#options.store.open();
    if (progress.left === undefined) {
      // Afresh, should reading have failed half way.
      progress.outcome = emptyOutcome();
      progress.left = await this.#prepareAll(read(), progress.outcome);
    }
    await this.#append(progress.left, progress, tellsPlaces);
    this.#begun.delete(name);
    return progress.outcome;
  }

  /** A batch that failed will not be gone on with. */
  forget(name: unknown): void {
    this.#begun.delete(name);
  }

  async #prepareAll(items: Iterable<Item>, outcome: BatchOutcome): Promise<NewEntry[]> {
    const prepared: Prepared[] = [];
    const noteFailure = (error: unknown, item: Item): void => {
      outcome.unprepared += 1;
      outcome.lost.push({ id: this.#options.idOf(item), reason: 'internal_error' });
      outcome.failures.push({ error, where: 'prepare' });
    };
    let sliceStart = performance.now();
    for (const item of items) {
      // Redaction is done within this call, compression of large bodies beside it: all of them at once.
      prepared.push(this.#prepare(item, noteFailure));
      if (performance.now() - sliceStart < SLICE_MS) continue;
      await nextTurn();
      sliceStart = performance.now();
    }
    const entries: NewEntry[] = [];
    for (const each of prepared) {
      const entry = isPromise(each) ? await each : each;
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  #prepare(item: Item, noteFailure: (error: unknown, item: Item) => void): Prepared {
    try {
      const entry = this.#options.prepare(item);
      if (!isPromise(entry)) return entry;
      return entry.catch((error: unknown) => {
        noteFailure(error, item);
        return undefined;
      });
    } catch (error) {
      noteFailure(error, item);
      return undefined;
    }
  }

  /** Appends `entries`; when the store refuses them for what they are, half by half until the one is found. */
  async #append(entries: readonly NewEntry[], progress: Progress, tellsPlaces: boolean): Promise<void> {
    if (entries.length === 0) return;
    try {
      faultPoint('append');
      const placements = await this.#options.store.append(entries);
      this.#note(entries, placements, progress, tellsPlaces);
    } catch (error) {
      if (TRANSIENT.has(errorCode(error) ?? '')) throw error;
      const [only] = entries;
      if (only !== undefined && entries.length === 1) {
        progress.outcome.poison += 1;
        progress.outcome.lost.push({ id: only.id, reason: 'poison' });
        progress.outcome.failures.push({ error, where: 'store.append' });
        progress.left = without(progress.left, entries);
        return;
      }
      const half = Math.ceil(entries.length / 2);
      await this.#append(entries.slice(0, half), progress, tellsPlaces);
      await this.#append(entries.slice(half), progress, tellsPlaces);
    }
  }

  #note(
    entries: readonly NewEntry[],
    placements: readonly Placement[],
    progress: Progress,
    tellsPlaces: boolean,
  ): void {
    const { outcome } = progress;
    // Taken out at once: a later part of the batch may fail, and these must not be counted again.
    progress.left = without(progress.left, entries);
    outcome.stored += entries.length;
    for (const entry of entries) {
      outcome.bytesBefore += (entry.requestOriginalBytes ?? 0) + (entry.responseOriginalBytes ?? 0);
      outcome.bytesAfter += entry.requestStoredBytes + entry.responseStoredBytes;
    }
    if (!tellsPlaces) return;
    const sessionOf = new Map(placements.map(({ entryId, sessionId }) => [entryId, sessionId]));
    for (const { id, session, createdAt, durationMs } of entries) {
      const sessionId = sessionOf.get(id);
      if (sessionId === undefined) continue;
      outcome.placed.push({
        claim: session,
        sessionId,
        startedAt: createdAt,
        endedAt: createdAt + durationMs,
      });
    }
  }
}

export function emptyOutcome(): BatchOutcome {
  return {
    stored: 0,
    poison: 0,
    unprepared: 0,
    bytesBefore: 0,
    bytesAfter: 0,
    placed: [],
    failures: [],
    lost: [],
  };
}

function without(all: readonly NewEntry[] | undefined, done: readonly NewEntry[]): NewEntry[] | undefined {
  if (all === undefined || all.length === done.length) return all === undefined ? undefined : [];
  const gone = new Set(done);
  return all.filter((entry) => !gone.has(entry));
}
