import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { errorCode } from '@recap/storage';

/** Codes of an HTTP/2 stream that nobody reset, or Node itself. */
const OWN_RESETS = new Set([constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_INTERNAL_ERROR]);

/** What Node keeps a timeout for: the socket, or on HTTP/2 the session, of which no more is asked than that. */
export type Connection = Socket;

/** Of requests that a program made itself, to call its own handlers. */
const NO_CONNECTION = Object.freeze({}) as unknown as Connection;

/** To be asked for at the start: Node takes it off a request that is over. */
export function connectionOf(request: IncomingMessage, stream: ServerHttp2Stream | undefined): Connection {
  if (stream?.session !== undefined) return stream.session as unknown as Connection;
  const { socket } = request as { readonly socket?: Socket };
  return socket ?? NO_CONNECTION;
}

const TRANSPORT_FAILURES = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT']);

/**
 * Whether the answer went out to its end. Node emits `finish`, and calls the response finished, also when
 * the connection broke with a part of it still waiting; the socket knows better.
 */
export function hasFinished(
  response: ServerResponse,
  socket: Connection,
  stream: ServerHttp2Stream | undefined,
): boolean {
  if (!response.writableFinished) return false;
  if (stream !== undefined) return !stream.aborted;
  // Node itself ends a socket that it closes after an answer.
  return !socket.errored && (!socket.destroyed || socket.writableEnded);
}

/**
 * Whether the connection was ended by the other side. Node destroys request, response and socket in
 * either case, so the traces on the socket tell: the client's FIN was read, or the transport failed.
 */
export function isClientGone(socket: Connection, stream: ServerHttp2Stream | undefined): boolean {
  if (stream !== undefined) return !OWN_RESETS.has(stream.rstCode);
  return socket.readableEnded || TRANSPORT_FAILURES.has(errorCode(socket.errored) ?? '');
}

/** Whether the connection is over, for whatever reason. */
export function isConnectionGone(
  request: IncomingMessage,
  socket: Connection,
  stream: ServerHttp2Stream | undefined,
): boolean {
  if (stream !== undefined) return stream.destroyed;
  return socket.destroyed || isClientGone(socket, stream) || isRequestBroken(request);
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
export function hasTimedOut(socket: Connection): boolean {
  if (errorCode(socket.errored) === 'ERR_HTTP_REQUEST_TIMEOUT') return true;
  const { timeout } = socket;
  if (timeout === undefined || timeout === 0) return false;
  const lastActive = startOf(timerOf(socket));
  const probe = setTimeout(() => undefined, timeout);
  const now = startOf(probe);
  clearTimeout(probe);
  return lastActive !== undefined && now !== undefined && now - lastActive >= timeout;
}

function timerOf(socket: Connection): unknown {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'timeout');
  return symbol === undefined ? undefined : (socket as unknown as Record<symbol, unknown>)[symbol];
}

function startOf(timer: unknown): number | undefined {
  const start = (timer as { readonly _idleStart?: unknown } | null | undefined)?._idleStart;
  return typeof start === 'number' ? start : undefined;
}

/** The stream of an HTTP/2 request. To be asked for at the start, like the connection. */
export function streamOf(request: IncomingMessage): ServerHttp2Stream | undefined {
  if (request.httpVersionMajor < 2) return undefined;
  return (request as unknown as { readonly stream: ServerHttp2Stream }).stream;
}
