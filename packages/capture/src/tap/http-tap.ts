import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { errorCode } from '@recap/storage';
import { bodyKind } from '../body-kind';
import { faultPoint, type FaultPoint } from '../fault-point';
import type { CapturedBody, ExchangeSide, HeaderList, Outcome } from '../exchange';
import { describeError } from './describe-error';
import { BodyCollector } from './body-collector';
import { makeRoom, onConnectionEnd } from './connection-end';
import { isKeptType } from './kept-types';
import type { OpenBudget } from './open-budget';
import { hasStarted, observeRequest } from './patch-request';
import { observeResponse, stopObserving } from './patch-response';
import { responseHeader, sentHeaders, sentStatus } from './response-head';

/** What was seen of an exchange at the byte level, once it is over. */
export interface TappedExchange {
  readonly startedAt: number;
  readonly durationMs: number;
  readonly status: number | undefined;
  readonly outcome: Outcome;
  readonly error: { readonly name: string; readonly message: string } | undefined;
  readonly request: ExchangeSide;
  readonly response: ExchangeSide;
}

export interface HttpTapOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly startedAt: number;
  readonly maxBodyBytes: number;
  /** Content types whose bodies are kept although they claim no text, such as `image/*`. */
  readonly contentTypes: readonly string[];
  readonly budget: OpenBudget;
  /** See `observeResponse`. */
  readonly sharedPrototype?: object;
  /** The value that a body parser left, for a tap that came too late to see the bytes. */
  readonly parsedBody: () => CapturedBody | undefined;
  /** Told of what goes wrong in the tap itself, which the program must not notice. */
  readonly onFailure: (error: unknown, where: string) => void;
}

/** Watches one request and its response, and changes neither. */
export class HttpTap {
  readonly #options: HttpTapOptions;
  readonly #startedTicks = performance.now();
  readonly #requestBody: BodyCollector;
  readonly #responseBody: BodyCollector;
  readonly #hasBody: boolean;
  readonly #isLate: boolean;
  /** Kept from the start: Node takes it off a request that was destroyed. */
  readonly #socket: Socket;
  readonly #parsedAtStart: CapturedBody | undefined;
  #stopWaiting: (() => void) | undefined;
  #isOver = false;
  #isCutOff = false;
  #isRequestComplete = false;
  #isResponseTypeKnown = false;
  #offeredCoding: string | undefined;
  #error: { readonly name: string; readonly message: string } | undefined;

  constructor(options: HttpTapOptions, onEnd: (tap: HttpTap) => void) {
    faultPoint('tap');
    this.#options = options;
    const { request, response, maxBodyBytes, budget } = options;
    this.#requestBody = new BodyCollector(maxBodyBytes, budget);
    this.#responseBody = new BodyCollector(maxBodyBytes, budget);
    this.#socket = request.socket;
    this.#hasBody = hasBody(request);
    this.#isLate = this.#hasBody && hasStarted(request);
    // A handler may change the value that a parser left.
    this.#parsedAtStart = this.#isLate ? options.parsedBody() : undefined;
    if (this.#hasBody && !this.#isLate) {
      if (!this.#isKept(request.headers['content-type'])) this.#requestBody.omit('content_type');
      observeRequest(request, (chunk, encoding) => {
        this.#onRequestChunk(chunk, encoding);
      });
    }
    observeResponse(response, this, options.sharedPrototype);
    const end = (): void => {
      if (this.#isOver) return;
      this.#isOver = true;
      this.#stopWaiting?.();
      stopObserving(response);
      if (this.#attempt('close', () => this.#isRequestOver()) !== false) onEnd(this);
      // An answer that needed no body may be over before the body is: what is on its way comes within this turn.
      else setImmediate(onEnd, this);
    };
    makeRoom(response);
    // The one event that every ending has: finished, given up by the client, destroyed by the program.
    response.on('close', end);
    // HTTP/2 tells an answer to HEAD that was never given of nothing; the stream under it is told.
    const { stream } = request as { readonly stream?: NodeJS.EventEmitter };
    if (request.httpVersionMajor >= 2) stream?.once('close', end);
    // A pipelined answer whose turn has not come has no connection yet, and hears nothing of its end.
    if (response.socket === null) this.#stopWaiting = onConnectionEnd(request.socket, end);
  }

  /** Notes that the program failed in this exchange; the first failure is kept. */
  noteError(thrown: unknown): void {
    this.#attempt('error', () => {
      this.#error ??= describeError(thrown);
    });
  }

  /** A body that could not be followed is not known whole. */
  #onRequestChunk(chunk: unknown, encoding: unknown): void {
    const isSeen = this.#attempt('requestChunk', () => {
      if (chunk === null) this.#isRequestComplete = true;
      else this.#requestBody.add(chunk, encoding);
      return true;
    });
    if (isSeen !== true) this.#requestBody.letGo('internal_error');
  }

  onHead(coding: string): void {
    this.#offeredCoding ??= coding;
  }

  onChunk(chunk: unknown, encoding: unknown): void {
    const isSeen = this.#attempt('responseChunk', () => {
      this.#takeChunk(chunk, encoding);
      return true;
    });
    if (isSeen !== true) this.#responseBody.letGo('internal_error');
  }

  #takeChunk(chunk: unknown, encoding: unknown): void {
    if (!this.#isResponseTypeKnown) {
      this.#isResponseTypeKnown = true;
      const contentType = responseHeader(this.#options.response, 'content-type');
      if (!this.#isKept(contentType)) this.#responseBody.omit('content_type');
    }
    this.#responseBody.add(chunk, encoding);
  }

  onTooLate(): void {
    this.#isCutOff = true;
  }

  /** Does Recap's own work within the program's: nothing may escape. */
  #attempt<T>(where: FaultPoint, work: () => T): T | undefined {
    try {
      faultPoint(where);
      return work();
    } catch (error) {
      this.#options.onFailure(error, where);
      return undefined;
    }
  }

  /** Gives back what the bodies hold, of an exchange that cannot be recorded. */
  letGo(): void {
    this.#requestBody.letGo('internal_error');
    this.#responseBody.letGo('internal_error');
  }

  /** Call once, when the exchange is over. */
  finish(): TappedExchange {
    faultPoint('finish');
    const { request, response, startedAt } = this.#options;
    const status = sentStatus(response);
    return {
      startedAt,
      durationMs: performance.now() - this.#startedTicks,
      status,
      outcome: this.#outcome(status),
      error: this.#error,
      request: { headers: pairs(request.rawHeaders), body: this.#finishRequest() },
      response: {
        headers: response.headersSent ? sentHeaders(response) : [],
        body: this.#finishResponse(status),
      },
    };
  }

  #finishRequest(): CapturedBody | undefined {
    const { request } = this.#options;
    if (!this.#hasBody) return undefined;
    const declared = Number(request.headers['content-length'] ?? NaN);
    const totalBytes = Number.isSafeInteger(declared) ? declared : undefined;
    if (this.#isLate) {
      const parsed = this.#parsedAtStart ?? this.#options.parsedBody();
      if (parsed !== undefined) return { ...parsed, totalBytes };
      return { bytes: undefined, totalBytes, isTruncated: false, omitted: 'mounted_late', source: 'wire' };
    }
    const seen = this.#requestBody.totalBytes;
    const isComplete = totalBytes === undefined ? this.#isRequestOver() : seen >= totalBytes;
    const body = this.#requestBody.finish(isComplete);
    if (body === undefined) {
      if (isComplete && totalBytes === undefined) return undefined;
      return { bytes: undefined, totalBytes, isTruncated: false, omitted: 'unread', source: 'wire' };
    }
    return totalBytes === undefined ? body : { ...body, totalBytes };
  }

  #isRequestOver(): boolean {
    const { request } = this.#options;
    return !this.#hasBody || this.#isRequestComplete || request.complete || request.destroyed;
  }

  #finishResponse(status: number | undefined): CapturedBody | undefined {
    const { request } = this.#options;
    const body = this.#responseBody.finish(this.#isFinished());
    // The program may offer a body to these; the client gets none.
    const isBodiless =
      request.method === 'HEAD' ||
      status === undefined ||
      status < 200 ||
      BODILESS.has(status) ||
      (status === 205 && request.httpVersionMajor >= 2);
    if (isBodiless || body === undefined) return undefined;
    return this.#offeredCoding === undefined ? body : { ...body, coding: this.#offeredCoding };
  }

  /** Whether the whole answer was handed to the connection. */
  #isFinished(): boolean {
    const { response } = this.#options;
    // HTTP/2 calls the answer to HEAD finished from the start.
    return response.writableFinished && response.headersSent && !this.#isCutOff;
  }

  #outcome(status: number | undefined): Outcome {
    const { request } = this.#options;
    // A parser's "request aborted" is still written to a socket that nobody reads.
    if (!request.complete && errorCode(request.errored) === 'ECONNRESET') return 'aborted';
    if (this.#isFinished()) {
      return this.#error !== undefined && (status ?? 0) >= 500 ? 'failed' : 'completed';
    }
    return this.#error === undefined && isClientGone(request, this.#socket) ? 'aborted' : 'failed';
  }

  #isKept(contentType: string | undefined): boolean {
    const kind = bodyKind(contentType);
    if (kind !== 'binary' && kind !== 'multipart') return true;
    return isKeptType(contentType, this.#options.contentTypes);
  }
}

/** Node sends no body with these; over HTTP/2 not with 205 either. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);
const TRANSPORT_FAILURES = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT']);

function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  if (request.headers['transfer-encoding'] !== undefined) return true;
  if (length !== undefined) return Number(length) !== 0;
  // HTTP/2 needs neither header; there the stream itself knows.
  const { stream } = request as { readonly stream?: { readonly endAfterHeaders?: boolean } };
  return request.httpVersionMajor >= 2 && stream?.endAfterHeaders === false;
}

/**
 * Whether the connection was ended by the other side. Node destroys request, response and socket in
 * either case, so the traces on the socket tell: the client's FIN was read, or the transport failed.
 */
function isClientGone(request: IncomingMessage, socket: Socket): boolean {
  if (request.httpVersionMajor >= 2) return request.destroyed;
  return socket.readableEnded || TRANSPORT_FAILURES.has(errorCode(socket.errored) ?? '');
}

function pairs(raw: readonly string[]): HeaderList {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? '';
    // HTTP/2 sends method and path among the fields; they are kept, and redacted, in their own places.
    if (!name.startsWith(':') || name === ':authority') list.push([name, raw[index + 1] ?? '']);
  }
  return list;
}
