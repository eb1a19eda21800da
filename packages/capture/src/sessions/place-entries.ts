import type { RecordedWarning, SessionClaim } from '../exchange';

/** A session as far as placing needs it. Instants in ms since the epoch. */
export interface SessionSpan {
  readonly id: string;
  readonly key: string;
  readonly owner: string;
  readonly group: string | null;
  /** Start of its first entry. */
  readonly createdAt: number;
  /** Largest `createdAt + durationMs` of its entries. */
  readonly lastActivityAt: number;
  /** The largest timeout asked for within it. */
  readonly timeoutMs: number;
}

export interface EntryToPlace {
  readonly id: string;
  readonly owner: string;
  readonly createdAt: number;
  readonly durationMs: number;
  readonly session: SessionClaim;
}

export interface PlacementPlan {
  /** Entry id to session id. */
  readonly placements: ReadonlyMap<string, string>;
  /** Entry id to what has to be said of its placement. */
  readonly warnings: ReadonlyMap<string, RecordedWarning>;
  /** Sessions that are new or changed, in their new form. */
  readonly sessions: readonly SessionSpan[];
  /** Sessions that turned out to be one, since a long exchange that ended late bridges them: entries of `from` move to `into`, and `from` goes. */
  readonly merged: readonly { readonly from: string; readonly into: string }[];
}

export interface PlacementOptions {
  /** No session spans more than this from its first start to an entry's start. */
  readonly maxAgeMs: number;
  readonly newId: () => string;
}

/**
 * Decides which session each entry belongs to.
 *
 * Entries are placed by `createdAt`, whatever the order in which they ended or arrived: an entry joins
 * the session of its key when the gap between the session's latest activity and the entry's start is
 * at most the session's timeout, and the session would not grow older than `maxAgeMs`. An entry that
 * began before a session but reaches into its timeout opens that session earlier; one that bridges two
 * makes them one. Pure: the caller holds the lock that makes reading `known` and writing the plan one step.
 *
 * @param known every session of the entries' keys that could be concerned, and those asked for by id.
 */
export function placeEntries(
  entries: readonly EntryToPlace[],
  known: readonly SessionSpan[],
  { maxAgeMs, newId }: PlacementOptions,
): PlacementPlan {
  const live = new Map(known.map((session) => [session.id, session]));
  const byKey = new Map<string, Set<string>>();
  for (const session of known) idsOf(byKey, session.key).add(session.id);
  const changed = new Set<string>();
  const placements = new Map<string, string>();
  const warnings = new Map<string, RecordedWarning>();
  const merged: { from: string; into: string }[] = [];

  const put = (session: SessionSpan): void => {
    live.set(session.id, session);
    idsOf(byKey, session.key).add(session.id);
    changed.add(session.id);
  };
  const absorb = (into: SessionSpan, from: SessionSpan): SessionSpan => {
    live.delete(from.id);
    changed.delete(from.id);
    idsOf(byKey, from.key).delete(from.id);
    merged.push({ from: from.id, into: into.id });
    for (const [entryId, sessionId] of placements) {
      if (sessionId === from.id) placements.set(entryId, into.id);
    }
    return union(into, from);
  };

  /** The earliest session of its key that an entry belongs to. */
  const homeOf = (own: SessionSpan): SessionSpan | undefined => {
    let first: SessionSpan | undefined;
    for (const id of idsOf(byKey, own.key)) {
      const session = live.get(id);
      if (session === undefined || (first !== undefined && bySpanStart(first, session) <= 0)) continue;
      if (belongTogether(session, own, maxAgeMs)) first = session;
    }
    return first;
  };
  const nextTo = (home: SessionSpan): SessionSpan | undefined => {
    for (const id of idsOf(byKey, home.key)) {
      const other = id === home.id ? undefined : live.get(id);
      if (other !== undefined && belongTogether(home, other, maxAgeMs)) return other;
    }
    return undefined;
  };

  for (const entry of [...entries].sort(byStart)) {
    const { session: asked, warning } = requestedSession(entry, live, maxAgeMs);
    if (warning !== undefined) warnings.set(entry.id, warning);
    const own = spanOf(entry);
    const found = asked ?? homeOf(own);
    let home = found === undefined ? { ...own, id: freshId(entry.session, live, newId) } : union(found, own);
    // The entry may have carried its session up to the next one, which then was the same all along.
    for (let other = nextTo(home); other !== undefined; other = nextTo(home)) home = absorb(home, other);
    put(home);
    placements.set(entry.id, home.id);
  }
  const sessions = [...changed].map((id) => live.get(id)).filter((session) => session !== undefined);
  return { placements, warnings, sessions, merged };
}

function idsOf(byKey: Map<string, Set<string>>, key: string): Set<string> {
  let ids = byKey.get(key);
  if (ids === undefined) byKey.set(key, (ids = new Set()));
  return ids;
}

/** An entry as a session of its own, without an id. */
function spanOf(entry: EntryToPlace): SessionSpan {
  return {
    id: '',
    key: entry.session.key,
    owner: entry.owner,
    group: entry.session.group ?? null,
    createdAt: entry.createdAt,
    lastActivityAt: entry.createdAt + entry.durationMs,
    timeoutMs: entry.session.timeoutMs,
  };
}

function freshId(
  { proposedId }: SessionClaim,
  live: ReadonlyMap<string, SessionSpan>,
  newId: () => string,
): string {
  return proposedId !== undefined && !live.has(proposedId) ? proposedId : newId();
}

/** The earlier one's timeout decides, since it is the session so far. Touching or overlapping spans have no gap. */
function belongTogether(a: SessionSpan, b: SessionSpan, maxAgeMs: number): boolean {
  const [first, second] = bySpanStart(a, b) <= 0 ? [a, b] : [b, a];
  // Age is measured to the last start. Of a stored session only its last end is known, which is the safe side.
  const lastStart = second.id === '' ? second.createdAt : second.lastActivityAt;
  return (
    second.createdAt - first.lastActivityAt <= first.timeoutMs && lastStart - first.createdAt <= maxAgeMs
  );
}

function union(a: SessionSpan, b: SessionSpan): SessionSpan {
  const { id, key, owner, group } = a;
  return {
    id,
    key,
    owner,
    group,
    createdAt: Math.min(a.createdAt, b.createdAt),
    lastActivityAt: Math.max(a.lastActivityAt, b.lastActivityAt),
    timeoutMs: Math.max(a.timeoutMs, b.timeoutMs),
  };
}

function requestedSession(
  entry: EntryToPlace,
  live: ReadonlyMap<string, SessionSpan>,
  maxAgeMs: number,
): { session?: SessionSpan; warning?: RecordedWarning } {
  const { requestedId, key } = entry.session;
  if (requestedId === undefined) return {};
  const session = live.get(requestedId);
  if (session === undefined || session.key !== key) {
    return {
      warning: notContinued(
        'SESSION_NOT_FOUND',
        'The session the client asked for is not one of this owner’s.',
      ),
    };
  }
  if (!belongTogether(session, spanOf(entry), maxAgeMs)) {
    return { warning: notContinued('SESSION_TIMEOUT', 'The session the client asked for had ended.') };
  }
  return { session };
}

/** The id that was asked for is not repeated: it may be somebody else's. */
function notContinued(code: string, message: string): RecordedWarning {
  return { code, message, severity: 'LOW', details: {} };
}

const byStart = (a: EntryToPlace, b: EntryToPlace): number =>
  a.createdAt - b.createdAt || (a.id < b.id ? -1 : Number(a.id > b.id));
const bySpanStart = (a: SessionSpan, b: SessionSpan): number => a.createdAt - b.createdAt;
