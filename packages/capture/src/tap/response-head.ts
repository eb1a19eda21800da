import type { ServerResponse } from 'node:http';
import { faultPoint } from '../fault-point';
import type { HeaderList } from '../exchange';

/**
 * The header fields that were sent, in their order, with duplicates.
 *
 * `getHeaders()` misses fields that `writeHead` was given directly, so the head that Node rendered is
 * read where there is one (HTTP/1); it has been in `_header` since Node 0.x. HTTP/2 has no such text, but
 * its stream notes what it sent.
 */
export function sentHeaders(response: ServerResponse): HeaderList {
  faultPoint('headers');
  const head = (response as { readonly _header?: unknown })._header;
  return typeof head === 'string' ? parseHead(head) : listHeaders(response);
}

/** The status that was sent; `undefined` before the head is. A program may still change `statusCode`, to no effect. */
export function sentStatus(response: ServerResponse): number | undefined {
  if (!response.headersSent) return undefined;
  const head = (response as { readonly _header?: unknown })._header;
  const status = typeof head === 'string' ? head.split(' ', 2)[1] : sentOverHttp2(response)?.[':status'];
  return status === undefined ? response.statusCode : Number(status);
}

/** One field of the response as far as it is known now, before or after the head is sent. */
export function responseHeader(response: ServerResponse, name: string): string | undefined {
  const value = response.getHeader(name);
  if (value !== undefined) return Array.isArray(value) ? value.join(', ') : String(value);
  if (!response.headersSent) return undefined;
  return sentHeaders(response).find(([each]) => each.toLowerCase() === name)?.[1];
}

function parseHead(head: string): HeaderList {
  const fields: [string, string][] = [];
  // The first line is the status line; an empty one ends the head.
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return fields;
}

function listHeaders(response: ServerResponse): HeaderList {
  const sent = sentOverHttp2(response) ?? response.getHeaders();
  const fields: [string, string][] = [];
  for (const name of Object.keys(sent)) {
    // The status of HTTP/2 travels among the fields.
    if (name.startsWith(':')) continue;
    const value = sent[name];
    for (const each of Array.isArray(value) ? value : [value]) fields.push([name, String(each)]);
  }
  return fields;
}

function sentOverHttp2(response: ServerResponse): Readonly<Record<string, unknown>> | undefined {
  const { stream } = response as {
    readonly stream?: { readonly sentHeaders?: Readonly<Record<string, unknown>> };
  };
  return stream?.sentHeaders;
}
