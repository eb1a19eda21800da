import type { Clock } from '@recap/storage';
import type { NormalizeEndpoint } from '../entries/endpoint-key';
import type { EntryFilter } from '../entries/entry-filter';
import type { EntryRecord } from '../entries/entry-record';
import type { GapTotals } from '../entries/gap';
import type {
  CountResult,
  DeleteOutcome,
  EntryStore,
  SessionRecord,
  StoreSizes,
} from '../entries/entry-store';
import { createBreather } from './breathe';
import { toEntryDetail, type EntryDetail } from './entry-detail';
import { isNearExpiry, toEntryItem, type EntryItem, type ItemOptions } from './entry-item';
import { combine, filterSteps, type EntrySelection } from './entry-selection';
import {
  MAX_TOTAL,
  takePage,
  toListPage,
  toWindow,
  type ListPage,
  type Paging,
  type Window,
} from './list-page';
import { toGapItem, type GapItem } from './gap-item';
import { explainNoResults, type EmptyAnswer } from './no-results';
import type { Principal } from './principal';
import { QueryError } from './query-error';
import {
  endpointNormalizedWarning,
  indexMissingWarning,
  ownerNotConfiguredWarning,
  precedenceWarning,
  ttlApproachingWarning,
  type QueryWarning,
} from './query-warning';
import { toSessionItem, type SessionItem, type SessionWithEntries } from './session-item';

export interface QueryServiceOptions {
  readonly store: EntryStore;
  readonly clock: Clock;
  readonly normalizeEndpoint: NormalizeEndpoint;
  /** False when nothing tells the recorder whose an exchange is. */
  readonly knowsOwners: () => boolean;
  /** Age beyond which a session is not continued; default 24 h. */
  readonly sessionMaxAgeMs?: number;
}

/** An answer and what has to be said of it. */
export interface Answer<Data> {
  readonly data: Data;
  readonly warnings: readonly QueryWarning[];
}

export interface EntryQuery extends EntrySelection, Paging {
  /** Default true. */
  readonly includeData?: boolean | undefined;
}

export interface GapQuery extends Paging {
  /** Inclusive, ms since the epoch. */
  readonly from?: number | undefined;
  /** Exclusive, ms since the epoch. */
  readonly before?: number | undefined;
}

export interface SessionListQuery extends EntrySelection, Paging {}

export interface SessionQuery extends SessionListQuery {
  /** 0 to 100; default 20. */
  readonly entriesPerSession?: number | undefined;
  /** Default false. */
  readonly includeData?: boolean | undefined;
}

export interface DeleteQuery {
  readonly ids: readonly string[];
  /** Default false: what has not expired is protected. */
  readonly force?: boolean | undefined;
  /** Default false. True: nothing is deleted and the outcomes are what would be. */
  readonly isDryRun?: boolean | undefined;
}

export interface DeleteReport {
  /** One per id, in the order asked; an id asked for twice is there once. */
  readonly results: readonly { readonly id: string; readonly outcome: DeleteOutcome }[];
  readonly deleted: number;
}

/**
 * Answers questions about what was recorded. Here, and nowhere else, an answer is bound to what the
 * principal may see. Rejects with a `QueryError`, or with the `StorageError` of a store that fails.
 */
export interface QueryService {
  queryEntries(principal: Principal, query: EntryQuery): Promise<Answer<ListPage<EntryItem>>>;
  /** @throws {QueryError} `NOT_FOUND` when it is missing, expired or somebody else's. */
  getEntry(principal: Principal, id: string): Promise<Answer<EntryDetail>>;
  listSessions(principal: Principal, query: SessionListQuery): Promise<Answer<ListPage<SessionItem>>>;
  querySessions(principal: Principal, query: SessionQuery): Promise<Answer<ListPage<SessionWithEntries>>>;
  /** @throws {QueryError} `FORBIDDEN` for anyone but an admin. */
  deleteEntries(principal: Principal, query: DeleteQuery): Promise<Answer<DeleteReport>>;
  /** @throws {QueryError} `FORBIDDEN` for anyone but an admin. */
  listGaps(principal: Principal, query: GapQuery): Promise<Answer<ListPage<GapItem>>>;
  /** @throws {QueryError} `FORBIDDEN` for anyone but an admin. */
  gapTotals(principal: Principal): Promise<GapTotals>;
  /** @throws {QueryError} `FORBIDDEN` for anyone but an admin. */
  storeSizes(principal: Principal): Promise<StoreSizes>;
}

/** A question bound to a principal. */
interface Scoped extends EmptyAnswer {
  readonly filter: EntryFilter;
  readonly warnings: QueryWarning[];
}

/** Store calls of one answer that may be under way at once: an answer must not take all connections. */
const PARALLEL_CALLS = 4;
/** From this many rows on, reading them one by one is worth a warning. */
const MANY_ROWS = 10_000;

export function createQueryService(options: QueryServiceOptions): QueryService {
  const { store, clock, normalizeEndpoint, knowsOwners, sessionMaxAgeMs = 24 * 3_600_000 } = options;

  function bind(principal: Principal, query: EntrySelection & Paging): Scoped {
    const { ownerId } = query;
    const warnings: QueryWarning[] = [];
    if (!principal.isAdmin && ownerId !== undefined && ownerId !== principal.ownerId) {
      throw new QueryError('FORBIDDEN', 'Only an admin may look at another owner with owner_id.');
    }
    const scope = principal.isAdmin
      ? ownerId === undefined
        ? {}
        : { owner: ownerId }
      : { owner: principal.ownerId };
    const window = toWindow(query);
    if (query.cursor !== undefined && query.page !== undefined)
      warnings.push(precedenceWarning('cursor', 'page'));
    if (query.sessionId !== undefined && query.metadataSessionId !== undefined) {
      warnings.push(precedenceWarning('session_id', 'metadata_filters.session_id'));
    }
    if (query.endpoint !== undefined) {
      const normalized = normalizeEndpoint(query.endpoint);
      if (normalized !== query.endpoint) warnings.push(endpointNormalizedWarning(query.endpoint, normalized));
    }
    if (!principal.isAdmin && !knowsOwners()) warnings.push(ownerNotConfiguredWarning());
    const steps = filterSteps(query, normalizeEndpoint);
    const isOneOwnerOfAll = principal.isAdmin && ownerId !== undefined;
    return { scope, steps, window, isOneOwnerOfAll, filter: combine(scope, steps), warnings };
  }

  async function addCommonWarnings(
    scoped: Scoped,
    isEmpty: boolean,
    count: CountResult | undefined,
  ): Promise<void> {
    // Among few rows an index would make no difference.
    if (count?.isUnindexed === true && (await store.count({}, MANY_ROWS)).isCapped) {
      scoped.warnings.push(indexMissingWarning());
    }
    if (isEmpty) scoped.warnings.push(await explainNoResults(store, scoped));
  }

  async function toItems(
    entries: readonly EntryRecord[],
    itemOptions: ItemOptions,
    expiring: EntryItem[],
    breathe: () => Promise<void>,
  ): Promise<EntryItem[]> {
    const now = clock.now();
    const items: EntryItem[] = [];
    for (const entry of entries) {
      const item = toEntryItem(entry, itemOptions);
      items.push(item);
      if (isNearExpiry(entry, now)) expiring.push(item);
      await breathe();
    }
    return items;
  }

  async function findSessions(scoped: Scoped, query: Paging): Promise<FoundSessions> {
    const { filter, window } = scoped;
    const [rows, count] = await Promise.all([
      store.findSessions({ filter, ...storeWindow(window) }),
      query.includeTotal === false ? undefined : store.countSessions(filter, MAX_TOTAL),
    ]);
    const { shown, hasMore } = takePage(rows, window);
    await addCommonWarnings(scoped, shown.length === 0, count);
    const last = hasMore ? shown.at(-1) : undefined;
    return { shown, count, next: last && { at: last.lastActivityAt, id: last.id } };
  }

  async function sessionItem(session: SessionRecord, { filter, steps }: Scoped): Promise<SessionItem> {
    const isWhole = steps.every(({ filter: step }) => step.sessionId !== undefined);
    const matching = isWhole
      ? session.totalEntries
      : (await store.count({ ...filter, sessionId: session.id }, MAX_TOTAL)).total;
    return toSessionItem(session, matching, { now: clock.now(), maxAgeMs: sessionMaxAgeMs });
  }

  return {
    async queryEntries(principal, query) {
      const scoped = bind(principal, query);
      const { filter, window, warnings } = scoped;
      const includeData = query.includeData !== false;
      const [rows, count] = await Promise.all([
        store.find({ filter, ...storeWindow(window), includeBodies: includeData }),
        query.includeTotal === false ? undefined : store.count(filter, MAX_TOTAL),
      ]);
      const { shown, hasMore } = takePage(rows, window);
      const expiring: EntryItem[] = [];
      const itemOptions = { storageType: query.storageType, includeData };
      const items = await toItems(shown, itemOptions, expiring, createBreather());
      await addCommonWarnings(scoped, items.length === 0, count);
      if (expiring.length > 0) warnings.push(ttlApproachingWarning(expiring));
      const last = hasMore ? shown.at(-1) : undefined;
      const next = last && { at: last.createdAt, id: last.id };
      return { data: toListPage(items, window, count, next), warnings };
    },

    async getEntry(principal, id) {
      const entry = await store.get(id, principal.isAdmin ? {} : { owner: principal.ownerId });
      if (entry === undefined) throw new QueryError('NOT_FOUND', 'There is no such entry.');
      const data = toEntryDetail(entry);
      return { data, warnings: isNearExpiry(entry, clock.now()) ? [ttlApproachingWarning([data])] : [] };
    },

    async listSessions(principal, query) {
      const scoped = bind(principal, query);
      const { shown, count, next } = await findSessions(scoped, query);
      const items = await mapBounded(shown, (session) => sessionItem(session, scoped));
      return { data: toListPage(items, scoped.window, count, next), warnings: scoped.warnings };
    },

    async querySessions(principal, query) {
      const scoped = bind(principal, query);
      const { entriesPerSession = 20, includeData = false, storageType } = query;
      const { shown, count, next } = await findSessions(scoped, query);
      const expiring: EntryItem[] = [];
      const breathe = createBreather();
      const items = await mapBounded(shown, async (session) => {
        const item = await sessionItem(session, scoped);
        const found = await store.find({
          filter: { ...scoped.filter, sessionId: session.id },
          limit: entriesPerSession + 1,
          includeBodies: includeData,
        });
        const rows = found.slice(0, entriesPerSession);
        const entries = await toItems(rows, { storageType, includeData }, expiring, breathe);
        return { ...item, entries, has_more_entries: found.length > entriesPerSession };
      });
      if (expiring.length > 0) scoped.warnings.push(ttlApproachingWarning(expiring));
      return { data: toListPage(items, scoped.window, count, next), warnings: scoped.warnings };
    },

    async deleteEntries(principal, { ids, force = false, isDryRun = false }) {
      requireAdmin(principal);
      const unique = [...new Set(ids)];
      const outcomes = await store.remove(unique, { force, isDryRun });
      const results = unique.map((id) => ({ id, outcome: outcomes.get(id) ?? ('not_found' as const) }));
      const deleted = results.filter(({ outcome }) => outcome === 'deleted').length;
      return { data: { results, deleted }, warnings: [] };
    },

    async listGaps(principal, { from, before, ...paging }) {
      requireAdmin(principal);
      const window = toWindow(paging);
      const range = { ...(from !== undefined && { from }), ...(before !== undefined && { before }) };
      const [rows, totals] = await Promise.all([
        store.findGaps({ range, ...storeWindow(window) }),
        paging.includeTotal === false ? undefined : store.sumGaps(range),
      ]);
      const { shown, hasMore } = takePage(rows, window);
      const count = totals && { total: totals.gaps, isCapped: totals.isCapped, isUnindexed: false };
      const last = hasMore ? shown.at(-1) : undefined;
      const next = last && { at: last.startedAt, id: last.id };
      const warnings =
        paging.cursor !== undefined && paging.page !== undefined ? [precedenceWarning('cursor', 'page')] : [];
      return { data: toListPage(shown.map(toGapItem), window, count, next), warnings };
    },

    async gapTotals(principal) {
      requireAdmin(principal);
      return store.sumGaps({});
    },

    async storeSizes(principal) {
      requireAdmin(principal);
      return store.sizes();
    },
  };
}

interface FoundSessions {
  readonly shown: readonly SessionRecord[];
  readonly count: CountResult | undefined;
  readonly next: { readonly at: number; readonly id: string } | undefined;
}

/** @throws {QueryError} `FORBIDDEN` */
export function requireAdmin(principal: Principal): void {
  if (!principal.isAdmin) throw new QueryError('FORBIDDEN', 'Only an admin may do this.');
}

function storeWindow({ limit, offset, after }: Window): Pick<Window, 'limit' | 'offset'> & {
  after?: NonNullable<Window['after']>;
} {
  return after === undefined ? { limit, offset } : { limit, offset, after };
}

/** Maps in order with a few calls under way at a time. */
async function mapBounded<From, To>(from: readonly From[], map: (value: From) => Promise<To>): Promise<To[]> {
  const mapped: To[] = [];
  for (let start = 0; start < from.length; start += PARALLEL_CALLS) {
    mapped.push(...(await Promise.all(from.slice(start, start + PARALLEL_CALLS).map(map))));
  }
  return mapped;
}
