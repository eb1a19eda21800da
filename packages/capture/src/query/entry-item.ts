import type { EntryRecord } from '../entries/entry-record';
import type { StorageType } from '../entries/storage-type';
import type { Outcome } from '../exchange';
import { isTooDeep } from '../json-depth';
import { viewBody, type BodyView, type DataState } from './body-view';

/** The two sides of an exchange, for an item that shows both. */
export interface Sides<T> {
  readonly request: T;
  readonly response: T;
}

/** An entry in a list, as the wire shows it. Every key is always there. */
export interface EntryItem {
  readonly id: string;
  /** The side that was asked for, else what the entry holds. */
  readonly type: StorageType;
  readonly endpoint: string | null;
  readonly method: string | null;
  readonly path: string | null;
  readonly status: number | null;
  readonly outcome: Outcome;
  readonly created_at: string;
  readonly duration_ms: number;
  /** The instant of expiry. */
  readonly ttl: string | null;
  readonly owner: string;
  /** The entry's metadata, and its `session_id`. */
  readonly storage_info: Readonly<Record<string, unknown>>;
  /** The body of the side that was asked for, else those of both sides; null when bodies are left out. */
  readonly data: unknown;
  readonly data_state: DataState | null | Sides<DataState | null>;
  readonly original_bytes: number | null | Sides<number | null>;
}

export interface ItemOptions {
  readonly storageType: StorageType | undefined;
  readonly includeData: boolean;
}

export function toEntryItem(entry: EntryRecord, { storageType, includeData }: ItemOptions): EntryItem {
  const side = storageType === 'request' || storageType === 'response' ? storageType : undefined;
  return {
    id: entry.id,
    type: side ?? entry.type,
    endpoint: entry.endpoint,
    method: entry.method,
    path: entry.path,
    status: entry.status,
    outcome: entry.outcome,
    created_at: toInstant(entry.createdAt),
    duration_ms: entry.durationMs,
    ttl: entry.expiresAt === null ? null : toInstant(entry.expiresAt),
    owner: entry.owner,
    storage_info: storageInfo(entry),
    ...(side === undefined
      ? bothSides(
          {
            request: viewBody(entry, 'request', includeData),
            response: viewBody(entry, 'response', includeData),
          },
          includeData,
        )
      : viewBody(entry, side, includeData)),
  };
}

/** An item's body fields from the views of both sides. */
export function bothSides(
  { request, response }: Sides<BodyView>,
  includeData: boolean,
): Pick<EntryItem, 'data' | 'data_state' | 'original_bytes'> {
  return {
    data: includeData ? { request: request.data, response: response.data } : null,
    data_state: { request: request.data_state, response: response.data_state },
    original_bytes: { request: request.original_bytes, response: response.original_bytes },
  };
}

/** An instant in ms since the epoch as ISO 8601 in UTC with milliseconds. */
export function toInstant(at: number): string {
  return new Date(at).toISOString();
}

/** True within the last tenth of a lifetime. */
export function isNearExpiry({ createdAt, expiresAt }: EntryRecord, now: number): boolean {
  return expiresAt !== null && now >= expiresAt - (expiresAt - createdAt) / 10;
}

function storageInfo({ metadata, sessionId }: EntryRecord): Record<string, unknown> {
  return { ...(isTooDeep(metadata) ? {} : metadata), session_id: sessionId };
}
