import type { IncomingMessage } from 'node:http';

/** What is told of each chunk that Node pushes into a request, before the stream takes it. */
export interface RequestObserver {
  /** Must not throw. @param chunk null marks the end of the body */
  onRequestChunk(chunk: unknown, encoding: unknown): void;
}

type Push = (this: IncomingMessage, chunk: unknown, encoding?: BufferEncoding) => boolean;

const PATCHED = Symbol('recap.patchedRequests');
/** Requests that the patched prototype sees for, while they are observed. See `observeResponse`. */
const observed = new Map<IncomingMessage, RequestObserver>();

/**
 * Lets `observer` see the request's bytes where Node pushes them into the stream: no second reader, no
 * listener, no change of the stream's mode.
 *
 * @param hasEnd whether it is certain that `stopObservingRequest` will be called: until then the request is held
 * @param sharedPrototype see `observeResponse`
 */
export function observeRequest(
  request: IncomingMessage,
  observer: RequestObserver,
  hasEnd: boolean,
  sharedPrototype?: object,
): void {
  if (!hasEnd) {
    const { push } = request as { readonly push: Push };
    setPush(
      request,
      observing(
        () => push,
        () => observer,
      ),
    );
    return;
  }
  observed.set(request, observer);
  if (sharedPrototype === undefined || Object.hasOwn(request, 'push')) {
    setPush(request, observingOwn((request as { readonly push: Push }).push));
    return;
  }
  if (Object.hasOwn(sharedPrototype, PATCHED)) return;
  Object.defineProperty(sharedPrototype, PATCHED, { value: true });
  const method = Object.getOwnPropertyDescriptor(sharedPrototype, 'push')?.value as Push | undefined;
  const parent = Object.getPrototypeOf(sharedPrototype) as { readonly push: Push };
  // Looked up when called, since a prototype above may still be patched.
  setPush(
    sharedPrototype,
    observing(() => method ?? parent.push, observerOf),
  );
}

/** Goes on watching a request that lost the patched prototype. */
export function keepObservingRequest(request: IncomingMessage, sharedPrototype: object): void {
  // With a method of its own it has lost nothing.
  if (!observed.has(request) || Object.hasOwn(request, 'push')) return;
  if (Object.prototype.isPrototypeOf.call(sharedPrototype, request)) return;
  setPush(request, observingOwn((request as { readonly push: Push }).push));
}

/** The patched prototype, or method, stays, and passes through. */
export function stopObservingRequest(request: IncomingMessage): void {
  observed.delete(request);
}

function observerOf(request: IncomingMessage): RequestObserver | undefined {
  return observed.get(request);
}

/** One request after another has the same method, so these are made once for it. */
const own = new WeakMap<Push, Push>();

function observingOwn(original: Push): Push {
  let method = own.get(original);
  if (method === undefined) own.set(original, (method = observing(() => original, observerOf)));
  return method;
}

function observing(
  original: () => Push,
  observerOfIt: (request: IncomingMessage) => RequestObserver | undefined,
): Push {
  return function push(this: IncomingMessage, chunk, encoding) {
    observerOfIt(this)?.onRequestChunk(chunk, encoding);
    return original().call(this, chunk, encoding);
  };
}

function setPush(target: object, push: Push): void {
  Object.defineProperty(target, 'push', {
    value: push,
    writable: true,
    configurable: true,
    enumerable: false,
  });
}

/** True when bytes may have gone by before anybody watched, so that the rest would be a wrong body. */
export function hasStarted(request: IncomingMessage): boolean {
  // Through the state that the public getters read: one access to the request instead of three.
  const { _readableState: state } = request as { readonly _readableState?: ReadState };
  const { dataEmitted = request.readableDidRead, length = request.readableLength } = state ?? {};
  return dataEmitted || length > 0 || request.complete;
}

interface ReadState {
  readonly dataEmitted?: boolean;
  readonly length?: number;
}
