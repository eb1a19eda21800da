import type { SessionSpan } from '../sessions/place-entries';

export const SESSION_COLUMNS =
  'id, session_key, owner, session_group, created_at, last_activity_at, timeout_ms';

/** PostgreSQL hands bigints over as text. */
export interface SessionRow {
  readonly id: string;
  readonly session_key: string;
  readonly owner: string;
  readonly session_group: string | null;
  readonly created_at: number | string;
  readonly last_activity_at: number | string;
  readonly timeout_ms: number | string;
}

export function sessionFromRow(row: SessionRow): SessionSpan {
  return {
    id: row.id,
    key: row.session_key,
    owner: row.owner,
    group: row.session_group,
    createdAt: Number(row.created_at),
    lastActivityAt: Number(row.last_activity_at),
    timeoutMs: Number(row.timeout_ms),
  };
}
