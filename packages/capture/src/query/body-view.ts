import { decodeBody } from '../codec';
import type { EntryRecord } from '../entries/entry-record';
import { isTooDeep } from '../json-depth';

export type DataState = 'truncated' | 'dropped' | 'corrupt' | 'unsupported' | 'not_captured';

/** A body as the wire shows it. */
export interface BodyView {
  readonly data: unknown;
  /** Why `data` is not the body as it was; null when it is, or when there was none. */
  readonly data_state: DataState | null;
  /** Size as it travelled; null when unknown. */
  readonly original_bytes: number | null;
}

/** @param includeData false: the entry was read without bodies, and only what is known of them is told. */
export function viewBody(entry: EntryRecord, side: 'request' | 'response', includeData: boolean): BodyView {
  const isRequest = side === 'request';
  const original_bytes = isRequest ? entry.requestOriginalBytes : entry.responseOriginalBytes;
  const stored = isRequest ? entry.requestState : entry.responseState;
  if (!includeData) {
    const data_state = stored === 'captured' || stored === 'empty' ? null : stored;
    return { data: null, data_state, original_bytes };
  }
  const { data, state = null } = decodeBody(entry, side);
  // Shown as unreadable rather than taking the whole answer down with it.
  if (isTooDeep(data)) return { data: null, data_state: 'corrupt', original_bytes };
  return { data, data_state: state, original_bytes };
}
