import { createMounting, type Mount } from '../mount';
import type { CaptureOptions } from '../recorder/capture-options';
import { runWithin, withoutRecording } from '../recorder/current-exchange';
import { isIgnored, openExchangeOf } from '../recorder/exchange-of-request';
import { parsedBody } from '../recorder/parsed-body';
import type { Recorder } from '../recorder/recorder';
import { refuseRequest } from '../recorder/refuse-request';
import type { CapturedBody } from '../exchange';
import type { CaptureSettings } from '../recorder/capture-settings';
import type { OpenExchange, SeenRequest } from '../recorder/open-exchange';
import type { SharedPrototypes } from '../tap/tap-target';
import type { ExpressApp, ExpressNext, ExpressRequest, ExpressResponse } from './express-types';
import { shareShapesFromHere, shareShapesOf } from './shared-shape';
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
      if (refuseRequest(mounting.recorder, request, response)) return;
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
  const open = recorder.begin(new ExpressExchange(request, response, settings));
  if (open !== undefined && request.route !== undefined) open.endpoint = endpointFromRoute(request);
  return open;
}

class ExpressExchange implements SeenRequest {
  readonly request: ExpressRequest;
  readonly response: ExpressResponse;
  readonly settings: CaptureSettings;
  readonly sharedPrototypes: SharedPrototypes | undefined;

  constructor(request: ExpressRequest, response: ExpressResponse, settings: CaptureSettings) {
    this.request = request;
    this.response = response;
    this.settings = settings;
    this.sharedPrototypes = prototypesOf(request, response);
  }

  get context(): ExpressRequest {
    return this.request;
  }

  parsedBody(): CapturedBody | undefined {
    const { body, headers } = this.request;
    return parsedBody(body, this.settings.maxBodyBytes, headers['content-type'] ?? '');
  }

  defaultOwner(): unknown {
    return this.request.user?.id;
  }

  onEnd(open: OpenExchange): void {
    if (open.endpoint === undefined && this.request.route !== undefined) {
      open.endpoint = endpointOfMatched(this.request);
    }
  }
}

/** By the prototype of its responses. */
const apps = new WeakMap<object, ExpressApp>();

/** The prototypes that the requests and responses of an app share, once its routers are hooked. */
function prototypesOf(request: ExpressRequest, response: ExpressResponse): SharedPrototypes | undefined {
  const prototype = Object.getPrototypeOf(response) as object;
  let app = apps.get(prototype);
  if (app === undefined) {
    app = request.app as ExpressApp | undefined;
    const isHooked = hookLayers(app);
    if (app?.response !== prototype) return undefined;
    if (isHooked) {
      apps.set(prototype, app);
      shareShapesOf(app);
    }
  }
  const { parent, request: shared } = app;
  // A mounted app's responses lose its prototype when it passes a request back to its parent.
  if (parent !== undefined || shared === undefined || Object.getPrototypeOf(request) !== shared)
    return undefined;
  shareShapesFromHere(app, request, response);
  return { request: shared, response: prototype };
}
