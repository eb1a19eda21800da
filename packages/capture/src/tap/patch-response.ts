import type { ServerResponse } from 'node:http';

/** What is told of each chunk that the program hands to a response, after the response has taken it. */
export interface ResponseObserver {
  /** @param chunk as it was passed to `write` or `end`; undefined for an `end` without one. */
  onChunk(chunk: unknown, encoding: unknown): void;
}

const OBSERVER = Symbol('recap.responseObserver');
const PATCHED = Symbol('recap.patchedPrototype');

type Write = (this: ServerResponse, ...args: unknown[]) => unknown;
interface Patchable {
  [OBSERVER]?: ResponseObserver & { isInside?: boolean };
  [PATCHED]?: true;
}

/**
 * Lets `observer` see what is written to one response. Arguments, return values and errors are those of
 * the methods that stood there before.
 *
 * @param sharedPrototype a prototype of this response that the program's other responses share, to be
 *   patched once for all of them (`app.response` of an Express app that is not mounted in another).
 *   Own properties on every response cost two closures and a change of shape each.
 */
export function observeResponse(
  response: ServerResponse,
  observer: ResponseObserver,
  sharedPrototype?: object,
): void {
  hide(response, OBSERVER, observer);
  const target: object = sharedPrototype ?? response;
  if (Object.hasOwn(target, PATCHED)) return;
  hide(target, PATCHED, true);
  // Looked up when called where the method was inherited, since a prototype above may still be patched.
  hide(target, 'write', observed('write', inherited(target, 'write')));
  hide(target, 'end', observed('end', inherited(target, 'end')));
}

/** From here on the response is no longer watched; methods on a shared prototype stay and pass through. */
export function stopObserving(response: ServerResponse): void {
  delete (response as Patchable)[OBSERVER];
}

type Lookup = () => Write;

function inherited(target: object, name: 'write' | 'end'): Lookup {
  const own = Object.getOwnPropertyDescriptor(target, name)?.value as Write | undefined;
  if (own !== undefined) return () => own;
  return () => (Object.getPrototypeOf(target) as Record<'write' | 'end', Write>)[name];
}

function observed(name: 'write' | 'end', original: Lookup): Write {
  const method: Write = function (this: ServerResponse, ...args) {
    const observer = (this as Patchable)[OBSERVER];
    // HTTP/2's `end` calls `write` itself: what is inside another call has been seen already.
    // What comes after the end is refused by the response, and was not sent.
    if (observer === undefined || observer.isInside === true || this.writableEnded) {
      return original().apply(this, args);
    }
    observer.isInside = true;
    let result: unknown;
    try {
      result = original().apply(this, args);
    } finally {
      observer.isInside = false;
    }
    if (args[0] !== undefined && args[0] !== null && typeof args[0] !== 'function') {
      observer.onChunk(args[0], args[1]);
    }
    return result;
  };
  Object.defineProperty(method, 'name', { value: name, configurable: true });
  Object.defineProperty(method, 'length', { value: original().length, configurable: true });
  return method;
}

function hide(target: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: false });
}
