import type { EntryRecord } from '../entries/entry-record';
import type { NewEntry } from '../entries/entry-store';
import type { HeaderList, RecordedWarning } from '../exchange';
import { headersFromBytes, headersToBytes } from './header-bytes';
import type { Dialect } from './sql-database';
import { storableJson, storableKey, storableMetadata, storableText } from './storable-text';

type Kind = 'text' | 'number' | 'json' | 'headers' | 'bytes';

/** The table's columns in their order; bodies last. */
const COLUMNS: readonly (readonly [column: string, property: keyof EntryRecord, kind: Kind])[] = [
  ['id', 'id', 'text'],
  ['parent_id', 'parentId', 'text'],
  ['type', 'type', 'text'],
  ['method', 'method', 'text'],
  ['endpoint', 'endpoint', 'text'],
  ['endpoint_key', 'endpointKey', 'text'],
  ['path', 'path', 'text'],
  ['query', 'query', 'text'],
  ['status', 'status', 'number'],
  ['outcome', 'outcome', 'text'],
  ['error_name', 'errorName', 'text'],
  ['error_message', 'errorMessage', 'text'],
  ['created_at', 'createdAt', 'number'],
  ['duration_ms', 'durationMs', 'number'],
  ['owner', 'owner', 'text'],
  ['session_id', 'sessionId', 'text'],
  ['client_address', 'clientAddress', 'text'],
  ['trace_id', 'traceId', 'text'],
  ['metadata', 'metadata', 'json'],
  ['redacted', 'redacted', 'json'],
  ['warnings', 'warnings', 'json'],
  ['expires_at', 'expiresAt', 'number'],
  ['request_headers', 'requestHeaders', 'headers'],
  ['request_content_type', 'requestContentType', 'text'],
  ['request_original_bytes', 'requestOriginalBytes', 'number'],
  ['request_stored_bytes', 'requestStoredBytes', 'number'],
  ['request_unpacked_bytes', 'requestUnpackedBytes', 'number'],
  ['request_codec', 'requestCodec', 'text'],
  ['request_state', 'requestState', 'text'],
  ['request_details', 'requestDetails', 'json'],
  ['response_headers', 'responseHeaders', 'headers'],
  ['response_content_type', 'responseContentType', 'text'],
  ['response_original_bytes', 'responseOriginalBytes', 'number'],
  ['response_stored_bytes', 'responseStoredBytes', 'number'],
  ['response_unpacked_bytes', 'responseUnpackedBytes', 'number'],
  ['response_codec', 'responseCodec', 'text'],
  ['response_state', 'responseState', 'text'],
  ['response_details', 'responseDetails', 'json'],
  ['closed_by', 'closedBy', 'text'],
  ['offered_bytes', 'offeredBytes', 'number'],
  ['sent_bytes', 'sentBytes', 'number'],
  ['first_byte_ms', 'firstByteMs', 'number'],
  ['chunks', 'chunks', 'number'],
  ['longest_gap_ms', 'longestGapMs', 'number'],
  ['request_body', 'requestBody', 'bytes'],
  ['response_body', 'responseBody', 'bytes'],
];

export const ALL_COLUMNS = COLUMNS.map(([column]) => column).join(', ');
export const COLUMNS_WITHOUT_BODIES = COLUMNS.filter(([, , kind]) => kind !== 'bytes')
  .map(([column]) => column)
  .join(', ');

export type EntryRow = Readonly<Record<string, unknown>> & { readonly id: string };

/** A row as it was read; what was not selected is null. */
export function entryFromRow(row: EntryRow): EntryRecord {
  const entry: Record<string, unknown> = {};
  for (const [column, property, kind] of COLUMNS) entry[property] = fromDatabase(row[column], kind);
  return entry as unknown as EntryRecord;
}

function fromDatabase(value: unknown, kind: Kind): unknown {
  if (value === null || value === undefined) return null;
  if (kind === 'number') return Number(value);
  if (kind === 'headers') return storedHeaders(value as string | Uint8Array);
  return kind === 'json' ? JSON.parse(value as string) : value;
}

/** Header fields as they were stored: packed by SQLite's rows, as JSON by PostgreSQL's and by those of before. */
export function storedHeaders(value: string | Uint8Array): HeaderList {
  return typeof value === 'string' ? (JSON.parse(value) as HeaderList) : headersFromBytes(value);
}

/** An entry's values in the order of the columns. Written out, since it runs for every entry recorded. */
export function entryValues(
  entry: NewEntry,
  sessionId: string,
  placementWarning: RecordedWarning | undefined,
  dialect: Dialect,
): unknown[] {
  // SQLite takes bytes in a column of text, and half of a row without bodies would be the names of header fields.
  const headers = dialect === 'sqlite' ? headersToBytes : storableJson;
  const metadata = storableMetadata(entry.metadata);
  const added = [placementWarning, metadata.warning].filter((warning) => warning !== undefined);
  return [
    storableKey(entry.id),
    text(entry.parentId),
    entry.type,
    text(entry.method),
    text(entry.endpoint),
    key(entry.endpointKey),
    text(entry.path),
    text(entry.query),
    entry.status,
    entry.outcome,
    text(entry.errorName),
    text(entry.errorMessage),
    Math.trunc(entry.createdAt),
    entry.durationMs,
    storableKey(entry.owner),
    sessionId,
    text(entry.clientAddress),
    key(entry.traceId),
    metadata.json,
    storableJson(entry.redacted),
    storableJson(added.length === 0 ? entry.warnings : [...entry.warnings, ...added]),
    entry.expiresAt === null ? null : Math.trunc(entry.expiresAt),
    headers(entry.requestHeaders),
    text(entry.requestContentType),
    entry.requestOriginalBytes,
    entry.requestStoredBytes,
    entry.requestUnpackedBytes,
    entry.requestCodec,
    entry.requestState,
    storableJson(entry.requestDetails),
    headers(entry.responseHeaders),
    text(entry.responseContentType),
    entry.responseOriginalBytes,
    entry.responseStoredBytes,
    entry.responseUnpackedBytes,
    entry.responseCodec,
    entry.responseState,
    storableJson(entry.responseDetails),
    entry.closedBy,
    entry.offeredBytes,
    entry.sentBytes,
    entry.firstByteMs,
    entry.chunks,
    entry.longestGapMs,
    entry.requestBody,
    entry.responseBody,
  ];
}

const key = (value: string | null): string | null => (value === null ? null : storableKey(value));
const text = (value: string | null): string | null => (value === null ? null : storableText(value));
