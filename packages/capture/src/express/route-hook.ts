import { faultPoint } from '../fault-point';
import type { OpenExchange } from '../recorder/open-exchange';
import { openExchangeOf } from '../recorder/exchange-of-request';
import type { ExpressApp, ExpressLayer, ExpressNext, ExpressRequest, ExpressRouter } from './express-types';
import { joinPaths, layerTemplate, takenBy, templateByWalking } from './layer-template';

type Handle = (this: ExpressLayer, request: ExpressRequest, response: unknown, next: ExpressNext) => unknown;

const HOOKED = Symbol('recap.hookedLayer');
/** Templates of the mounts that a request has gone through, by the concrete `baseUrl` each led to. */
const mounts = new WeakMap<ExpressRequest, Map<string, string>>();

/**
 * Watches the app's routers at the one place that every handler is called from, since nothing else tells
 * the template of a mount (`baseUrl` is concrete, and empty after a throw) or an error that a later
 * handler answers. Done once for each copy of Express; handlers are called as they were.
 *
 * @returns whether it is done
 */
export function hookLayers(app: unknown): boolean {
  const first = routerOf(app)?.stack[0];
  if (first === undefined) return false;
  const prototype = Object.getPrototypeOf(first) as Record<PropertyKey, unknown>;
  if (prototype[HOOKED] === true) return true;
  const name = 'handleRequest' in prototype ? 'handleRequest' : 'handle_request';
  const original = prototype[name];
  if (typeof original !== 'function') return false;
  prototype[HOOKED] = true;
  prototype[name] = hooked(original as Handle);
  return true;
}

/** The endpoint for an exchange that begins within a route: the routers were not watched on the way there. */
export function endpointFromRoute(request: ExpressRequest, base = request.baseUrl ?? ''): string | undefined {
  const path = request.route?.path;
  if (typeof path !== 'string' && !(path instanceof RegExp)) return undefined;
  return joinPaths(baseTemplate(request, base), String(path));
}

/** For a route that matched but was not called, since a check of its parameters failed. */
export function endpointOfMatched(request: ExpressRequest): string | undefined {
  let deepest = '';
  for (const base of mounts.get(request)?.keys() ?? []) if (base.length > deepest.length) deepest = base;
  return endpointFromRoute(request, deepest);
}

function hooked(original: Handle): Handle {
  return function handle(request, response, next) {
    let watched = next;
    try {
      const open = openExchangeOf(request);
      if (open !== undefined) faultPoint('route');
      noteLayer(this, request, open);
      if (open !== undefined) {
        open.tap.follow();
        watched = watchErrors(open, next);
      }
    } catch (error) {
      // The host's handler runs whatever becomes of the record.
      openExchangeOf(request)?.noteFailure(error, 'route');
      watched = next;
    }
    const returned = original.call(this, request, response, watched);
    try {
      // It may have handed both to an app that calls no handler for them.
      openExchangeOf(request)?.tap.follow();
    } catch (error) {
      openExchangeOf(request)?.noteFailure(error, 'route');
    }
    return returned;
  };
}

function noteLayer(layer: ExpressLayer, request: ExpressRequest, open: OpenExchange | undefined): void {
  // What is mounted without a path changes neither base nor parameters.
  if (layer.route === undefined && (layer.slash === true || layer.regexp?.fast_slash === true)) return;
  const base = request.baseUrl ?? '';
  if (layer.route !== undefined) {
    if (open === undefined) return;
    const { path } = layer.route;
    const isDeclared = typeof path === 'string' || path instanceof RegExp;
    const template = isDeclared ? String(path) : layerTemplate(layer, pathWithin(request));
    open.endpoint = joinPaths(baseTemplate(request), template);
  } else if (base !== '') {
    const known = mounts.get(request) ?? new Map<string, string>();
    mounts.set(request, known);
    // A handler within a router that was entered already stands at the router's own base.
    if (known.has(base) && (!isMount(layer) || takenBy(layer, base) === '')) return;
    const parent = parentBase(known, base, layer);
    known.set(base, joinPaths(known.get(parent) ?? '', layerTemplate(layer, base.slice(parent.length))));
  }
  if (open !== undefined) notePathParameters(open, request);
}

function notePathParameters(open: OpenExchange, request: ExpressRequest): void {
  const { params } = request;
  if (params === undefined) return;
  for (const name of Object.keys(params)) {
    const value = params[name];
    if (typeof value === 'string') open.pathParameters = { ...open.pathParameters, [name]: value };
  }
}

function isMount({ handle }: ExpressLayer): boolean {
  return typeof handle === 'function' && ('stack' in handle || handle.name === 'mounted_app');
}

/** Where the router stands that holds this layer. A mount that was passed by may lead to a beginning of `base`, too. */
function parentBase(known: ReadonlyMap<string, string>, base: string, layer: ExpressLayer): string {
  let parent = '';
  for (const each of known.keys()) {
    if (each.length <= parent.length || !base.startsWith(`${each}/`)) continue;
    const taken = base.slice(each.length);
    if (takenBy(layer, taken) === taken) parent = each;
  }
  return parent;
}

function baseTemplate(request: ExpressRequest, base = request.baseUrl ?? ''): string {
  if (base === '') return '';
  const router = routerOf(request.app);
  return mounts.get(request)?.get(base) ?? (router && templateByWalking(router, base)) ?? base;
}

function pathWithin({ url = '/' }: ExpressRequest): string {
  const mark = url.indexOf('?');
  return mark === -1 ? url : url.slice(0, mark);
}

/** Notes what a handler passes on as an error. */
export function watchErrors(open: OpenExchange, next: ExpressNext): ExpressNext {
  return function watchedNext(...args: [unknown?]) {
    const [error] = args;
    // These two words mean "leave this route" and "leave this router".
    if (error !== undefined && error !== null && error !== 'route' && error !== 'router') {
      open.tap.noteError(error);
    }
    next(...args);
  };
}

function routerOf(app: unknown): ExpressRouter | undefined {
  // In Express 4 reading `router` throws; there `_router` is set by the time a handler runs.
  const holder = app as ExpressApp | undefined;
  return holder?._router ?? holder?.router;
}
