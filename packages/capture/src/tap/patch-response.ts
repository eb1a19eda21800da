import type { ServerResponse } from 'node:http';
import { isProxy } from 'node:util/types';
import { makeRoom } from './connection-end';

/** What is told of each chunk that the program hands to a response, after the response has taken it. */
export interface ResponseObserver {
  /** Must not throw. @param isLast whether it was passed to `end` */
  onChunk(chunk: unknown, encoding: unknown, isLast: boolean): void;
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
  /** The response is over: finished, given up by the client, or destroyed. */
  onClose(): void;
}

/** Stands between the program and the response's own methods. */
export interface ResponseGuard {
  /** Calls `method` of `self`, now or later. @returns what the program gets */
  send(name: Sending, self: ServerResponse, args: unknown[], method: Write): unknown;
  /** Called after `send`, when the chunk has been told of. */
  sent(name: Sending): void;
}

const OBSERVER = Symbol('recap.responseObserver');
const PATCHED = Symbol('recap.patchedPrototype');

type Write = (this: ServerResponse, ...args: unknown[]) => unknown;
type Emit = (this: ServerResponse, type: string | symbol, ...args: unknown[]) => boolean;
/** One watched response. */
interface Watch {
  readonly observer: ResponseObserver;
  isInside: boolean;
}

interface Patchable {
  [OBSERVER]?: Watch | undefined;
  [PATCHED]?: true;
}

/**
 * Responses that a patched prototype sees for, while they are watched. In an Express app every property that is
 * added to a response gives it a shape of its own, after which each access to it is slow for everybody.
 */
const watched = new Map<unknown, Watch>();

/**
 * Lets `observer` see what is written to one response, and that it is over. Arguments, return values and errors
 * are those of the methods that stood there before.
 *
 * @param sharedPrototype a prototype of this response that the program's other responses share, to be
 *   patched once for all of them (`app.response` of an Express app that is not mounted in another). What it sees
 *   for is held until the response is over, so a connection has to be there that ends.
 */
export function observeResponse(
  response: ServerResponse,
  observer: ResponseObserver,
  sharedPrototype?: object,
): void {
  const watch: Watch = { observer, isInside: false };
  // Methods that somebody put on the response itself would go by the prototype's.
  const isPlain = !hasOwnMethods(response);
  if (sharedPrototype !== undefined && isPlain) {
    watched.set(response, watch);
    if (!Object.hasOwn(sharedPrototype, PATCHED)) patchShared(sharedPrototype);
    return;
  }
  const isPatched = Object.hasOwn(response, OBSERVER);
  (response as Patchable)[OBSERVER] = watch;
  if (isPatched) return;
  if (!isPlain) hide(response, 'writeHead', observedHead(response));
  for (const name of SENDING) hide(response, name, observedBy(response, name));
  makeRoom(response);
  // The one event that every ending has: finished, given up by the client, destroyed by the program.
  response.on('close', tellClosed);
}

function tellClosed(this: Patchable): void {
  this[OBSERVER]?.observer.onClose();
}

/** Whether somebody has put methods of his own on the response: they may change what goes through them. */
export function hasOwnMethods(response: ServerResponse): boolean {
  return Object.hasOwn(response, 'write') || Object.hasOwn(response, 'end');
}

/**
 * Goes on watching a response that lost the patched prototype: an app that is called as a function sets its own.
 *
 * @returns whether it had
 */
export function keepObserving(response: ServerResponse, sharedPrototype: object): boolean {
  const watch = watched.get(response);
  if (watch === undefined || Object.prototype.isPrototypeOf.call(sharedPrototype, response)) return false;
  watched.delete(response);
  observeResponse(response, watch.observer);
  return true;
}

/** From here on the response is no longer watched; the methods stay and pass through. */
export function stopObserving(response: ServerResponse): void {
  // A response is watched in one of the two ways.
  if (!watched.delete(response) && Object.hasOwn(response, OBSERVER))
    (response as Patchable)[OBSERVER] = undefined;
}

const SENDING = ['write', 'end', 'flushHeaders'] as const;
export type Sending = (typeof SENDING)[number];
type Methods = Readonly<Record<Sending, Write>> & { readonly emit: Emit };

function patchShared(prototype: object): void {
  hide(prototype, PATCHED, true);
  // Looked up when called, since a prototype above may still be patched.
  const parent = Object.getPrototypeOf(prototype) as Methods;
  for (const name of SENDING) {
    const own = Object.getOwnPropertyDescriptor(prototype, name)?.value as Write | undefined;
    hide(
      prototype,
      name,
      observing(name, () => own ?? parent[name], sharedWatch),
    );
  }
  const own = Object.getOwnPropertyDescriptor(prototype, 'emit')?.value as Emit | undefined;
  const emit: Emit = function (this: ServerResponse, ...args) {
    if (args[0] === 'close') sharedWatch(this)?.observer.onClose();
    return (own ?? parent.emit).apply(this, args);
  };
  hide(prototype, 'emit', named(emit, 'emit', (own ?? parent.emit).length));
}

function sharedWatch(response: ServerResponse): Watch | undefined {
  const watch = watched.get(response);
  if (watch !== undefined || watched.size === 0) return watch;
  // What a program made of a response, by inheriting from it or as a proxy, is that response.
  for (let holder: unknown = Object.getPrototypeOf(response); holder !== null;) {
    const inherited = watched.get(holder);
    if (inherited !== undefined) return inherited;
    holder = Object.getPrototypeOf(holder);
  }
  // Express notes on a request which response is its own; somebody may have made another one for it.
  return isProxy(response)
    ? watched.get((response.req as { readonly res?: unknown } | undefined)?.res)
    : undefined;
}

/** One response after another inherits from the same prototype, so these are made once for it. */
const inheriting = new WeakMap<object, Partial<Record<Sending, Write>>>();

function observedBy(response: ServerResponse, name: Sending): Write {
  const own = Object.getOwnPropertyDescriptor(response, name)?.value as Write | undefined;
  if (own !== undefined) return observing(name, () => own, ownWatch);
  const parent = Object.getPrototypeOf(response) as Methods;
  let methods = inheriting.get(parent);
  if (methods === undefined) inheriting.set(parent, (methods = {}));
  return (methods[name] ??= observing(name, (self) => (parentOf(self) ?? parent)[name], ownWatch));
}

function ownWatch(response: ServerResponse): Watch | undefined {
  return (response as Patchable)[OBSERVER];
}

/** What the response inherits from now: an app that passes it on may have given it another prototype. */
function parentOf(self: object | undefined): Methods | undefined {
  let holder = self;
  while (holder !== undefined && !Object.hasOwn(holder, OBSERVER)) {
    holder = (Object.getPrototypeOf(holder) as object | null) ?? undefined;
  }
  return holder && (Object.getPrototypeOf(holder) as Methods);
}

function observing(
  name: Sending,
  original: (self?: object) => Write,
  watchOf: (response: ServerResponse) => Watch | undefined,
): Write {
  const method: Write = function (this: ServerResponse, ...args) {
    const watch = watchOf(this);
    // HTTP/2's `end` calls `write` itself: what is inside another call has been seen already.
    // What comes after the end is refused by the response, and was not sent.
    if (watch === undefined || watch.isInside || this.writableEnded) return original(this).apply(this, args);
    const { observer } = watch;
    const { guard } = observer;
    if (this.destroyed) {
      // Node calls a destroyed response finished all the same, once its `end` was called.
      observer.onTooLate();
      return original(this).apply(this, args);
    }
    watch.isInside = true;
    let result: unknown;
    try {
      const call = original(this);
      result = guard === undefined ? call.apply(this, args) : guard.send(name, this, args, call);
    } finally {
      watch.isInside = false;
    }
    const [chunk, encoding] = args;
    if (chunk !== undefined && chunk !== null && typeof chunk !== 'function')
      observer.onChunk(chunk, encoding, name === 'end');
    else observer.onFlush();
    guard?.sent(name);
    return result;
  };
  return named(method, name, original().length);
}

function named<T extends object>(method: T, name: string, length: number): T {
  Object.defineProperty(method, 'name', { value: name, configurable: true });
  return Object.defineProperty(method, 'length', { value: length, configurable: true });
}

/** Every way to make a head goes through `writeHead`, and through this one first: it was put there last. */
function observedHead(response: ServerResponse): Write {
  const { writeHead: original } = response as unknown as { readonly writeHead: Write };
  const method: Write = function (this: ServerResponse, ...args) {
    const watch = (this as Patchable)[OBSERVER];
    if (watch !== undefined && !this.headersSent) watch.observer.onHead(codingSoFar(this, args));
    return original.apply(this, args);
  };
  return named(method, 'writeHead', original.length);
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
