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
 * @param sharedPrototype see `observeResponse`
 */
export function observeRequest(
  request: IncomingMessage,
  observer: RequestObserver,
  sharedPrototype?: object,
): void {
  if (sharedPrototype === undefined || Object.hasOwn(request, 'push')) {
    const { push } = request as { readonly push: Push };
    observePush(
      request,
      () => observer,
      () => push,
    );
    return;
  }
  observed.set(request, observer);
  if (Object.hasOwn(sharedPrototype, PATCHED)) return;
  Object.defineProperty(sharedPrototype, PATCHED, { value: true });
  const own = Object.getOwnPropertyDescriptor(sharedPrototype, 'push')?.value as Push | undefined;
  const parent = Object.getPrototypeOf(sharedPrototype) as { readonly push: Push };
  // Looked up when called, since a prototype above may still be patched.
  observePush(
    sharedPrototype,
    (request_) => observed.get(request_),
    () => own ?? parent.push,
  );
}

/** Goes on watching a request that lost the patched prototype. */
export function keepObservingRequest(request: IncomingMessage, sharedPrototype: object): void {
  const observer = observed.get(request);
  if (observer === undefined || Object.prototype.isPrototypeOf.call(sharedPrototype, request)) return;
  observed.delete(request);
  observeRequest(request, observer);
}

/** The patched prototype stays, and passes through; a request's own method goes on telling its observer. */
export function stopObservingRequest(request: IncomingMessage): void {
  observed.delete(request);
}

function observePush(
  target: object,
  observerOf: (request: IncomingMessage) => RequestObserver | undefined,
  original: () => Push,
): void {
  Object.defineProperty(target, 'push', {
    value: function push(this: IncomingMessage, chunk: unknown, encoding?: BufferEncoding): boolean {
      observerOf(this)?.onRequestChunk(chunk, encoding);
      return original().call(this, chunk, encoding);
    },
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
