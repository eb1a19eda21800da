/**
 * How an exchange ended: answered in full, given up by the client, broken by the program itself, or closed
 * by one of the server's timeouts.
 */
export type Outcome = 'completed' | 'aborted' | 'failed' | 'timed_out';

/**
 * What closed the record: the end of the answer, the end of the connection before that, or a cap, for a
 * stream that goes on beyond what is kept of it.
 */
export type ClosedBy = 'end' | 'connection' | 'cap';

/** Header fields in the order they were sent; a name that was sent twice is there twice. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** What was seen of one body. */
export interface CapturedBody {
  /** The bytes kept, at most the cap; `undefined` when none were kept on purpose or none could be seen. */
  readonly bytes: Buffer | undefined;
  /** Bytes of the whole body as offered to, or sent by, the peer; `undefined` when unknown. */
  readonly totalBytes: number | undefined;
  /** True when the body was longer than what was kept, or ended before its end. */
  readonly isTruncated: boolean;
  /** Why there are no bytes although there was a body, such as `content_type` or `open_budget`. */
  readonly omitted?: string;
  /** `wire`: bytes as they travelled. `parsed`: the value a body parser or the handler held, as JSON. */
  readonly source: 'wire' | 'parsed';
  /** Of a parsed body: the text or bytes themselves, under the content type they came with, not JSON of a value. */
  readonly isRaw?: true;
  /** Content coding of the bytes where it may not be the one that the headers name: they were seen above a compressor. */
  readonly coding?: string;
  /** SHA-256 of the whole body in hex, for bodies that are not kept. */
  readonly sha256?: string;
}

export interface ExchangeSide {
  readonly headers: HeaderList;
  /** `undefined` when there was no body. */
  readonly body: CapturedBody | undefined;
}

/** How the answer went out, as far as it is known when the record is closed. Times are ms with fractions. */
export interface Delivery {
  readonly closedBy: ClosedBy;
  /** Bytes of body that the program handed over, also where HTTP lets none of them go out (HEAD, 204, 304). */
  readonly offeredBytes: number;
  /** Bytes of body that went to the network, without framing and headers; `undefined` when that cannot be told. */
  readonly sentBytes: number | undefined;
  /** From the first sight of the request to the first byte of the answer; `undefined` when there was none. */
  readonly firstByteMs: number | undefined;
  /** Pieces of body that the program handed over. */
  readonly chunks: number;
  /** Longest time between two of them; `undefined` below two. */
  readonly longestGapMs: number | undefined;
}

/** A warning that arose while recording, kept with its entry. */
export interface RecordedWarning {
  readonly code: string;
  readonly message: string;
  readonly severity: 'LOW' | 'MEDIUM' | 'HIGH';
  readonly details: Readonly<Record<string, unknown>>;
}

/** Which session an entry asks for. */
export interface SessionClaim {
  /** Identity of the sequence that sessions are cut from: one owner, group and, for anonymous, client. */
  readonly key: string;
  readonly group: string | undefined;
  /** Idle timeout this entry asks for, in ms. */
  readonly timeoutMs: number;
  /** An id that the client sent to continue a session of its own. */
  readonly requestedId?: string;
  /** The id to use if a session has to be created, when it was already told to the client. */
  readonly proposedId?: string;
}

/**
 * One HTTP request and its response, or one call of a decorated method, as the program saw it:
 * the neutral record between the frameworks and the pipeline. Nothing in it is redacted yet.
 */
export interface Exchange {
  readonly id: string;
  /** Entry of the exchange within which a decorated method was called. */
  readonly parentId: string | undefined;
  readonly storageType: 'request' | 'response' | 'both';
  /** HTTP method in upper case; `undefined` for a call of a plain method. */
  readonly method: string | undefined;
  /** Route template as declared (`/orders/:id`), or `Class.method`; `undefined` when no route matched. */
  readonly endpoint: string | undefined;
  /** Concrete path, without the query string; `undefined` for a call of a plain method. */
  readonly path: string | undefined;
  /** Query string without `?`, as sent; `undefined` when there is none. */
  readonly query: string | undefined;
  /** Values of the path's parameters, as they stand in the path. */
  readonly pathParameters: Readonly<Record<string, string>>;
  /** HTTP status; `undefined` for a method call or when the exchange ended before headers were sent. */
  readonly status: number | undefined;
  readonly outcome: Outcome;
  readonly error: { readonly name: string; readonly message: string } | undefined;
  /** Ms since the epoch. */
  readonly startedAt: number;
  /** From the first sight of the request to the end of the response, in ms with fractions. */
  readonly durationMs: number;
  readonly owner: string;
  readonly clientAddress: string | undefined;
  /** Trace id of the W3C `traceparent` header, 32 hex digits. */
  readonly traceId: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly session: SessionClaim;
  /** Ms since the epoch; `undefined` for an entry that is kept for ever. */
  readonly expiresAt: number | undefined;
  /** False: bodies are stored as they are. */
  readonly compress: boolean;
  readonly request: ExchangeSide;
  readonly response: ExchangeSide;
  /** `undefined` for a call of a plain method. */
  readonly delivery: Delivery | undefined;
  readonly warnings: readonly RecordedWarning[];
  /** What its client got, where something else may be stored under its id already, or come to be. */
  readonly isCorrection?: true;
}
