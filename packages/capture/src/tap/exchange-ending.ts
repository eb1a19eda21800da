import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorCode } from '@recap/storage';

const TRANSPORT_FAILURES = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT']);

/**
 * Whether the answer went out to its end. Node emits `finish`, and calls the response finished, also when
 * the connection broke with a part of it still waiting; the socket knows better.
 */
export function hasFinished(request: IncomingMessage, response: ServerResponse, socket: Socket): boolean {
  if (!response.writableFinished) return false;
  if (request.httpVersionMajor >= 2) return !isStreamAborted(request);
  // Node itself ends a socket that it closes after an answer.
  return !socket.errored && (!socket.destroyed || socket.writableEnded);
}

/**
 * Whether the connection was ended by the other side. Node destroys request, response and socket in
 * either case, so the traces on the socket tell: the client's FIN was read, or the transport failed.
 */
export function isClientGone(request: IncomingMessage, socket: Socket): boolean {
  if (request.httpVersionMajor >= 2) return request.destroyed;
  return socket.readableEnded || TRANSPORT_FAILURES.has(errorCode(socket.errored) ?? '');
}

/** Whether the connection is over, for whatever reason. */
export function isConnectionGone(request: IncomingMessage, socket: Socket): boolean {
  if (request.httpVersionMajor >= 2) return isStreamAborted(request);
  return socket.destroyed || isClientGone(request, socket) || isRequestBroken(request);
}

/** Whether the request ended before its body did. */
export function isRequestBroken(request: IncomingMessage): boolean {
  return !request.complete && errorCode(request.errored) === 'ECONNRESET';
}

/**
 * Whether a connection that is gone was closed by a timeout: `server.requestTimeout`, or the time without
 * activity that `setTimeout` of server, request, response or socket allows.
 *
 * The event `timeout` is not listened for: Node leaves a connection open that somebody listens on. When it
 * was last active is on the timer that Node keeps with the socket, which counts in the same time as any new
 * timer. Without such a timer (Node has it since version 11), the answer is no.
 */
export function hasTimedOut(request: IncomingMessage, socket: Socket): boolean {
  if (request.httpVersionMajor >= 2) return false;
  if (errorCode(socket.errored) === 'ERR_HTTP_REQUEST_TIMEOUT') return true;
  const { timeout } = socket;
  if (timeout === undefined || timeout === 0) return false;
  const lastActive = startOf(timerOf(socket));
  const probe = setTimeout(() => undefined, timeout);
  const now = startOf(probe);
  clearTimeout(probe);
  return lastActive !== undefined && now !== undefined && now - lastActive >= timeout;
}

function timerOf(socket: Socket): unknown {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'timeout');
  return symbol === undefined ? undefined : (socket as unknown as Record<symbol, unknown>)[symbol];
}

function startOf(timer: unknown): number | undefined {
  const start = (timer as { readonly _idleStart?: unknown } | null | undefined)?._idleStart;
  return typeof start === 'number' ? start : undefined;
}

function isStreamAborted(request: IncomingMessage): boolean {
  return (request as { readonly stream?: { readonly aborted?: boolean } }).stream?.aborted === true;
}
