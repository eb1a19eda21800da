import type { ServerResponse } from 'node:http';

/** What is told of each chunk that the program hands to a response, after the response has taken it. */
export interface ResponseObserver {
  /** @param chunk as it was passed to `write` or `end`; undefined for an `end` without one. */
  onChunk(chunk: unknown, encoding: unknown): void;
  /** The head went out by itself: by `flushHeaders`, or an `end` without a chunk. */
  onFlush(): void;
}

const OBSERVER = Symbol('recap.responseObserver');
const PATCHED = Symbol('recap.patchedPrototype');

type Write = (this: ServerResponse, ...args: unknown[]) => unknown;
/** One watched response. */
interface Watch {
  readonly observer: ResponseObserver;
  /** The object whose methods see for it. A response may run through those of another prototype as well. */
  readonly target: object;
  isInside: boolean;
}

interface Patchable {
  [OBSERVER]?: Watch | undefined;
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
  // Methods that somebody put on the response itself would go by the prototype's.
  const isPlain = !Object.hasOwn(response, 'write') && !Object.hasOwn(response, 'end');
  const target: object = sharedPrototype !== undefined && isPlain ? sharedPrototype : response;
  const watch: Watch = { observer, target, isInside: false };
  // Plain assignment: a symbol is in no listing of keys, and defining a property costs a change of the object's shape.
  (response as Patchable)[OBSERVER] = watch;
  if (Object.hasOwn(target, PATCHED)) return;
  hide(target, PATCHED, true);
  // Looked up when called where the method was inherited, since a prototype above may still be patched.
  hide(target, 'write', observed('write', target));
  hide(target, 'end', observed('end', target));
  hide(target, 'flushHeaders', observed('flushHeaders', target));
}

/** From here on the response is no longer watched; methods on a shared prototype stay and pass through. */
export function stopObserving(response: ServerResponse): void {
  (response as Patchable)[OBSERVER] = undefined;
}

type Lookup = () => Write;

type Sending = 'write' | 'end' | 'flushHeaders';

function inherited(target: object, name: Sending): Lookup {
  const own = Object.getOwnPropertyDescriptor(target, name)?.value as Write | undefined;
  if (own !== undefined) return () => own;
  return () => (Object.getPrototypeOf(target) as Record<Sending, Write>)[name];
}

function observed(name: Sending, target: object): Write {
  const original = inherited(target, name);
  const method: Write = function (this: ServerResponse, ...args) {
    const watch = (this as Patchable)[OBSERVER];
    const isWatching = watch?.target === target && !watch.isInside && !this.writableEnded;
    // HTTP/2's `end` calls `write` itself: what is inside another call has been seen already.
    // What comes after the end is refused by the response, and was not sent.
    if (watch === undefined || !isWatching) return original().apply(this, args);
    watch.isInside = true;
    let result: unknown;
    try {
      result = original().apply(this, args);
    } finally {
      watch.isInside = false;
    }
    if (args[0] !== undefined && args[0] !== null && typeof args[0] !== 'function') {
      watch.observer.onChunk(args[0], args[1]);
    } else watch.observer.onFlush();
    return result;
  };
  Object.defineProperty(method, 'name', { value: name, configurable: true });
  Object.defineProperty(method, 'length', { value: original().length, configurable: true });
  return method;
}

function hide(target: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: false });
}
