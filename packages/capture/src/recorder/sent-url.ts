import type { IncomingMessage } from 'node:http';
import type { HostContext } from './capture-options';

/** The URL as the client sent it: routers change `url` while they work. */
export function sentUrl(context: HostContext, request: IncomingMessage): string {
  const { originalUrl } = context as { readonly originalUrl?: unknown };
  return typeof originalUrl === 'string' ? originalUrl : (request.url ?? '/');
}

export function splitUrl(url: string): { path: string; query: string | undefined } {
  const mark = url.indexOf('?');
  return mark === -1
    ? { path: url, query: undefined }
    : { path: url.slice(0, mark), query: url.slice(mark + 1) || undefined };
}
