import type { ServerResponse } from 'node:http';
import type { ExpressRequest } from './express/express-types';
import type { KoaContext } from './koa/koa-types';

/** What tells a handler's call from any other: the exchange's own objects among its arguments. */
export type HostArgument =
  | {
      readonly kind: 'express';
      readonly request: ExpressRequest;
      readonly response: ServerResponse;
      readonly context: ExpressRequest;
    }
  | { readonly kind: 'koa'; readonly request: KoaContext['req']; readonly context: KoaContext };

/** Finds `req, res` or `ctx` among a method's arguments. */
export function hostArgument(args: readonly unknown[]): HostArgument | undefined {
  const context = args.find(isKoaContext);
  if (context !== undefined) return { kind: 'koa', request: context.req, context };
  const request = args.find(isRequest);
  if (request === undefined) return undefined;
  const response = args.find(isResponse) ?? (request as { readonly res?: unknown }).res;
  return isResponse(response) ? { kind: 'express', request, response, context: request } : undefined;
}

/** A copy of the arguments in which the host's objects are named instead of stored. */
export function withoutHostObjects(args: readonly unknown[]): unknown[] {
  return args.map((argument) => {
    if (isKoaContext(argument)) return '[Context]';
    if (isRequest(argument)) return '[Request]';
    if (isResponse(argument)) return '[Response]';
    return typeof argument === 'function' ? '[Function]' : argument;
  });
}

function isKoaContext(value: unknown): value is KoaContext {
  return (
    has(value, ['req', 'res', 'request', 'response', 'originalUrl']) && isRequest((value as KoaContext).req)
  );
}

function isRequest(value: unknown): value is ExpressRequest {
  return has(value, ['httpVersion', 'rawHeaders', 'headers', 'socket', 'push']);
}

function isResponse(value: unknown): value is ServerResponse {
  return has(value, ['writeHead', 'setHeader', 'end', 'statusCode']);
}

function has(value: unknown, members: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return members.every((member) => member in value);
  } catch {
    // A proxy that refuses to be looked at is none of the host's objects.
    return false;
  }
}
