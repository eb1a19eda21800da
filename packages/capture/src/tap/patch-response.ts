import type { ServerResponse } from 'node:http';

/** What is told of each chunk that the program hands to a response, after the response has taken it. */
export interface ResponseObserver {
  /** Must not throw. @param chunk as it was passed to `write` or `end`; undefined for an `end` without one. */
  onChunk(chunk: unknown, encoding: unknown): void;
  /** The head went out by itself: by `flushHeaders`, or an `end` without a chunk. */
  onFlush(): void;
  /**
   * Called before the head is made, where somebody had put methods of its own on the response already: it may
   * code the body after it was seen here.
   *
   * @param coding `Content-Encoding` as far as the program has set it, `''` when it has not.
   */
  onHead(coding: string): void;
  /** Makes the calls of the response itself, where answers are held back. */
  readonly guard?: ResponseGuard | undefined;
  /** The response was destroyed before it ended, and is still being written to: none of that is sent. */
  onTooLate(): void;
}

/** Stands between the program and the response's own methods. */
export interface ResponseGuard {
  /** Calls `method`, now or later. @returns what the program gets */
  send(name: Sending, args: unknown[], method: Write): unknown;
  /** Called after `send`, when the chunk has been told of. */
  sent(name: Sending): void;
}

const OBSERVER = Symbol('recap.responseObserver');
const PATCHED = Symbol('recap.patchedPrototype');

type Write = (this: ServerResponse, ...args: unknown[]) => unknown;
/** One watched response. */
interface Watch {
  readonly observer: ResponseObserver;
  /** The object whose methods see for it. A response may run through those of another prototype as well. */
  readonly target: object;
  readonly isOnResponse: boolean;
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
 *   Own properties on every response cost a change of shape each.
 */
export function observeResponse(
  response: ServerResponse,
  observer: ResponseObserver,
  sharedPrototype?: object,
): void {
  // Methods that somebody put on the response itself would go by the prototype's.
  const isPlain = !Object.hasOwn(response, 'write') && !Object.hasOwn(response, 'end');
  const target: object = sharedPrototype !== undefined && isPlain ? sharedPrototype : response;
  const watch: Watch = { observer, target, isOnResponse: target === response, isInside: false };
  // Plain assignment: a symbol is in no listing of keys, and defining a property costs a change of the object's shape.
  (response as Patchable)[OBSERVER] = watch;
  if (Object.hasOwn(target, PATCHED)) return;
  hide(target, PATCHED, true);
  if (!isPlain) hide(target, 'writeHead', observedHead(response));
  for (const name of SENDING) hide(target, name, observed(name, target, response));
}

/** Goes on watching a response that lost the patched prototype: an app that is called as a function sets its own. */
export function keepObserving(response: ServerResponse): void {
  const watch = (response as Patchable)[OBSERVER];
  if (watch === undefined || watch.target === response) return;
  if (Object.prototype.isPrototypeOf.call(watch.target, response)) return;
  observeResponse(response, watch.observer);
}

/** From here on the response is no longer watched; methods on a shared prototype stay and pass through. */
export function stopObserving(response: ServerResponse): void {
  (response as Patchable)[OBSERVER] = undefined;
}

const SENDING = ['write', 'end', 'flushHeaders'] as const;
export type Sending = (typeof SENDING)[number];
type Methods = Readonly<Record<Sending, Write>>;

/** One response after another inherits from the same prototype, so these are made once for it. */
const inheriting = new WeakMap<object, Partial<Record<Sending, Write>>>();

function observed(name: Sending, target: object, response: ServerResponse): Write {
  const isTarget = (watch: Watch): boolean => watch.target === target;
  const own = Object.getOwnPropertyDescriptor(target, name)?.value as Write | undefined;
  if (own !== undefined) return observing(name, () => own, isTarget);
  const parent = Object.getPrototypeOf(target) as object;
  // Looked up when called, since a prototype above may still be patched.
  if (target !== response) return observing(name, () => (parent as Methods)[name], isTarget);
  let methods = inheriting.get(parent);
  if (methods === undefined) inheriting.set(parent, (methods = {}));
  return (methods[name] ??= observing(
    name,
    (self) => (parentOf(self) ?? (parent as Methods))[name],
    isOnResponse,
  ));
}

/** What the response inherits from now: an app that passes it on may have given it another prototype. */
function parentOf(self: object | undefined): Methods | undefined {
  let holder = self;
  while (holder !== undefined && !Object.hasOwn(holder, PATCHED)) {
    holder = (Object.getPrototypeOf(holder) as object | null) ?? undefined;
  }
  return holder && (Object.getPrototypeOf(holder) as Methods);
}

const isOnResponse = (watch: Watch): boolean => watch.isOnResponse;

function observing(
  name: Sending,
  original: (self?: object) => Write,
  isTarget: (watch: Watch) => boolean,
): Write {
  const method: Write = function (this: ServerResponse, ...args) {
    const watch = (this as Patchable)[OBSERVER];
    // HTTP/2's `end` calls `write` itself: what is inside another call has been seen already.
    // What comes after the end is refused by the response, and was not sent.
    if (watch === undefined || !isTarget(watch) || watch.isInside || this.writableEnded)
      return original(this).apply(this, args);
    if (this.destroyed) {
      // Node calls a destroyed response finished all the same, once its `end` was called.
      watch.observer.onTooLate();
      return original(this).apply(this, args);
    }
    const { guard } = watch.observer;
    watch.isInside = true;
    let result: unknown;
    try {
      const method = original(this);
      result = guard === undefined ? method.apply(this, args) : guard.send(name, args, method);
    } finally {
      watch.isInside = false;
    }
    if (args[0] !== undefined && args[0] !== null && typeof args[0] !== 'function') {
      watch.observer.onChunk(args[0], args[1]);
    } else watch.observer.onFlush();
    guard?.sent(name);
    return result;
  };
  Object.defineProperty(method, 'name', { value: name, configurable: true });
  Object.defineProperty(method, 'length', { value: original().length, configurable: true });
  return method;
}

/** Every way to make a head goes through `writeHead`, and through this one first: it was put there last. */
function observedHead(response: ServerResponse): Write {
  const { writeHead: original } = response as unknown as { readonly writeHead: Write };
  const method: Write = function (this: ServerResponse, ...args) {
    const watch = (this as Patchable)[OBSERVER];
    if (watch !== undefined && !this.headersSent) watch.observer.onHead(codingSoFar(this, args));
    return original.apply(this, args);
  };
  Object.defineProperty(method, 'name', { value: 'writeHead', configurable: true });
  Object.defineProperty(method, 'length', { value: original.length, configurable: true });
  return method;
}

/** `Content-Encoding` among the headers that `writeHead` was given, in any of its forms, or that were set before. */
function codingSoFar(response: ServerResponse, args: readonly unknown[]): string {
  const headers = args.find((argument) => typeof argument === 'object' && argument !== null);
  const coding = givenCoding(headers) ?? response.getHeader('content-encoding');
  return Array.isArray(coding) ? coding.join(', ') : typeof coding === 'string' ? coding : '';
}

function givenCoding(headers: unknown): unknown {
  try {
    if (Array.isArray(headers)) {
      const flat: unknown[] = headers.flat();
      return flat.find((_value, at) => at % 2 === 1 && isContentEncoding(flat[at - 1]));
    }
    const name = Object.keys(headers ?? {}).find(isContentEncoding);
    // Not read: a getter of the program is Node's to call.
    return name === undefined ? undefined : Object.getOwnPropertyDescriptor(headers, name)?.value;
  } catch {
    // What cannot be read here fails in the same way where it belongs, in Node's own method.
    return undefined;
  }
}

function isContentEncoding(name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase() === 'content-encoding';
}

function hide(target: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: false });
}
