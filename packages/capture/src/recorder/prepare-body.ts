import { createHash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import type { BodyKind } from '../body-kind';
import { bodyKind } from '../body-kind';
import type { PackBody, PackedBody } from '../codec';
import type { BodyDetails, BodyState } from '../entries/entry-record';
import type { CapturedBody, ExchangeSide, HeaderList } from '../exchange';
import type { Redactor, ReportRedaction, Side } from '../redaction/redactor';
import { contentCodings, decodeContent } from './decode-content';

/** One body as it is stored. */
export interface PreparedBody {
  readonly state: BodyState;
  readonly details: BodyDetails;
  readonly originalBytes: number | null;
  readonly packed: PackedBody | undefined;
}

export interface BodyTools {
  /** `undefined` when redaction is off. */
  readonly redactor: Redactor | undefined;
  readonly pack: PackBody;
  /** Bound for what a compressed body may unfold to. */
  readonly maxDecodedBytes: number;
}

/** Decodes, redacts and packs one body: the order matters, since nothing unredacted may be packed. */
export async function prepareBody(
  side: Side,
  { headers, body }: ExchangeSide,
  tools: BodyTools,
  report: ReportRedaction,
): Promise<PreparedBody> {
  if (body === undefined) return { state: 'empty', details: {}, originalBytes: null, packed: undefined };
  const originalBytes = body.totalBytes ?? body.bytes?.length ?? null;
  const without = (state: BodyState, reason: string, more: BodyDetails = {}): PreparedBody => ({
    state,
    details: { ...details, reason, ...more },
    originalBytes,
    packed: undefined,
  });
  const codings = body.source === 'wire' ? contentCodings(headerValue(headers, 'content-encoding')) : [];
  const codingsSeen = body.coding === undefined ? codings : contentCodings(body.coding);
  const details: BodyDetails = {
    ...(body.source === 'parsed' && { source: 'parsed' }),
    ...(body.sha256 !== undefined && { sha256: body.sha256 }),
    ...(codings.length > 0 && { contentEncoding: codings.join(', ') }),
  };
  if (body.bytes === undefined) return without('not_captured', body.omitted ?? 'unknown');

  const decoded =
    codingsSeen.length === 0
      ? body.bytes
      : await decodeContent(body.bytes, codingsSeen, tools.maxDecodedBytes);
  if (decoded === undefined) return without('dropped', 'undecodable');
  const kind = claimedKind(body, headers) ?? sniffKind(decoded, !body.isTruncated);
  if (kind === 'unknown') {
    return without('not_captured', 'content_type', body.isTruncated ? {} : { sha256: sha256(decoded) });
  }
  let kept = decoded;
  let isCut = false;
  if (tools.redactor !== undefined) {
    const redacted = tools.redactor.body(side, decoded, kind, !body.isTruncated, report);
    if (redacted.bytes === undefined) return without('dropped', redacted.reason ?? 'redaction_failed');
    kept = redacted.bytes;
    isCut = redacted.isCut;
  }
  return {
    state: body.isTruncated || isCut ? 'truncated' : 'captured',
    details,
    originalBytes,
    packed: await tools.pack(kept),
  };
}

/** First value of a header field; names do not differ by case. */
export function headerValue(headers: HeaderList, name: string): string | undefined {
  return headers.find(([each]) => each.length === name.length && each.toLowerCase() === name)?.[1];
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
