import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Clock } from '@recap/storage';
import { bodyKind } from '../body-kind';
import { faultPoint, type FaultPoint } from '../fault-point';
import type { CapturedBody, ClosedBy, Delivery, ExchangeSide, Outcome } from '../exchange';
import { describeError } from './describe-error';
import { BodyCollector } from './body-collector';
import { makeRoom, onConnectionEnd } from './connection-end';
import { DeliveryMeter } from './delivery-meter';
import {
  connectionOf,
  hasFinished,
  hasTimedOut,
  isClientGone,
  isConnectionGone,
  isRequestBroken,
  type Connection,
} from './exchange-ending';
import type { HeldAnswer } from './held-answer';
import { HoldBack } from './hold-back';
import { isKeptType } from './kept-types';
import type { OpenBudget, Yielding } from './open-budget';
import { hasStarted, observeRequest } from './patch-request';
import { observeResponse, stopObserving, type ResponseGuard } from './patch-response';
import { hasBody, pairs } from './request-head';
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
  readonly delivery: Delivery;
}

/**
 * How long a stream of messages may go on beyond what is kept of it, or while memory is short, before its record
 * is closed: long enough for an answer that is only large, whose outcome is worth more than its memory.
 */
export const STREAM_GRACE_MS = 30_000;

export interface HttpTapOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly startedAt: number;
  readonly clock: Clock;
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
  /** Called when the program has given its whole answer, which is held back until this says otherwise. Must not throw. */
  readonly onAnswered?: ((answer: HeldAnswer) => void) | undefined;
}

/** Watches one request and its response, and changes neither. */
export class HttpTap implements Yielding {
  readonly #options: HttpTapOptions;
  readonly #startedTicks = performance.now();
  readonly #requestBody: BodyCollector;
  readonly #responseBody: BodyCollector;
  readonly #meter: DeliveryMeter;
  readonly #onEnd: (tap: HttpTap) => void;
  readonly #hasBody: boolean;
  readonly #isLate: boolean;
  readonly #connection: Connection;
  readonly #parsedAtStart: CapturedBody | undefined;
  #stopWaiting: (() => void) | undefined;
  #isCutOff = false;
  #isRequestComplete = false;
  #isResponseTypeKnown = false;
  #isMessageStream = false;
  /** When a stream of messages went beyond what is kept of it. */
  #fullSince: number | undefined;
  #isClosed = false;
  #isClosedByCap = false;
  #yieldedBody: CapturedBody | undefined;
  #offeredCoding: string | undefined;
  #error: { readonly name: string; readonly message: string } | undefined;
  #hasFailedFirst = false;
  /** What `soFar` has told of. */
  #told:
    { readonly requestBytes: number; readonly responseBytes: number; readonly error: unknown } | undefined;
  readonly guard: ResponseGuard | undefined;

  constructor(options: HttpTapOptions, onEnd: (tap: HttpTap) => void) {
    faultPoint('tap');
    this.#options = options;
    const { request, response, maxBodyBytes, budget } = options;
    this.#requestBody = new BodyCollector(maxBodyBytes, budget);
    this.#responseBody = new BodyCollector(maxBodyBytes, budget);
    this.#connection = connectionOf(request);
    this.#meter = new DeliveryMeter(response, this.#connection, this.#startedTicks);
    this.#onEnd = onEnd;
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
    const { onAnswered } = options;
    this.guard = onAnswered && new HoldBack(request, response, onAnswered);
    observeResponse(response, this, options.sharedPrototype);
    const end = (): void => {
      if (this.#isClosed) return;
      this.#stop();
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
    const { socket } = request as { readonly socket?: Socket };
    if (response.socket === null && socket) this.#stopWaiting = onConnectionEnd(socket, end);
  }

  /** Notes that the program failed in this exchange; the first failure is kept. */
  noteError(thrown: unknown): void {
    this.#attempt('error', () => {
      if (this.#error !== undefined) return;
      this.#error = describeError(thrown);
      // What fails because nobody is there any more is not what ended the exchange.
      this.#hasFailedFirst = !isConnectionGone(this.#options.request, this.#connection);
    });
  }

  onFlush(): void {
    this.#meter.noteFlush();
  }

  onHead(coding: string): void {
    this.#offeredCoding ??= coding;
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

  onChunk(chunk: unknown, encoding: unknown): void {
    const isSeen = this.#attempt('responseChunk', () => {
      this.#takeChunk(chunk, encoding);
      return true;
    });
    if (isSeen !== true) this.#responseBody.letGo('internal_error');
  }

  #takeChunk(chunk: unknown, encoding: unknown): void {
    this.#meter.noteChunk(this.#collect(chunk, encoding));
    if (this.#isMessageStream && this.#responseBody.isFull) this.#closeAtCap();
  }

  /** @returns how many bytes it has */
  #collect(chunk: unknown, encoding: unknown): number {
    if (!this.#isResponseTypeKnown) {
      this.#isResponseTypeKnown = true;
      const contentType = responseHeader(this.#options.response, 'content-type');
      const kind = bodyKind(contentType);
      this.#isMessageStream = kind === 'sse' || kind === 'ndjson';
      if (this.#isMessageStream) this.#options.budget.addStream(this);
      if (!this.#isKept(contentType)) this.#responseBody.omit('content_type');
    }
    const before = this.#responseBody.totalBytes;
    this.#responseBody.add(chunk, encoding);
    return this.#responseBody.totalBytes - before;
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

  /** Gives back what the bodies hold, of an exchange that cannot be recorded, or has been. */
  letGo(): void {
    this.#requestBody.letGo('internal_error');
    this.#responseBody.letGo('internal_error');
  }

  /** Call once, when the exchange is over. */
  finish(): TappedExchange {
    faultPoint('finish');
    const { request, response, startedAt } = this.#options;
    const status = sentStatus(response);
    const closedBy = this.#closedBy();
    return {
      startedAt,
      durationMs: performance.now() - this.#startedTicks,
      status,
      outcome: this.#outcome(status, closedBy),
      error: this.#error,
      request: { headers: pairs(request.rawHeaders), body: this.#finishRequest() },
      response: {
        headers: response.headersSent ? sentHeaders(response) : [],
        body: this.#finishResponse(status, closedBy),
      },
      delivery: this.#meter.finish(closedBy, this.#isBodiless(status)),
    };
  }

  /** What is known when the program has given its whole answer, of which the client has not got the end yet. */
  soFar(): TappedExchange {
    const { request, response, startedAt } = this.#options;
    const status = sentStatus(response) ?? response.statusCode;
    const isRequestWhole = this.#isRequestWhole();
    this.#told = {
      requestBytes: this.#requestBody.totalBytes,
      responseBytes: this.#responseBody.totalBytes,
      error: this.#error,
    };
    return {
      startedAt,
      durationMs: performance.now() - this.#startedTicks,
      status,
      outcome: this.#error !== undefined && status >= 500 ? 'failed' : 'completed',
      error: this.#error,
      request: {
        headers: pairs(request.rawHeaders),
        body: this.#requestBodyOf(this.#requestBody.soFar(isRequestWhole), isRequestWhole),
      },
      response: {
        headers: sentHeaders(response),
        body: this.#responseBodyOf(status, this.#responseBody.soFar(true)),
      },
      delivery: this.#meter.soFar(this.#isBodiless(status)),
    };
  }

  /**
   * Call instead of `finish`, once, when `soFar` was.
   *
   * @returns how long the exchange took; `undefined` when it did not end as was told, so that `finish` knows better
   */
  finishAsTold(): number | undefined {
    const { requestBytes, responseBytes, error } = this.#told ?? {};
    const isAsTold =
      requestBytes === this.#requestBody.totalBytes &&
      responseBytes === this.#responseBody.totalBytes &&
      error === this.#error &&
      this.#closedBy() === 'end' &&
      !isRequestBroken(this.#options.request);
    if (!isAsTold) return undefined;
    this.letGo();
    return performance.now() - this.#startedTicks;
  }

  #stop(): void {
    this.#isClosed = true;
    this.#stopWaiting?.();
    if (this.#isMessageStream) this.#options.budget.removeStream(this);
    stopObserving(this.#options.response);
  }

  giveWay(): boolean {
    if (!this.#hasGoneOn(this.#options.startedAt)) return false;
    this.#isClosedByCap = true;
    this.#stop();
    // Its bytes are needed now. The record is made in a turn of its own: this is that of another exchange.
    this.#yieldedBody = this.#responseBody.finish(false);
    setImmediate(this.#onEnd, this);
    return true;
  }

  #closeAtCap(): void {
    this.#fullSince ??= this.#options.clock.now();
    if (!this.#hasGoneOn(this.#fullSince)) return;
    this.#isClosedByCap = true;
    this.#stop();
    this.#onEnd(this);
  }

  #hasGoneOn(since: number): boolean {
    const { clock, response } = this.#options;
    return !this.#isClosed && !response.writableEnded && clock.now() - since >= STREAM_GRACE_MS;
  }

  #closedBy(): ClosedBy {
    const { request, response } = this.#options;
    if (this.#isClosedByCap) return 'cap';
    // HTTP/2 calls the answer to HEAD finished from the start.
    const isFinished = hasFinished(request, response, this.#connection) && response.headersSent;
    return isFinished && !this.#isCutOff ? 'end' : 'connection';
  }

  get #declaredBytes(): number | undefined {
    const declared = Number(this.#options.request.headers['content-length'] ?? NaN);
    return Number.isSafeInteger(declared) ? declared : undefined;
  }

  #isRequestWhole(): boolean {
    const declared = this.#declaredBytes;
    return declared === undefined ? this.#isRequestOver() : this.#requestBody.totalBytes >= declared;
  }

  #finishRequest(): CapturedBody | undefined {
    const isWhole = this.#isRequestWhole();
    return this.#requestBodyOf(this.#requestBody.finish(isWhole), isWhole);
  }

  #requestBodyOf(body: CapturedBody | undefined, isWhole: boolean): CapturedBody | undefined {
    if (!this.#hasBody) return undefined;
    const totalBytes = this.#declaredBytes;
    if (this.#isLate) {
      const parsed = this.#parsedAtStart ?? this.#options.parsedBody();
      if (parsed !== undefined) return { ...parsed, totalBytes };
      return { bytes: undefined, totalBytes, isTruncated: false, omitted: 'mounted_late', source: 'wire' };
    }
    if (body === undefined) {
      if (isWhole && totalBytes === undefined) return undefined;
      return { bytes: undefined, totalBytes, isTruncated: false, omitted: 'unread', source: 'wire' };
    }
    return totalBytes === undefined ? body : { ...body, totalBytes };
  }

  #isRequestOver(): boolean {
    const { request } = this.#options;
    return !this.#hasBody || this.#isRequestComplete || request.complete || request.destroyed;
  }

  #finishResponse(status: number | undefined, closedBy: ClosedBy): CapturedBody | undefined {
    const body = this.#yieldedBody ?? this.#responseBody.finish(closedBy === 'end');
    this.#yieldedBody = undefined;
    return this.#responseBodyOf(status, body);
  }

  #responseBodyOf(status: number | undefined, body: CapturedBody | undefined): CapturedBody | undefined {
    if (this.#isBodiless(status) || body === undefined) return undefined;
    return this.#offeredCoding === undefined ? body : { ...body, coding: this.#offeredCoding };
  }

  /** The program may offer a body to these; the client gets none. */
  #isBodiless(status: number | undefined): boolean {
    const { request, response } = this.#options;
    return (
      request.method === 'HEAD' ||
      // Node has decided so at a `writeHead` that failed afterwards, and keeps to it under another status.
      (response as { readonly _hasBody?: unknown })._hasBody === false ||
      status === undefined ||
      status < 200 ||
      BODILESS.has(status) ||
      (status === 205 && request.httpVersionMajor >= 2)
    );
  }

  #outcome(status: number | undefined, closedBy: ClosedBy): Outcome {
    const { request } = this.#options;
    if (closedBy === 'cap') return 'completed';
    const isBroken = isRequestBroken(request);
    if (closedBy === 'end' && !isBroken) {
      return this.#error !== undefined && (status ?? 0) >= 500 ? 'failed' : 'completed';
    }
    if (this.#hasFailedFirst) return 'failed';
    if (!isClientGone(request, this.#connection) && hasTimedOut(this.#connection)) return 'timed_out';
    // A parser's "request aborted" is still written to a socket that nobody reads.
    return isBroken || isClientGone(request, this.#connection) ? 'aborted' : 'failed';
  }

  #isKept(contentType: string | undefined): boolean {
    const kind = bodyKind(contentType);
    if (kind !== 'binary' && kind !== 'multipart') return true;
    return isKeptType(contentType, this.#options.contentTypes);
  }
}

/** Node sends no body with these; over HTTP/2 not with 205 either. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);
