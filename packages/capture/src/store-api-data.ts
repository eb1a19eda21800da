import 'reflect-metadata';
import { z } from 'zod';
import { resolveRecorder } from './default-recorder';
import type { ExpressNext } from './express/express-types';
import { watchErrors } from './express/route-hook';
import { begin as beginExpress } from './express/storage-middleware';
import { begin as beginKoa } from './koa/storage-middleware';
import { hostArgument, withoutHostObjects, type HostArgument } from './host-argument';
import { observe } from './flow/observe';
import { beginCall, type RunCall } from './recorder/begin-call';
import { checkOptions, entryOptionShape, type EntryOptions } from './recorder/capture-options';
import { resolveEntrySettings } from './recorder/capture-settings';
import { currentExchange, isLeftOut, runWithin, trackCurrentExchange } from './recorder/current-exchange';
import { isIgnored, openExchangeOf } from './recorder/exchange-of-request';
import type { OpenExchange } from './recorder/open-exchange';
import type { Recorder } from './recorder/recorder';
import { refuseRequest } from './recorder/refuse-request';
import { describeError } from './tap/describe-error';

export interface StoreApiDataOptions extends EntryOptions {
  /** Added to the entry; searchable. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Used when no middleware has begun to record the exchange; default: the process's own recorder. */
  readonly recorder?: Recorder;
}

/** Key under which a decorated method carries its options, for frameworks that read metadata. */
export const STORE_API_DATA = 'recap:storeApiData';

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Works as a legacy decorator (`experimentalDecorators`) and as a standard one. */
export interface StoreApiDataDecorator {
  <T>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<T>): void;
  <This, Args extends unknown[], Result>(
    value: (this: This, ...args: Args) => Result,
    context: ClassMethodDecoratorContext<This, (this: This, ...args: Args) => Result>,
  ): (this: This, ...args: Args) => Result;
}

const schema = z.strictObject({
  ...entryOptionShape,
  metadata: z.record(z.string(), z.unknown()).optional(),
  recorder: z.unknown().optional(),
});

/**
 * Records what a method does. On a handler (`req, res, next` or `ctx, next`) it records the exchange, or
 * joins in when a middleware records it already: one entry, and these options win. On any other method,
 * the entry holds arguments and result, with the endpoint `Class.method`; within an exchange the first
 * such call joins the exchange's entry and further ones name it as their parent. Result, `this`, errors
 * and timing are those of the method.
 *
 * @example
 * class AiController {
 *   \@storeApiData({ ttlDays: 30, metadata: { model: 'gpt-4' } })
 *   async generate(req, res) { res.json(await ai.generate(req.body.prompt)); }
 * }
 * @throws {StorageError} `CONFIG_INVALID`, naming every wrong option.
 */
export function storeApiData(options: StoreApiDataOptions = {}): StoreApiDataDecorator {
  checkOptions(schema, options, 'storeApiData');
  trackCurrentExchange();
  const decorate = (
    target: unknown,
    keyOrContext: string | symbol | ClassMethodDecoratorContext,
    descriptor?: PropertyDescriptor,
  ): unknown => {
    if (typeof keyOrContext === 'object') {
      const name = String(keyOrContext.name);
      return wrap(target as Method, options, (self) => `${classNameOf(self)}.${name}`);
    }
    if (descriptor === undefined || typeof descriptor.value !== 'function') {
      throw new TypeError(`@storeApiData decorates methods; ${String(keyOrContext)} is none.`);
    }
    const className = classNameOf(target);
    descriptor.value = wrap(
      descriptor.value as Method,
      options,
      () => `${className}.${String(keyOrContext)}`,
    );
    return undefined;
  };
  return decorate as StoreApiDataDecorator;
}

function wrap(original: Method, options: StoreApiDataOptions, endpointOf: (self: unknown) => string): Method {
  const wrapped: Method = function (...args) {
    let joined: OpenExchange | undefined;
    let run: RunCall | undefined;
    let host: HostArgument | undefined;
    try {
      host = hostArgument(args);
      joined = claim(host, options);
      const isUnwanted = host === undefined ? isLeftOut() : isIgnored(host.request);
      if (joined === undefined && !isUnwanted) {
        run = startCall(endpointOf(this), args, host, options);
      }
    } catch (error) {
      tellRecorder(options, error);
      if (refuseUnrecorded(options, host)) return undefined;
    }
    const claimed = joined;
    const given = claimed !== undefined && isAlone(host, claimed) ? watchingNext(args, claimed) : args;
    const work = (): unknown => original.apply(this, given);
    if (run !== undefined) return run(work);
    // What a method fails with is the exchange's failure only when nothing stands between it and the framework.
    return runWithin(claimed, () =>
      host === undefined || claimed === undefined
        ? work()
        : observe(work, ignore, (error) => {
            claimed.tap.noteError(error);
          }),
    );
  };
  const { name, length } = original;
  // Frameworks tell handlers by name and number of parameters, and routes by what hangs on the function.
  Object.defineProperties(wrapped, {
    ...Object.getOwnPropertyDescriptors(original),
    prototype: { value: undefined, writable: true },
    name: { value: name, configurable: true },
    length: { value: length, configurable: true },
  });
  for (const key of Reflect.getOwnMetadataKeys(original)) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, original), wrapped);
  }
  Reflect.defineMetadata(STORE_API_DATA, options, wrapped);
  return wrapped;
}

/** The exchange whose entry this call is part of; `undefined` when the call makes an entry of its own, or none. */
function claim(host: HostArgument | undefined, options: StoreApiDataOptions): OpenExchange | undefined {
  const open =
    host === undefined ? currentExchange() : (openExchangeOf(host.request) ?? beginAlone(host, options));
  if (open === undefined || open.isClaimed) return undefined;
  open.isClaimed = true;
  open.override(options);
  return open;
}

/** No middleware has begun to record: the decorator does. */
function beginAlone(host: HostArgument, options: StoreApiDataOptions): OpenExchange | undefined {
  if (isIgnored(host.request)) return undefined;
  const recorder = resolveRecorder(options.recorder);
  const mount = { recorder, settings: recorder.settings() };
  const open =
    host.kind === 'koa' ? beginKoa(mount, host.context) : beginExpress(mount, host.context, host.response);
  if (open !== undefined) open.isFromDecorator = true;
  return open;
}

/** Whether no middleware came before: then nothing but the handler itself shows which errors it passes on. */
function isAlone(host: HostArgument | undefined, open: OpenExchange): boolean {
  return host?.kind === 'express' && open.isFromDecorator;
}

function watchingNext(args: readonly unknown[], open: OpenExchange): unknown[] {
  return args.map((argument) =>
    typeof argument === 'function' ? watchErrors(open, argument as ExpressNext) : argument,
  );
}

function startCall(
  endpoint: string,
  args: readonly unknown[],
  host: HostArgument | undefined,
  options: StoreApiDataOptions,
): RunCall {
  const parent = host === undefined ? currentExchange() : openExchangeOf(host.request);
  const recorder = resolveRecorder(options.recorder ?? parent?.recorder);
  const base = parent?.settings ?? recorder.settings();
  return beginCall(recorder, {
    endpoint,
    args: withoutHostObjects(args),
    parent,
    settings: resolveEntrySettings(options, base.entry),
    metadata: options.metadata ?? {},
    maxBodyBytes: base.maxBodyBytes,
  });
}

/** @returns whether the call was answered in its place */
function refuseUnrecorded({ recorder }: StoreApiDataOptions, host: HostArgument | undefined): boolean {
  // What stands alone has no answer that waits for it.
  if (host === undefined) return false;
  try {
    const response = host.kind === 'koa' ? host.context.res : host.response;
    if (!refuseRequest(resolveRecorder(recorder), host.request, response)) return false;
    if (host.kind === 'koa') host.context.respond = false;
    return true;
  } catch {
    // There is no recorder that could refuse, which has been told.
    return false;
  }
}

function tellRecorder({ recorder }: StoreApiDataOptions, error: unknown): void {
  try {
    resolveRecorder(recorder).onError(error, 'storeApiData');
  } catch {
    // There is no recorder to tell, which is what went wrong: the method runs unrecorded, with a warning of the process.
    process.emitWarning(`@storeApiData cannot record: ${describeError(error).message}`, 'RecapWarning');
  }
}

function ignore(): void {
  // What a handler returns is no part of the exchange.
}

function classNameOf(target: unknown): string {
  if (typeof target === 'function') return target.name;
  const { constructor } = (target ?? {}) as { readonly constructor?: { readonly name?: string } };
  return constructor?.name ?? 'anonymous';
}
