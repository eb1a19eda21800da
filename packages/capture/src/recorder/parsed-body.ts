import { createHash } from 'node:crypto';
import { types } from 'node:util';
import { bodyKind } from '../body-kind';
import type { CapturedBody } from '../exchange';
import { toPlain } from '../redaction';

/** Of more, the digest would hold the program up. */
const MAX_HASHED_BYTES = 4 * 1024 * 1024;

/**
 * The value that a body parser left; `undefined` when there is none. Text and bytes stay what they are,
 * under the content type they came with; any other value is kept as JSON. Bounded work: a value that
 * would be larger than a body may be is cut.
 */
export function parsedBody(
  value: unknown,
  maxBodyBytes: number,
  contentType?: string,
): CapturedBody | undefined {
  // As JSON, a text that is cut would be one token without an end.
  if (typeof value === 'string' && (contentType !== undefined || value.length > maxBodyBytes)) {
    return raw(Buffer.from(value.slice(0, maxBodyBytes + 1)), Buffer.byteLength(value), maxBodyBytes);
  }
  if (types.isUint8Array(value)) return parsedBytes(value, maxBodyBytes, contentType);
  const plain = toPlain(value, { maxText: maxBodyBytes });
  if (plain === undefined) return undefined;
  const bytes = Buffer.from(JSON.stringify(plain), 'utf8');
  return {
    bytes: bytes.subarray(0, maxBodyBytes),
    totalBytes: bytes.length,
    isTruncated: bytes.length > maxBodyBytes,
    source: 'parsed',
  };
}

/** Bytes are kept only under a type that claims text. */
function parsedBytes(value: Uint8Array, maxBodyBytes: number, contentType: string | undefined): CapturedBody {
  const kind = bodyKind(contentType);
  if (kind !== undefined && kind !== 'binary' && kind !== 'multipart') {
    return raw(Buffer.from(value.subarray(0, maxBodyBytes)), value.length, maxBodyBytes);
  }
  return {
    bytes: undefined,
    totalBytes: value.length,
    isTruncated: false,
    omitted: 'content_type',
    source: 'parsed',
    ...(value.length <= MAX_HASHED_BYTES && {
      sha256: createHash('sha256').update(value).digest('hex'),
    }),
  };
}

function raw(bytes: Buffer, totalBytes: number, maxBodyBytes: number): CapturedBody {
  return {
    bytes: bytes.subarray(0, maxBodyBytes),
    totalBytes,
    isTruncated: totalBytes > maxBodyBytes,
    source: 'parsed',
    isRaw: true,
  };
}
