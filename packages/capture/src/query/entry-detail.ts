import type { ClosedBy } from '../exchange';
import type { BodyCodec, BodyDetails, BodyState, EntryRecord } from '../entries/entry-record';
import { viewBody, type BodyView } from './body-view';
import { bothSides, toEntryItem, type EntryItem } from './entry-item';
import type { QueryWarning } from './query-warning';

/** One side of an entry in full. */
export interface SideDetail extends BodyView {
  /** In the order they were sent; a name that was sent twice is there twice. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly content_type: string | null;
  readonly stored_bytes: number;
  /** How the stored bytes are packed; null when they are as they came, or there are none. */
  readonly compression: Exclude<BodyCodec, 'identity' | 'joined'> | null;
  /** `parsed` when the body is the value that a parser or a method held, not the bytes that travelled. */
  readonly body_source: 'wire' | 'parsed' | null;
  /** Why there is no body, such as `content_type` or `unparsable`. */
  readonly reason: string | null;
  /** Of a body that is not kept, in hex. */
  readonly sha256: string | null;
}

/** How an answer went out. */
export interface DeliveryDetail {
  /** `cap`: the stream went on beyond what is kept of it. */
  readonly closed_by: ClosedBy;
  /** Bytes of body that the program handed over. */
  readonly offered_bytes: number | null;
  /** Bytes of body that went to the network; null when that cannot be told. */
  readonly sent_bytes: number | null;
  readonly first_byte_ms: number | null;
  readonly chunks: number | null;
  readonly longest_gap_ms: number | null;
}

/** The whole entry, as the wire shows it. */
export interface EntryDetail extends EntryItem {
  /** The entry within which a decorated method was called. */
  readonly parent_id: string | null;
  readonly request: SideDetail;
  readonly response: SideDetail;
  /** Null for a call of a decorated method, and for entries of versions that did not measure it. */
  readonly delivery: DeliveryDetail | null;
  /** The query string without `?`. */
  readonly query: string | null;
  readonly error: { readonly name: string | null; readonly message: string | null } | null;
  readonly client_address: string | null;
  readonly trace_id: string | null;
  /** Paths at which something was hidden. */
  readonly redacted: readonly string[];
  /** What arose while recording. */
  readonly warnings: readonly QueryWarning[];
}

export function toEntryDetail(entry: EntryRecord): EntryDetail {
  const views = { request: viewBody(entry, 'request', true), response: viewBody(entry, 'response', true) };
  return {
    ...toEntryItem(entry, { storageType: undefined, includeData: false }),
    ...bothSides(views, true),
    parent_id: entry.parentId,
    request: {
      headers: entry.requestHeaders,
      content_type: entry.requestContentType,
      stored_bytes: entry.requestStoredBytes,
      compression: compression(entry.requestCodec),
      ...told(entry.requestDetails, entry.requestState),
      ...views.request,
    },
    response: {
      headers: entry.responseHeaders,
      content_type: entry.responseContentType,
      stored_bytes: entry.responseStoredBytes,
      compression: compression(entry.responseCodec === 'joined' ? entry.requestCodec : entry.responseCodec),
      ...told(entry.responseDetails, entry.responseState),
      ...views.response,
    },
    delivery: delivery(entry),
    query: entry.query,
    error:
      entry.errorName === null && entry.errorMessage === null
        ? null
        : { name: entry.errorName, message: entry.errorMessage },
    client_address: entry.clientAddress,
    trace_id: entry.traceId,
    redacted: entry.redacted,
    warnings: entry.warnings,
  };
}

function told(
  { source = 'wire', reason, sha256 }: BodyDetails,
  state: BodyState,
): Pick<SideDetail, 'body_source' | 'reason' | 'sha256'> {
  return { body_source: state === 'empty' ? null : source, reason: reason ?? null, sha256: sha256 ?? null };
}

function delivery(entry: EntryRecord): DeliveryDetail | null {
  if (entry.closedBy === null) return null;
  return {
    closed_by: entry.closedBy,
    offered_bytes: entry.offeredBytes,
    sent_bytes: entry.sentBytes,
    first_byte_ms: entry.firstByteMs,
    chunks: entry.chunks,
    longest_gap_ms: entry.longestGapMs,
  };
}

function compression(codec: BodyCodec): SideDetail['compression'] {
  return codec === 'identity' || codec === 'joined' ? null : codec;
}
