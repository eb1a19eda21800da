import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorCode } from '@recap/storage';
import type { CapturedBody } from '../exchange';
import type { CaptureSettings } from '../recorder/capture-settings';
import type { OpenExchange, SeenRequest } from '../recorder/open-exchange';
import { createMounting, type Mount } from '../mount';
import type { CaptureOptions } from '../recorder/capture-options';
import { runWithin, withoutRecording } from '../recorder/current-exchange';
import { isIgnored, openExchangeOf } from '../recorder/exchange-of-request';
import { parsedBody } from '../recorder/parsed-body';
import type { Recorder } from '../recorder/recorder';
import { refuseRequest } from '../recorder/refuse-request';
import { noteKoaEndpoint } from './koa-endpoint';
import type { KoaContext, KoaNext } from './koa-types';

export interface StorageMiddlewareOptions extends CaptureOptions<KoaContext> {
  /** Default: the process's own recorder, made with the default options at the first request. */
  readonly recorder?: Recorder;
}

export type KoaHandler = (context: KoaContext, next: KoaNext) => Promise<unknown>;

/**
 * Records requests and responses. Use it first, before body parsers and authentication: then it stores
 * the bytes as they travelled and sees parsers fail, and the owner is asked for when the exchange ends.
 * Used twice, or on a route below, it still makes one entry, of which the inner one's options say
 * whose it is, its metadata, lifetime, type and session.
 *
 * @example app.use(storageMiddleware())
 * @throws {StorageError} `CONFIG_INVALID`, naming every wrong option.
 */
export function storageMiddleware(options: StorageMiddlewareOptions = {}): KoaHandler {
  const mounting = createMounting(options, 'storageMiddleware');
  return function storage(context, next) {
    let open: OpenExchange | undefined;
    try {
      const outer = openExchangeOf(context.req);
      if (outer === undefined) {
        open = begin(mounting.mount(), context);
      } else outer.remount(mounting.own);
    } catch (error) {
      mounting.onError(error);
      if (refuseRequest(mounting.recorder, context.req, context.res)) {
        context.respond = false;
        return Promise.resolve();
      }
    }
    if (open !== undefined) return watchErrors(open, next);
    return isIgnored(context.req) ? withoutRecording(next) : next();
  };
}

/** Begins to record a Koa exchange from where the request stands now. */
export function begin({ recorder, settings }: Mount, context: KoaContext): OpenExchange | undefined {
  const open = recorder.begin(new KoaExchange(context, settings));
  if (open !== undefined) watchStreamErrors(context);
  return open;
}

class KoaExchange implements SeenRequest {
  readonly context: KoaContext;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly settings: CaptureSettings;

  constructor(context: KoaContext, settings: CaptureSettings) {
    this.context = context;
    this.request = context.req;
    this.response = context.res;
    this.settings = settings;
  }

  parsedBody(): CapturedBody | undefined {
    const { request, req } = this.context;
    return parsedBody(request.body, this.settings.maxBodyBytes, req.headers['content-type'] ?? '');
  }

  defaultOwner(): unknown {
    return this.context.user?.id ?? this.context.state?.user?.id;
  }

  onEnd(open: OpenExchange): void {
    noteKoaEndpoint(open, this.context);
  }
}

/** Marks what stands for `onerror` where contexts have it from; every copy of this package knows it. */
const WATCHING = Symbol.for('recap.watchedOnerror');

/**
 * A stream that is the answer may fail after every middleware has returned: Koa hears of it here. The contexts of an
 * app inherit from one object, on which it is watched once for all of them.
 */
function watchStreamErrors(context: KoaContext): void {
  const { onerror } = context;
  if (typeof onerror !== 'function' || WATCHING in onerror) return;
  const shared = Object.getPrototypeOf(context) as object | null;
  const isOwn = shared === null || Object.hasOwn(context, 'onerror');
  if (isOwn || !watchOn(shared)) watchOn(context);
}

/** Tells whether it could. */
function watchOn(holder: object): boolean {
  const descriptor = Object.getOwnPropertyDescriptor(holder, 'onerror');
  if (descriptor?.get !== undefined) return false;
  const own: unknown = descriptor?.value;
  const parent = Object.getPrototypeOf(holder) as { readonly onerror?: unknown } | null;
  const watched = function (this: KoaContext, error: unknown): unknown {
    const isTransport = TRANSPORT_FAILURES.has(errorCode(error) ?? '');
    if (error !== undefined && error !== null && !isTransport) openExchangeOf(this.req)?.tap.noteError(error);
    // Looked up when called, since what is inherited may still be changed.
    return ((own ?? parent?.onerror) as OnError).call(this, error);
  };
  Object.defineProperty(watched, WATCHING, { value: true });
  const property = { value: watched, writable: true, configurable: true, enumerable: false };
  return Reflect.defineProperty(holder, 'onerror', property);
}

type OnError = (this: KoaContext, error: unknown) => unknown;

/** How Node tells that the client is gone, which is no failure of the program. */
const TRANSPORT_FAILURES = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE']);

async function watchErrors(open: OpenExchange, next: KoaNext): Promise<unknown> {
  try {
    return await runWithin(open, next);
  } catch (error) {
    open.tap.noteError(error);
    throw error;
  }
}
