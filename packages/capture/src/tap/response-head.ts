import type { ServerResponse } from 'node:http';
import { faultPoint } from '../fault-point';
import { listHeaders, type RawHeaders } from './seen-side';
import type { TapTarget } from './tap-target';

/**
 * The head that was sent; `undefined` before it is.
 *
 * `getHeaders()` misses fields that `writeHead` was given directly, so the head that Node rendered is
 * read where there is one (HTTP/1); it has been in `_header` since Node 0.x. HTTP/2 has no such text, but
 * its stream notes what it sent.
 */
export function sentHead(response: ServerResponse): SentHead | undefined {
  faultPoint('headers');
  const head = (response as { readonly _header?: unknown })._header;
  if (typeof head === 'string') return { status: renderedStatus(head), rawHeaders: head };
  if (!response.headersSent) return undefined;
  const sent = sentOverHttp2(response);
  const status = sent?.[':status'];
  return {
    status: status === undefined ? response.statusCode : Number(status),
    rawHeaders: flatten(sent ?? response.getHeaders()),
  };
}

export interface SentHead {
  /** As sent: a program may still change `statusCode`, to no effect. */
  readonly status: number;
  readonly rawHeaders: RawHeaders;
}

/** Header fields as far as they are set, of a head that is not made yet. */
export function plannedHeaders(response: ServerResponse): RawHeaders {
  return flatten(response.getHeaders());
}

/** One field of the response as far as it is known now, before or after the head is sent. */
export function responseHeader(response: ServerResponse, name: string): string | undefined {
  const value = response.getHeader(name);
  if (value !== undefined) return Array.isArray(value) ? value.join(', ') : String(value);
  const head = sentHead(response);
  return head && listHeaders(head.rawHeaders).find(([each]) => each.toLowerCase() === name)?.[1];
}

/** Of `HTTP/1.1 200 OK`. */
function renderedStatus(head: string): number {
  const start = head.indexOf(' ') + 1;
  const digit = (at: number): number => head.charCodeAt(start + at) - ZERO;
  return digit(0) * 100 + digit(1) * 10 + digit(2);
}

const ZERO = 0x30;

/** Whether the client gets no body, although the program may offer one. */
export function isBodiless(
  { request, response }: Pick<TapTarget, 'request' | 'response'>,
  status: number | undefined,
  isHttp2: boolean,
): boolean {
  return (
    request.method === 'HEAD' ||
    // Node has decided so at a `writeHead` that failed afterwards, and keeps to it under another status.
    (response as { readonly _hasBody?: unknown })._hasBody === false ||
    status === undefined ||
    status < 200 ||
    BODILESS.has(status) ||
    (status === 205 && isHttp2)
  );
}

/** Node sends no body with these; over HTTP/2 not with 205 either. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

function flatten(fields: Readonly<Record<string, unknown>>): string[] {
  const flat: string[] = [];
  for (const name of Object.keys(fields)) {
    // The status of HTTP/2 travels among the fields.
    if (name.startsWith(':')) continue;
    const value = fields[name];
    for (const each of Array.isArray(value) ? value : [value]) flat.push(name, String(each));
  }
  return flat;
}

function sentOverHttp2(response: ServerResponse): Readonly<Record<string, unknown>> | undefined {
  const { stream } = response as {
    readonly stream?: { readonly sentHeaders?: Readonly<Record<string, unknown>> };
  };
  return stream?.sentHeaders;
}
