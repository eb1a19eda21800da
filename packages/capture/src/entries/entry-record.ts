import type { ClosedBy, Outcome, RecordedWarning } from '../exchange';
import type { StorageType } from './storage-type';

/** What can be said of a stored body beside its bytes. `empty`: there was none. */
export type BodyState = 'empty' | 'captured' | 'truncated' | 'dropped' | 'not_captured';

/**
 * How stored bytes are packed. Readers go by this mark, never by present settings. `joined`, of a response only: its
 * bytes follow those of the request's body, packed together with them.
 */
export type BodyCodec = 'identity' | 'deflate' | 'br' | 'zstd' | 'joined';

export interface BodyDetails {
  /** Why a body is `dropped` or `not_captured`: `unparsable`, `content_type`, `open_budget`, … */
  readonly reason?: string;
  /** `parsed` when the body is the value that a parser or handler held, not the bytes that travelled. */
  readonly source?: 'wire' | 'parsed';
  /** SHA-256 in hex of a body that is not kept. */
  readonly sha256?: string;
  /** Content coding the peer saw (`gzip`, `br`, …); what is stored is decoded. */
  readonly contentEncoding?: string;
}

/**
 * One entry as a row: the shape of `StorageEntry`, for code that must not know TypeORM. Absent values
 * are `null`, as the database has them. Instants are ms since the epoch.
 */
export interface EntryRecord {
  id: string;
  parentId: string | null;
  type: StorageType;
  method: string | null;
  endpoint: string | null;
  /** `endpoint` in the form in which endpoints are compared. */
  endpointKey: string | null;
  path: string | null;
  query: string | null;
  status: number | null;
  outcome: Outcome;
  errorName: string | null;
  errorMessage: string | null;
  /** When the exchange started. */
  createdAt: number;
  durationMs: number;
  owner: string;
  sessionId: string;
  clientAddress: string | null;
  traceId: string | null;
  metadata: Record<string, unknown>;
  /** Paths at which something was hidden, such as `request.body.user.password`. */
  redacted: readonly string[];
  warnings: readonly RecordedWarning[];
  expiresAt: number | null;

  requestHeaders: readonly (readonly [string, string])[];
  requestContentType: string | null;
  /** Size of the body as it travelled. */
  requestOriginalBytes: number | null;
  requestStoredBytes: number;
  /** Size of the stored bytes once unpacked: the bound for unpacking. */
  requestUnpackedBytes: number;
  requestCodec: BodyCodec;
  requestState: BodyState;
  requestDetails: BodyDetails;
  requestBody: Buffer | null;

  responseHeaders: readonly (readonly [string, string])[];
  responseContentType: string | null;
  responseOriginalBytes: number | null;
  responseStoredBytes: number;
  responseUnpackedBytes: number;
  responseCodec: BodyCodec;
  responseState: BodyState;
  responseDetails: BodyDetails;
  responseBody: Buffer | null;

  /** What follows is about how the answer went out, and null for a call of a plain method. See `Delivery`. */
  closedBy: ClosedBy | null;
  offeredBytes: number | null;
  sentBytes: number | null;
  firstByteMs: number | null;
  chunks: number | null;
  longestGapMs: number | null;
}
