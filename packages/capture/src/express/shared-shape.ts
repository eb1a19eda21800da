import type { IncomingMessage } from 'node:http';
import { isProxy } from 'node:util/types';
import type { ExpressApp, ExpressResponse } from './express-types';

/**
 * Before V8 13 (Node 20 and 22), an object whose prototype was changed gets a shape of its own with every property
 * that is added to it. Express does both to each request and response, after which no inline cache knows them, and
 * each access to a property is looked up anew, which takes a good part of a small request's time. For other engines the
 * version is no number, and this stays out. To go when Node 22 does.
 */
const SHAPES_ARE_LONELY = Number.parseInt(process.versions.v8, 10) < 13;
const PASSING = Symbol('recap.passing');

type Handle = (this: unknown, request: IncomingMessage, response: ExpressResponse, next: unknown) => unknown;

/**
 * Gives the requests and responses of an app a shape that they share, before the first property is added to them.
 * Nothing of them changes: properties, their order and their attributes stay.
 */
export function shareShapesOf(app: ExpressApp): void {
  if (!SHAPES_ARE_LONELY || app._router !== undefined) return;
  const router = app.router as { readonly handle?: Handle } | undefined;
  const original = router?.handle;
  if (router === undefined || typeof original !== 'function') return;
  const handle: Handle = function (request, response, next) {
    // The app that was called has just set its prototypes; a router may also be called by itself.
    if (Object.getPrototypeOf(request) === app.request) shareShape(request);
    if (Object.getPrototypeOf(response) === app.response) shareShape(response);
    return original.call(this, request, response, next);
  };
  Object.defineProperty(handle, 'name', { value: original.name, configurable: true });
  Object.defineProperty(router, 'handle', { value: handle, writable: true, configurable: true });
}

/** For Express 4, whose routers set the prototypes themselves. */
export function shareShapesFromHere(
  app: ExpressApp,
  request: IncomingMessage,
  response: ExpressResponse,
): void {
  if (!SHAPES_ARE_LONELY || app._router === undefined) return;
  shareShape(request);
  shareShape(response);
}

/** An object that loses a property becomes a dictionary, and dictionaries of the same kind have one shape. */
function shareShape(object: object): void {
  if (isProxy(object) || !Object.isExtensible(object)) return;
  const passing = object as { [PASSING]?: true };
  passing[PASSING] = true;
  delete passing[PASSING];
}
