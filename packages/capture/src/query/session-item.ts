import type { SessionRecord } from '../entries/entry-store';
import { toInstant, type EntryItem } from './entry-item';

/** A session in a list; its figures are those of the whole session. */
export interface SessionItem {
  readonly session_id: string;
  readonly owner: string;
  readonly group: string | null;
  readonly created_at: string;
  readonly last_activity: string;
  /** True once it cannot be continued any more. */
  readonly ended: boolean;
  readonly timeout_minutes: number;
  readonly endpoints: readonly string[];
  readonly total_entries: number;
  readonly error_entries: number;
  /** How many of its entries the filters match; at most 10,000. */
  readonly matching_entries: number;
}

/** A session with the newest of its matching entries. */
export interface SessionWithEntries extends SessionItem {
  readonly entries: readonly EntryItem[];
  /** True when more of its entries match than are shown. */
  readonly has_more_entries: boolean;
}

export function toSessionItem(
  session: SessionRecord,
  matchingEntries: number,
  { now, maxAgeMs }: { readonly now: number; readonly maxAgeMs: number },
): SessionItem {
  return {
    session_id: session.id,
    owner: session.owner,
    group: session.group,
    created_at: toInstant(session.createdAt),
    last_activity: toInstant(session.lastActivityAt),
    ended: now - session.lastActivityAt > session.timeoutMs || now - session.createdAt > maxAgeMs,
    timeout_minutes: session.timeoutMs / 60_000,
    endpoints: session.endpoints,
    total_entries: session.totalEntries,
    error_entries: session.errorEntries,
    matching_entries: matchingEntries,
  };
}
