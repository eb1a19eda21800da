import type { SessionClaim } from '../exchange';
import type { EntryFilter } from './entry-filter';
import type { EntryRecord } from './entry-record';
import type { GapRange, GapRecord, GapTotals } from './gap';

/** An entry before it is in a session. */
export interface NewEntry extends Omit<EntryRecord, 'sessionId'> {
  readonly session: SessionClaim;
  /**
   * Takes the place of an entry of the same id, whether that was stored before or is to be stored later: it says what
   * the client got, the other what it was to get.
   */
  readonly isCorrection?: true;
}

/** Where an entry went. */
export interface Placement {
  readonly entryId: string;
  readonly sessionId: string;
}

/** Position in the order `createdAt` descending, `id` descending; the row itself is not part of what follows. */
export interface Position {
  /** `createdAt` of an entry, `lastActivityAt` of a session. */
  readonly at: number;
  readonly id: string;
}

export interface FindEntries {
  readonly filter: EntryFilter;
  /** At most this many; ask for one more than a page to learn whether there is more. */
  readonly limit: number;
  /** Continue after this position; with it, `offset` is 0. */
  readonly after?: Position;
  /** Rows to pass over, at most 10,000. */
  readonly offset?: number;
  /** Without bodies, `requestBody` and `responseBody` are null and are not read from the database. */
  readonly includeBodies: boolean;
}

export interface CountResult {
  /** At most the limit. */
  readonly total: number;
  /** True when there are more than `total`, or when looking further would have taken too long. */
  readonly isCapped: boolean;
  /** True when rows had to be read one by one because no index serves a filter. */
  readonly isUnindexed: boolean;
}

/** A session and figures over all its entries that have not expired. */
export interface SessionRecord {
  id: string;
  owner: string;
  group: string | null;
  /** Start of its first entry. */
  createdAt: number;
  /** End of what ended last. */
  lastActivityAt: number;
  timeoutMs: number;
  /** Templates of its entries, in code-point order, at most 100. */
  endpoints: string[];
  /** At most 10,000. */
  totalEntries: number;
  /** Entries with status 500 or more, or an outcome other than `completed`; at most 10,000. */
  errorEntries: number;
}

export interface FindSessions {
  /** A session is found when at least one of its entries that have not expired matches. */
  readonly filter: EntryFilter;
  readonly limit: number;
  readonly after?: Position;
  readonly offset?: number;
}

export interface FindGaps {
  readonly range: GapRange;
  readonly limit: number;
  /** Continue after this position, `at` being a `startedAt`; with it, `offset` is 0. */
  readonly after?: Position;
  readonly offset?: number;
}

export type DeleteOutcome = 'deleted' | 'not_found' | 'protected';

export interface SweepResult {
  readonly deletedEntries: number;
  readonly deletedSessions: number;
  /** True when expired rows are left for the next call. */
  readonly hasMore: boolean;
}

export interface StoreSizes {
  /** Bytes of the entries' and sessions' tables with their indexes, without free pages. */
  readonly databaseBytes: number;
  /** Rows that have not expired; counted up to 10,000. */
  readonly entries: number;
  readonly entriesIsCapped: boolean;
}

/**
 * Keeps entries and their sessions. Every implementation passes `describeEntryStore`
 * (`@recap/capture/testing`).
 *
 * An expired entry (`expiresAt <= now`) is invisible to every call but {@link EntryStore.remove},
 * {@link EntryStore.sweep} and {@link EntryStore.evictOldest}. Order is `createdAt` descending, then `id` descending; sessions by
 * `lastActivityAt` descending, then `id` descending. Values given are not kept, values returned are
 * the caller's own. A failure rejects with a `StorageError`: `UNAVAILABLE` or `POOL_EXHAUSTED` when the
 * database does not answer in time, `CLOSED` after {@link EntryStore.close}; it is never an empty result.
 * No call blocks the event loop for longer than 20 ms at a stretch.
 */
export interface EntryStore {
  /** `sqlite`, `postgres` or `memory`. */
  readonly kind: string;

  /** Connects and brings the schema up to date. Safe to call again; a failed attempt is forgotten. */
  open(): Promise<void>;

  /** Safe to call twice. */
  close(): Promise<void>;

  /**
   * Stores entries and places each in a session, all or nothing. Repeating a call changes nothing and
   * returns the same placements: an id that is there already is left as it is, but by a correction.
   * Warnings that arise while placing are added to the entry's.
   */
  append(entries: readonly NewEntry[]): Promise<readonly Placement[]>;

  find(query: FindEntries): Promise<EntryRecord[]>;

  /** Counts up to `limit`. */
  count(filter: EntryFilter, limit: number): Promise<CountResult>;

  /** The entry with its bodies; `undefined` when it is missing, expired, or not of `filter.owner`. */
  get(id: string, filter: Pick<EntryFilter, 'owner'>): Promise<EntryRecord | undefined>;

  findSessions(query: FindSessions): Promise<SessionRecord[]>;

  countSessions(filter: EntryFilter, limit: number): Promise<CountResult>;

  /**
   * Deletes by id, expired or not; the one call that sees expired entries. Without `force` an entry
   * that has not expired is `protected`. With `isDryRun` nothing changes and the outcomes are what would be.
   */
  remove(
    ids: readonly string[],
    options: { readonly force: boolean; readonly isDryRun: boolean },
  ): Promise<ReadonlyMap<string, DeleteOutcome>>;

  /** Deletes expired entries, and sessions left empty, for about `budgetMs`, in short slices. */
  sweep(budgetMs: number): Promise<SweepResult>;

  /** Deletes the oldest entries, expired or not, until the tables hold at most `databaseBytes`; resolves to how many went. */
  evictOldest(databaseBytes: number): Promise<number>;

  sizes(): Promise<StoreSizes>;

  /** Rejects when the database does not answer. */
  ping(): Promise<void>;

  /** Keeps gaps, all or nothing; one that is there already, by its id, becomes what is given, unless that counts fewer. */
  saveGaps(gaps: readonly GapRecord[]): Promise<void>;

  /** Gaps that have not expired, by `startedAt` descending, then `id` descending. */
  findGaps(query: FindGaps): Promise<GapRecord[]>;

  sumGaps(range: GapRange): Promise<GapTotals>;

  /** Sessions with activity since `since`, newest first, at most `limit`: what a recorder needs to know after a start. */
  recentSessions(since: number, limit: number): Promise<readonly RecentSession[]>;
}

export interface RecentSession {
  readonly id: string;
  readonly key: string;
  readonly createdAt: number;
  readonly lastActivityAt: number;
  readonly timeoutMs: number;
}
