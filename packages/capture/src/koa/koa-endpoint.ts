import type { OpenExchange } from '../recorder/open-exchange';
import { splitUrl } from '../recorder/sent-url';
import type { KoaContext } from './koa-types';

/** Reads the matched route, when the exchange is over: @koa/router notes it while it handles. */
export function noteKoaEndpoint(open: OpenExchange, context: KoaContext): void {
  const { _matchedRoute: template, params, originalUrl } = context;
  if (typeof template === 'string') {
    open.endpoint = withMountPath(template, splitUrl(originalUrl).path);
  } else if (template instanceof RegExp) {
    open.endpoint = String(template);
  }
  if (params !== undefined) open.pathParameters = { ...params };
}

/**
 * koa-mount takes a prefix off the path while its app runs, so a template within it lacks that prefix. It
 * holds no parameters, so it is what stands in the concrete path before the part that the template covers.
 */
function withMountPath(template: string, path: string): string {
  if (template === path) return template;
  const wanted = segments(template);
  const there = segments(path);
  const isPlain = wanted.every((segment) => /^(?::\w+|[^:*(){}?+]*)$/.test(segment));
  const extra = there.length - wanted.length;
  if (!isPlain || extra <= 0) return template;
  const fits = wanted.every((segment, index) => segment.startsWith(':') || segment === there[extra + index]);
  return fits ? `/${[...there.slice(0, extra), ...wanted].join('/')}` : template;
}

function segments(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}
