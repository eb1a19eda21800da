import { errorCode } from '@recap/storage';
import { z } from 'zod';
import { resolveRecorder } from '../default-recorder';
import type { CaptureOptions } from '../recorder/capture-options';
import { captureOptionShape, checkOptions } from '../recorder/capture-options';
import type { CaptureSettings } from '../recorder/capture-settings';
import { runWithin, withoutRecording } from '../recorder/current-exchange';
import type { OpenExchange } from '../recorder/open-exchange';
import { isIgnored, openExchangeOf } from '../recorder/open-exchange';
import { parsedBody } from '../recorder/parsed-body';
import type { Recorder } from '../recorder/recorder';
import type { RecorderCore } from '../recorder/recorder-core';
import { noteKoaEndpoint } from './koa-endpoint';
import type { KoaContext, KoaNext } from './koa-types';

export interface StorageMiddlewareOptions extends CaptureOptions<KoaContext> {
  /** Default: the process's own recorder, made with the default options at the first request. */
  readonly recorder?: Recorder;
}

export type KoaHandler = (context: KoaContext, next: KoaNext) => Promise<unknown>;

/** A recorder and the settings of one mount of it. */
interface Mount {
  readonly recorder: RecorderCore;
  readonly settings: CaptureSettings;
}

const schema = z.strictObject({ ...captureOptionShape, recorder: z.unknown().optional() });

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
  checkOptions(schema, options, 'storageMiddleware');
  const { recorder: given, ...own } = options;
  const mountOn = (recorder: RecorderCore): Mount => ({
    recorder,
    settings: recorder.settings(own),
  });
  // The process's own recorder is made when the first request comes, so that a program can still set another.
  let mount = given === undefined ? undefined : mountOn(resolveRecorder(given));
  return function storage(context, next) {
    let open: OpenExchange | undefined;
    try {
      const outer = openExchangeOf(context.req);
      if (outer === undefined) {
        mount ??= mountOn(resolveRecorder(undefined));
        open = begin(mount, context);
      } else outer.remount(own);
    } catch (error) {
      mount?.recorder.onError(error, 'storageMiddleware');
    }
    if (open !== undefined) return watchErrors(open, next);
    return isIgnored(context.req) ? withoutRecording(next) : next();
  };
}

/** Begins to record a Koa exchange from where the request stands now. */
export function begin({ recorder, settings }: Mount, context: KoaContext): OpenExchange | undefined {
  const open = recorder.begin({
    request: context.req,
    response: context.res,
    context,
    settings,
    parsedBody: () =>
      parsedBody(context.request.body, settings.maxBodyBytes, context.req.headers['content-type'] ?? ''),
    onEnd: (ended) => {
      noteKoaEndpoint(ended, context);
    },
  });
  if (open !== undefined) watchStreamErrors(open, context);
  return open;
}

/** A stream that is the answer may fail after every middleware has returned: Koa hears of it here. */
function watchStreamErrors(open: OpenExchange, context: KoaContext): void {
  const { onerror } = context;
  if (typeof onerror !== 'function') return;
  Object.defineProperty(context, 'onerror', {
    value: function (error: unknown): unknown {
      const isTransport = TRANSPORT_FAILURES.has(errorCode(error) ?? '');
      if (error !== undefined && error !== null && !isTransport) open.tap.noteError(error);
      return (onerror as (this: KoaContext, error: unknown) => unknown).call(context, error);
    },
    writable: true,
    configurable: true,
    enumerable: false,
  });
}

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
