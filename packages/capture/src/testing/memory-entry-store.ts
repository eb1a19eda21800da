import { StorageError, newId as randomId, systemClock, type Clock } from '@recap/storage';
import type { EntryFilter } from '../entries/entry-filter';
import type { EntryRecord } from '../entries/entry-record';
import type { GapRange, GapRecord, Missing } from '../entries/gap';
import type {
  CountResult,
  DeleteOutcome,
  EntryStore,
  FindEntries,
  FindSessions,
  NewEntry,
  Placement,
  Position,
  SessionRecord,
} from '../entries/entry-store';
import { placeEntries, type SessionSpan } from '../sessions/place-entries';
import { entryToPlace } from '../typeorm/entry-to-place';
import { storableJson, storableMetadata, storableKey } from '../typeorm/storable-text';
import { compareText, matchesFilter } from './matches-filter';

/** Bound of a session's figures, and of what `sizes` counts. */
const MAX_COUNTED = 10_000;
const MAX_ENDPOINTS = 100;

export interface MemoryEntryStoreOptions {
  readonly clock?: Clock;
  /** Ids of sessions. */
  readonly newId?: () => string;
  /** Default 24 h. */
  readonly sessionMaxAgeMs?: number;
}

/**
 * An `EntryStore` in memory, for tests: plain loops over two maps, so that it is the measure of the
 * others. Nothing survives it, and nothing is bounded.
 */
export function createMemoryEntryStore(options: MemoryEntryStoreOptions = {}): EntryStore {
  const { clock = systemClock, newId = randomId, sessionMaxAgeMs = 24 * 3_600_000 } = options;
  const entries = new Map<string, EntryRecord>();
  const sessions = new Map<string, SessionSpan>();
  const gaps = new Map<string, GapRecord>();
  let state: 'new' | 'open' | 'closed' = 'new';

  function requireOpen(): void {
    if (state === 'closed') throw new StorageError('CLOSED', 'The entry store is closed.');
    if (state === 'new') throw new StorageError('UNAVAILABLE', 'The entry store is not open yet.');
  }

  const isKept = ({ expiresAt }: { readonly expiresAt: number | null }): boolean =>
    expiresAt === null || expiresAt > clock.now();
  const isVisible: (entry: EntryRecord) => boolean = isKept;

  function matching(filter: EntryFilter): EntryRecord[] {
    return [...entries.values()]
      .filter((entry) => isVisible(entry) && matchesFilter(entry, filter))
      .sort((a, b) => b.createdAt - a.createdAt || compareText(b.id, a.id));
  }

  function matchingSessions(filter: EntryFilter): SessionSpan[] {
    const ids = new Set(matching(filter).map((entry) => entry.sessionId));
    return [...sessions.values()]
      .filter((session) => ids.has(session.id))
      .sort((a, b) => b.lastActivityAt - a.lastActivityAt || compareText(b.id, a.id));
  }

  function sessionRecord(span: SessionSpan): SessionRecord {
    const own = [...entries.values()].filter((entry) => entry.sessionId === span.id && isVisible(entry));
    const endpoints = new Set(own.map((entry) => entry.endpoint).filter((endpoint) => endpoint !== null));
    const errors = own.filter(({ status, outcome }) => outcome !== 'completed' || (status ?? 0) >= 500);
    return {
      id: span.id,
      owner: span.owner,
      group: span.group,
      createdAt: span.createdAt,
      lastActivityAt: span.lastActivityAt,
      timeoutMs: span.timeoutMs,
      endpoints: [...endpoints].sort(compareText).slice(0, MAX_ENDPOINTS),
      totalEntries: Math.min(own.length, MAX_COUNTED),
      errorEntries: Math.min(errors.length, MAX_COUNTED),
    };
  }

  function removeEmptySessions(): number {
    const used = new Set([...entries.values()].map((entry) => entry.sessionId));
    const empty = [...sessions.keys()].filter((id) => !used.has(id));
    for (const id of empty) sessions.delete(id);
    return empty.length;
  }

  function gapsIn({ from = -Infinity, before = Infinity }: GapRange): GapRecord[] {
    return [...gaps.values()]
      .filter((gap) => isKept(gap) && gap.endedAt >= from && gap.startedAt < before)
      .sort((a, b) => b.startedAt - a.startedAt || compareText(b.id, a.id));
  }

  const storedBytes = (): number => [...entries.values()].reduce((sum, entry) => sum + rowBytes(entry), 0);

  return {
    kind: 'memory',

    async open() {
      if (state === 'closed') throw new StorageError('CLOSED', 'The entry store is closed.');
      state = 'open';
    },

    async close() {
      state = 'closed';
    },

    async append(added: readonly NewEntry[]): Promise<readonly Placement[]> {
      requireOpen();
      const fresh = new Map<string, NewEntry>();
      for (const entry of added) {
        const id = storableKey(entry.id);
        const isNew = !entries.has(id) && !fresh.has(id);
        if (isNew || entry.isCorrection === true) fresh.set(id, storableEntry(entry));
      }
      const plan = placeEntries([...fresh.values()].map(entryToPlace), [...sessions.values()], {
        maxAgeMs: sessionMaxAgeMs,
        newId,
      });
      for (const { from, into } of plan.merged) {
        sessions.delete(from);
        for (const entry of entries.values()) if (entry.sessionId === from) entry.sessionId = into;
      }
      for (const session of plan.sessions) sessions.set(session.id, session);
      for (const [id, { session: _, isCorrection: __, ...entry }] of fresh) {
        const sessionId = plan.placements.get(id);
        if (sessionId === undefined) throw new Error(`Entry ${id} was not placed in a session.`);
        const warning = plan.warnings.get(id);
        const warnings = warning === undefined ? entry.warnings : [...entry.warnings, warning];
        entries.set(id, { ...entry, sessionId, warnings });
      }
      return added.map((entry) => {
        const stored = entries.get(storableKey(entry.id));
        return { entryId: entry.id, sessionId: stored === undefined ? '' : stored.sessionId };
      });
    },

    async find({ filter, limit, after, offset = 0, includeBodies }: FindEntries) {
      requireOpen();
      return matching(filter)
        .filter((entry) => isAfter(after, entry.createdAt, entry.id))
        .slice(offset, offset + limit)
        .map((entry) => copyOf(entry, includeBodies));
    },

    async count(filter: EntryFilter, limit: number): Promise<CountResult> {
      requireOpen();
      const { length } = matching(filter);
      return { total: Math.min(length, limit), isCapped: length > limit, isUnindexed: false };
    },

    async get(id: string, filter: Pick<EntryFilter, 'owner'>) {
      requireOpen();
      const entry = entries.get(storableKey(id));
      if (entry === undefined || !isVisible(entry) || !matchesFilter(entry, filter)) return undefined;
      return copyOf(entry, true);
    },

    async findSessions({ filter, limit, after, offset = 0 }: FindSessions) {
      requireOpen();
      return matchingSessions(filter)
        .filter((session) => isAfter(after, session.lastActivityAt, session.id))
        .slice(offset, offset + limit)
        .map(sessionRecord);
    },

    async countSessions(filter: EntryFilter, limit: number): Promise<CountResult> {
      requireOpen();
      const { length } = matchingSessions(filter);
      return { total: Math.min(length, limit), isCapped: length > limit, isUnindexed: false };
    },

    async remove(ids, { force, isDryRun }) {
      requireOpen();
      const outcomes = new Map<string, DeleteOutcome>();
      for (const id of ids) {
        const entry = entries.get(storableKey(id));
        if (entry === undefined) outcomes.set(id, 'not_found');
        else outcomes.set(id, !force && isVisible(entry) ? 'protected' : 'deleted');
      }
      for (const [id, outcome] of outcomes) {
        if (outcome === 'deleted' && !isDryRun) entries.delete(storableKey(id));
      }
      return outcomes;
    },

    async sweep() {
      requireOpen();
      for (const gap of gaps.values()) if (!isKept(gap)) gaps.delete(gap.id);
      const expired = [...entries.values()].filter((entry) => !isVisible(entry));
      for (const entry of expired) entries.delete(entry.id);
      return { deletedEntries: expired.length, deletedSessions: removeEmptySessions(), hasMore: false };
    },

    async evictOldest(databaseBytes: number) {
      requireOpen();
      const oldestFirst = [...entries.values()].sort(
        (a, b) => a.createdAt - b.createdAt || compareText(a.id, b.id),
      );
      let evicted = 0;
      for (let bytes = storedBytes(); bytes > databaseBytes && evicted < oldestFirst.length; evicted += 1) {
        const oldest = oldestFirst[evicted];
        if (oldest === undefined) break;
        entries.delete(oldest.id);
        bytes -= rowBytes(oldest);
      }
      removeEmptySessions();
      return evicted;
    },

    async sizes() {
      requireOpen();
      const visible = [...entries.values()].filter(isVisible).length;
      return {
        databaseBytes: storedBytes(),
        entries: Math.min(visible, MAX_COUNTED),
        entriesIsCapped: visible > MAX_COUNTED,
      };
    },

    async ping() {
      requireOpen();
    },

    async saveGaps(added) {
      requireOpen();
      for (const gap of added) {
        if ((gaps.get(storableKey(gap.id))?.exchanges ?? 0) > gap.exchanges) continue;
        gaps.set(storableKey(gap.id), { ...structuredClone(gap), id: storableKey(gap.id) });
      }
    },

    async findGaps({ range, limit, after, offset = 0 }) {
      requireOpen();
      return gapsIn(range)
        .filter((gap) => isAfter(after, gap.startedAt, gap.id))
        .slice(offset, offset + limit)
        .map((gap) => structuredClone(gap));
    },

    async sumGaps(range) {
      requireOpen();
      const found = gapsIn(range);
      const newest = found.slice(0, MAX_COUNTED);
      const sumOf = (missing: Missing): number =>
        newest.reduce((sum, gap) => sum + (gap.missing === missing ? gap.exchanges : 0), 0);
      return {
        gaps: newest.length,
        isCapped: found.length > MAX_COUNTED,
        exchanges: sumOf('exchanges'),
        bodies: sumOf('bodies'),
        headers: sumOf('headers'),
      };
    },

    async recentSessions(since: number, limit: number) {
      requireOpen();
      return [...sessions.values()]
        .filter((session) => session.lastActivityAt >= since)
        .sort((a, b) => b.lastActivityAt - a.lastActivityAt || compareText(b.id, a.id))
        .slice(0, limit)
        .map(({ id, key, createdAt, lastActivityAt, timeoutMs }) => ({
          id,
          key,
          createdAt,
          lastActivityAt,
          timeoutMs,
        }));
    },
  };
}

function isAfter(position: Position | undefined, at: number, id: string): boolean {
  if (position === undefined) return true;
  return at < position.at || (at === position.at && compareText(id, storableKey(position.id)) < 0);
}

/** What a database would give back for an entry: text made storable, JSON values as JSON has them, own buffers. */
function storableEntry(entry: NewEntry): NewEntry {
  const { requestBody, responseBody, metadata, warnings, ...rest } = entry;
  const { json, warning } = storableMetadata(metadata);
  const copy = JSON.parse(storableJson(rest)) as typeof rest;
  const keyOrNull = (value: string | null): string | null => (value === null ? null : storableKey(value));
  return {
    ...copy,
    id: storableKey(entry.id),
    owner: storableKey(entry.owner),
    endpointKey: keyOrNull(entry.endpointKey),
    traceId: keyOrNull(entry.traceId),
    metadata: JSON.parse(json) as Record<string, unknown>,
    warnings: JSON.parse(
      storableJson(warning === undefined ? warnings : [...warnings, warning]),
    ) as typeof warnings,
    requestBody: requestBody === null ? null : Buffer.from(requestBody),
    responseBody: responseBody === null ? null : Buffer.from(responseBody),
  };
}

function copyOf(entry: EntryRecord, includeBodies: boolean): EntryRecord {
  const { requestBody, responseBody, ...rest } = entry;
  return {
    ...structuredClone(rest),
    requestBody: includeBodies && requestBody !== null ? Buffer.from(requestBody) : null,
    responseBody: includeBodies && responseBody !== null ? Buffer.from(responseBody) : null,
  };
}

function rowBytes({ requestBody, responseBody, ...rest }: EntryRecord): number {
  return JSON.stringify(rest).length + (requestBody?.length ?? 0) + (responseBody?.length ?? 0);
}
