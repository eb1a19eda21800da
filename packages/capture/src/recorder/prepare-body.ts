import { createHash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import type { BodyKind } from '../body-kind';
import { bodyKind } from '../body-kind';
import type { BodyDetails, BodyState } from '../entries/entry-record';
import type { CapturedBody, ExchangeSide, HeaderList } from '../exchange';
import type { Redactor, ReportRedaction, Side } from '../redaction/redactor';
import { contentCodings, decodeContent, decodeContentNow } from './decode-content';

/** One body as it is stored, but for packing. */
export interface PreparedBody {
  readonly state: BodyState;
  readonly details: BodyDetails;
  readonly originalBytes: number | null;
  /** What is kept of it. */
  readonly bytes: Buffer | undefined;
}

/** A body without its content codings; without bytes, and with the reason, when they cannot be undone. */
export interface DecodedBody {
  readonly bytes: Buffer | undefined;
  readonly reason?: string;
}

const NO_DETAILS: BodyDetails = {};
const UNDECODABLE: DecodedBody = { bytes: undefined, reason: 'undecodable' };

/** @param maxBytes bound for what a compressed body may unfold to */
export function decodeBody(side: ExchangeSide, maxBytes: number): DecodedBody | Promise<DecodedBody> {
  const bytes = side.body?.bytes;
  const codings = codingsSeen(side);
  if (bytes === undefined || codings.length === 0) return { bytes };
  return decodeContent(bytes, codings, maxBytes).then((decoded) =>
    decoded === undefined ? UNDECODABLE : { bytes: decoded },
  );
}

/** The same at once, in the caller's thread. */
export function decodeBodyNow(side: ExchangeSide, maxBytes: number): DecodedBody {
  const bytes = side.body?.bytes;
  const codings = codingsSeen(side);
  if (bytes === undefined || codings.length === 0) return { bytes };
  const decoded = decodeContentNow(bytes, codings, maxBytes);
  return decoded === undefined ? UNDECODABLE : { bytes: decoded };
}

/** Redacts one body. */
export function prepareBody(
  side: Side,
  whole: ExchangeSide,
  decoded: DecodedBody,
  redactor: Redactor | undefined,
  report: ReportRedaction,
): PreparedBody {
  const { headers, body } = whole;
  if (body === undefined) return { state: 'empty', details: {}, originalBytes: null, bytes: undefined };
  const originalBytes = body.totalBytes ?? body.bytes?.length ?? null;
  const without = (state: BodyState, reason: string, more: BodyDetails = {}): PreparedBody => ({
    state,
    details: { ...details, reason, ...more },
    originalBytes,
    bytes: undefined,
  });
  const codings = codingsOf(whole);
  const isPlain = body.source === 'wire' && body.sha256 === undefined && codings.length === 0;
  const details: BodyDetails = isPlain
    ? NO_DETAILS
    : {
        ...(body.source === 'parsed' && { source: 'parsed' }),
        ...(body.sha256 !== undefined && { sha256: body.sha256 }),
        ...(codings.length > 0 && { contentEncoding: codings.join(', ') }),
      };
  if (body.bytes === undefined) return without('not_captured', body.omitted ?? 'unknown');
  if (decoded.bytes === undefined) return without('dropped', decoded.reason ?? 'undecodable');
  const kind = claimedKind(body, headers) ?? sniffKind(decoded.bytes, !body.isTruncated);
  if (kind === 'unknown') {
    return without('not_captured', 'content_type', body.isTruncated ? {} : { sha256: sha256(decoded.bytes) });
  }
  let kept = decoded.bytes;
  let isCut = false;
  if (redactor !== undefined) {
    const redacted = redactor.body(side, kept, kind, !body.isTruncated, report);
    if (redacted.bytes === undefined) return without('dropped', redacted.reason ?? 'redaction_failed');
    kept = redacted.bytes;
    isCut = redacted.isCut;
  }
  return {
    state: body.isTruncated || isCut ? 'truncated' : 'captured',
    details,
    originalBytes,
    bytes: kept,
  };
}

/** Those that the bytes have which were seen. */
function codingsSeen(side: ExchangeSide): string[] {
  return side.body?.coding === undefined ? codingsOf(side) : contentCodings(side.body.coding);
}

function codingsOf({ headers, body }: ExchangeSide): string[] {
  return body?.source === 'wire' ? contentCodings(headerValue(headers, 'content-encoding')) : [];
}

/** First value of a header field; names do not differ by case. */
export function headerValue(headers: HeaderList, name: string): string | undefined {
  for (const [each, value] of headers) {
    if (each === name || (each.length === name.length && each.toLowerCase() === name)) return value;
  }
  return undefined;
}

function claimedKind(body: CapturedBody, headers: HeaderList): BodyKind | undefined {
  // A parser's value is held as JSON, whatever form it travelled in.
  return body.source === 'parsed' && body.isRaw !== true
    ? 'json'
    : bodyKind(headerValue(headers, 'content-type'));
}

/** For a body without a content type: JSON and text tell themselves, the rest might be anything. */
function sniffKind(bytes: Buffer, isComplete: boolean): BodyKind | 'unknown' {
  if (!isUtf8(isComplete ? bytes : bytes.subarray(0, lastCharacterEnd(bytes)))) return 'unknown';
  const text = bytes.toString('utf8');
  if (!/^\uFEFF?\s*[[{]/.test(text)) return 'text';
  if (!isComplete) return 'json';
  try {
    JSON.parse(text);
    return 'json';
  } catch {
    return 'text';
  }
}

/** A cut may fall within a character, which is at most 4 bytes. */
function lastCharacterEnd(bytes: Buffer): number {
  for (let end = bytes.length; end > Math.max(0, bytes.length - 4); end -= 1) {
    const byte = bytes[end - 1] ?? 0;
    if (byte < 0x80) return end;
    if (byte >= 0xc0) return end - 1;
  }
  return bytes.length;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
