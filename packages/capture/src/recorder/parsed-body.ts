import type { CapturedBody } from '../exchange';
import { toPlain } from '../redaction';

/**
 * The value that a body parser left, as JSON; `undefined` when there is none. Bounded work: a value
 * that would be larger than a body may be is cut.
 */
export function parsedBody(value: unknown, maxBodyBytes: number): CapturedBody | undefined {
  if (value === undefined) return undefined;
  const plain = toPlain(value);
  if (plain === undefined) return undefined;
  const text = JSON.stringify(plain);
  const bytes = Buffer.from(text, 'utf8');
  return {
    bytes: bytes.subarray(0, maxBodyBytes),
    totalBytes: bytes.length,
    isTruncated: bytes.length > maxBodyBytes,
    source: 'parsed',
  };
}
