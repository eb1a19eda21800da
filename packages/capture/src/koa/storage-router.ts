import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { resolveRecorder } from '../default-recorder';
import type { Principal } from '../query/principal';
import { ignore } from '../recorder/exchange-of-request';
import type { Recorder } from '../recorder/recorder';
import { readNodeBody } from '../router/node-body';
import type { RouterRecorder } from '../router/router-recorder';
import { createStorageRouter, requireRouterOptions, type StorageRouter } from '../router/storage-router';

/** What the router looks at of a Koa 2 or 3 context. */
export interface StorageRouterContext {
  readonly req: IncomingMessage;
  /** May hold what a body parser left as `body`. */
  readonly request: object;
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly method: string;
  readonly path: string;
  readonly querystring: string;
  readonly state: Record<string, unknown>;
  status: number;
  body: unknown;
  set(headers: Record<string, string>): void;
}

export interface KoaStorageRouterOptions {
  /** Whose entries are shown; default: the process's default recorder, looked up at the first request. */
  readonly recorder?: Recorder | RouterRecorder;
  /** Tells who asks; `undefined` for nobody (401). If it throws, the answer is 500. */
  authenticate(
    ctx: StorageRouterContext,
  ): Principal | null | undefined | Promise<Principal | null | undefined>;
  /** Requests a minute for each principal; default: no limit. */
  readonly rateLimitPerMinute?: number;
  /** Path below which it answers; default `/storage`. Under koa-mount `''`, within a prefixed router the whole path. */
  readonly prefix?: string;
}

export type StorageRouterMiddleware = (
  ctx: StorageRouterContext,
  next: () => Promise<unknown>,
) => Promise<void>;

/**
 * The routes over what was recorded, for Koa 2 and 3. Answers every path below its prefix and passes on
 * all others. Works with and without a body parser before it.
 *
 * @example app.use(storageRouter({ authenticate: (ctx) => ({ ownerId: ctx.state.user.id, isAdmin: false }) }));
 * @throws {StorageError} `CONFIG_INVALID` without `authenticate`
 */
export function storageRouter(options: KoaStorageRouterOptions): StorageRouterMiddleware {
  requireRouterOptions(options);
  const prefix = toPrefix(options.prefix ?? '/storage');
  let router: StorageRouter<StorageRouterContext> | undefined;
  const open = (): StorageRouter<StorageRouterContext> =>
    (router ??= createStorageRouter({
      recorder: (options.recorder as RouterRecorder | undefined) ?? resolveRecorder(undefined),
      authenticate: (ctx) => options.authenticate(ctx),
      rateLimitPerMinute: options.rateLimitPerMinute,
    }));
  return async (ctx, next) => {
    const { path } = ctx;
    if (path !== prefix && !path.startsWith(`${prefix}/`)) {
      await next();
      return;
    }
    ignore(ctx.req);
    const { status, headers, body } = await open().handle({
      method: ctx.method,
      path: path.slice(prefix.length) || '/',
      basePath: mountPath(ctx) + prefix,
      query: ctx.querystring,
      headers: ctx.headers,
      readBody: () => readNodeBody(ctx.req, (ctx.request as { readonly body?: unknown }).body),
      native: ctx,
    });
    ctx.status = status;
    ctx.set({ ...headers });
    ctx.body = body;
  };
}

/** One leading slash, none trailing; `''` for the root. */
function toPrefix(prefix: string): string {
  const path = prefix.replace(/^\/+|\/+$/g, '');
  return path === '' ? '' : `/${path}`;
}

/** Where koa-mount has put the router. */
function mountPath(ctx: object): string {
  const { mountPath: path } = ctx as { readonly mountPath?: unknown };
  return typeof path === 'string' ? toPrefix(path) : '';
}
