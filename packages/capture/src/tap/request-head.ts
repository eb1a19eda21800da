import type { IncomingMessage } from 'node:http';
import type { HeaderList } from '../exchange';

/** Whether a request announces a body. */
export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  if (request.headers['transfer-encoding'] !== undefined) return true;
  if (length !== undefined) return Number(length) !== 0;
  // HTTP/2 needs neither header; there the stream itself knows.
  const { stream } = request as { readonly stream?: { readonly endAfterHeaders?: boolean } };
  return request.httpVersionMajor >= 2 && stream?.endAfterHeaders === false;
}

/** Fields as they came, from Node's flat list. */
export function pairs(raw: readonly string[]): HeaderList {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? '';
    // HTTP/2 sends method and path among the fields; they are kept, and redacted, in their own places.
    if (!name.startsWith(':') || name === ':authority') list.push([name, raw[index + 1] ?? '']);
  }
  return list;
}
