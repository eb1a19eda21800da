import type { IncomingHttpHeaders } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';

/** Whether a request announces a body. */
export function hasBody(headers: IncomingHttpHeaders, stream: ServerHttp2Stream | undefined): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = headers['content-length'];
  if (length !== undefined) return Number(length) !== 0;
  // HTTP/2 needs neither header; there the stream itself knows.
  return stream?.endAfterHeaders === false;
}

/** Size of the body as the client declared it. */
export function declaredBytes(headers: IncomingHttpHeaders): number | undefined {
  const declared = Number(headers['content-length'] ?? NaN);
  return Number.isSafeInteger(declared) ? declared : undefined;
}
