import type { IncomingMessage, ServerResponse } from 'node:http';
import { resolveRecorder } from '../default-recorder';
import type { Principal } from '../query/principal';
import { ignore } from '../recorder/exchange-of-request';
import type { Recorder } from '../recorder/recorder';
import { readNodeBody } from '../router/node-body';
import type { RouterRecorder } from '../router/router-recorder';
import { createStorageRouter, requireRouterOptions, type StorageRouter } from '../router/storage-router';

/** What the router looks at of an Express 4 or 5 request. */
export interface StorageRouterRequest extends IncomingMessage {
  readonly baseUrl?: string;
  /** What a body parser of the program left. */
  readonly body?: unknown;
  readonly user?: unknown;
}

export interface ExpressStorageRouterOptions {
  /** Whose entries are shown; default: the process's default recorder, looked up at the first request. */
  readonly recorder?: Recorder | RouterRecorder;
  /** Tells who asks; `undefined` for nobody (401). If it throws, the answer is 500. */
  authenticate(
    request: StorageRouterRequest,
  ): Principal | null | undefined | Promise<Principal | null | undefined>;
  /** Requests a minute for each principal; default: no limit. */
  readonly rateLimitPerMinute?: number;
}

export type StorageRouterHandler = (
  request: StorageRouterRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * The routes over what was recorded, for Express 4 and 5; mount it where it shall be. Answers every path
 * below its mount. Works with and without a body parser before it.
 *
 * @example app.use('/storage', storageRouter({ authenticate: (req) => ({ ownerId: req.user.id, isAdmin: false }) }));
 * @throws {StorageError} `CONFIG_INVALID` without `authenticate`
 */
export function storageRouter(options: ExpressStorageRouterOptions): StorageRouterHandler {
  requireRouterOptions(options);
  let router: StorageRouter<StorageRouterRequest> | undefined;
  const open = (): StorageRouter<StorageRouterRequest> =>
    (router ??= createStorageRouter({
      recorder: (options.recorder as RouterRecorder | undefined) ?? resolveRecorder(undefined),
      authenticate: (request) => options.authenticate(request),
      rateLimitPerMinute: options.rateLimitPerMinute,
    }));
  return (request, response, next) => {
    ignore(request);
    answer(request, response, open).catch(next);
  };
}

async function answer(
  request: StorageRouterRequest,
  response: ServerResponse,
  open: () => StorageRouter<StorageRouterRequest>,
): Promise<void> {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const { status, headers, body } = await open().handle({
    method: request.method ?? 'GET',
    path: mark === -1 ? url : url.slice(0, mark),
    basePath: request.baseUrl ?? '',
    query: mark === -1 ? '' : url.slice(mark + 1),
    headers: request.headers,
    readBody: () => readNodeBody(request, request.body),
    native: request,
  });
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (request.method === 'HEAD') response.end();
  else response.end(body);
}
