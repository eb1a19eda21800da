import type { IncomingMessage } from 'node:http';
import type { OpenExchange } from './open-exchange';

/**
 * Which exchange a request belongs to. Not a property of the request: in an Express app each one that is added
 * gives it a shape of its own, after which every access to it is slow, for the program as well.
 */
interface Registry {
  /** While it is in progress. */
  readonly open: Map<IncomingMessage, OpenExchange>;
  /** Requests of Recap's own routes, and those left out on purpose: never recorded. */
  readonly ignored: WeakSet<IncomingMessage>;
}

/** Shared by all copies of this package in a process. */
const REGISTRY = Symbol.for('recap.exchanges');
const process = globalThis as { [REGISTRY]?: Registry | undefined };
const { open, ignored }: Registry = (process[REGISTRY] ??= newRegistry());

function newRegistry(): Registry {
  return { open: new Map(), ignored: new WeakSet() };
}

/** The exchange that a request belongs to, in progress or over. */
export function openExchangeOf(request: IncomingMessage): OpenExchange | undefined {
  return open.get(request) ?? Mark.read(carrierOf(request));
}

/** All that are in progress and will end with their connections, of every recorder, newest first. */
export function openExchanges(): OpenExchange[] {
  return [...open.values()].reverse();
}

/** @param hasEnd whether it is certain that `detachExchange` will be called: until then the request is held */
export function attachExchange(request: IncomingMessage, exchange: OpenExchange, hasEnd: boolean): void {
  if (hasEnd) open.set(request, exchange);
  else carry(request, exchange);
}

/** The exchange is over. What still holds the request goes on finding it. */
export function detachExchange(request: IncomingMessage, exchange: OpenExchange): void {
  if (open.delete(request)) carry(request, exchange);
}

/** From now on nobody records this exchange. */
export function ignore(request: IncomingMessage): void {
  ignored.add(request);
}

export function isIgnored(request: IncomingMessage): boolean {
  return ignored.has(request);
}

/** Node's own list, which nobody adds properties to. A program's imitation of a request may lack it. */
function carrierOf(request: IncomingMessage): object {
  return (request as { readonly rawHeaders?: object }).rawHeaders ?? request;
}

function carry(request: IncomingMessage, exchange: OpenExchange): void {
  Mark.write(carrierOf(request), exchange);
}

/** Makes a subclass put its fields on what it is given. */
function Given(this: unknown, given: object): object {
  return given;
}

/** A private field on an object of somebody else: no listing, comparison or proxy sees it, and nothing can clash with it. */
class Mark extends (Given as unknown as new (given: object) => object) {
  #exchange: OpenExchange | undefined;

  static read(carrier: object): OpenExchange | undefined {
    return #exchange in carrier ? carrier.#exchange : undefined;
  }

  static write(carrier: object, exchange: OpenExchange): void {
    const mark = #exchange in carrier ? carrier : new Mark(carrier);
    mark.#exchange = exchange;
  }
}
