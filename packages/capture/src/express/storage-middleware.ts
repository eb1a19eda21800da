import { createMounting, type Mount } from '../mount';
import type { CaptureOptions } from '../recorder/capture-options';
import { runWithin, withoutRecording } from '../recorder/current-exchange';
import type { OpenExchange } from '../recorder/open-exchange';
import { isIgnored, openExchangeOf } from '../recorder/open-exchange';
import { parsedBody } from '../recorder/parsed-body';
import type { Recorder } from '../recorder/recorder';
import type { ExpressApp, ExpressNext, ExpressRequest, ExpressResponse } from './express-types';
import { endpointFromRoute, endpointOfMatched, hookLayers } from './route-hook';

export interface StorageMiddlewareOptions extends CaptureOptions<ExpressRequest> {
  /** Default: the process's own recorder, made with the default options at the first request. */
  readonly recorder?: Recorder;
}

export type ExpressHandler = (request: ExpressRequest, response: ExpressResponse, next: ExpressNext) => void;

/**
 * Records requests and responses. Mount it first, before body parsers and authentication: then it
 * stores the bytes as they travelled and sees parsers fail, and the owner is asked for when the exchange
 * ends. Mounted twice, or on a route below a mount, it still makes one entry, of which the inner mount's options say
 * whose it is, its metadata, lifetime, type and session.
 *
 * @example app.use(storageMiddleware())
 * @throws {StorageError} `CONFIG_INVALID`, naming every wrong option.
 */
export function storageMiddleware(options: StorageMiddlewareOptions = {}): ExpressHandler {
  const mounting = createMounting(options, 'storageMiddleware');
  return function storage(request, response, next) {
    let open: OpenExchange | undefined;
    try {
      const outer = openExchangeOf(request);
      if (outer === undefined) {
        open = begin(mounting.mount(), request, response);
      } else outer.remount(mounting.own);
    } catch (error) {
      mounting.onError(error);
    }
    if (open === undefined && isIgnored(request)) withoutRecording(next);
    else runWithin(open, next);
  };
}

/** Begins to record an Express exchange from where the request stands now. */
export function begin(
  { recorder, settings }: Mount,
  request: ExpressRequest,
  response: ExpressResponse,
): OpenExchange | undefined {
  hookLayers(request);
  const app = request.app as ExpressApp | undefined;
  // A mounted app's responses lose its prototype when it passes a request back to its parent.
  const isShared =
    app?.response !== undefined &&
    app.parent === undefined &&
    Object.getPrototypeOf(response) === app.response;
  const open = recorder.begin({
    request,
    response,
    context: request,
    settings,
    ...(isShared && { sharedPrototype: app.response }),
    onEnd: (ended) => {
      if (request.route !== undefined) ended.endpoint ??= endpointOfMatched(request);
    },
    parsedBody: () => parsedBody(request.body, settings.maxBodyBytes, request.headers['content-type'] ?? ''),
  });
  if (open !== undefined && request.route !== undefined) open.endpoint = endpointFromRoute(request);
  return open;
}
