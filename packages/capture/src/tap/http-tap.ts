import type { IncomingHttpHeaders } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { performance } from 'node:perf_hooks';
import { Duplex } from 'node:stream';
import { bodyKind } from '../body-kind';
import { faultPoint } from '../fault-point';
import type { CapturedBody, ClosedBy, Delivery, ExchangeSide, Outcome } from '../exchange';
import { describeError } from './describe-error';
import type { BodyCollector } from './body-collector';
import { collectBody } from './collect-body';
import { onConnectionEnd } from './connection-end';
import { DeliveryMeter } from './delivery-meter';
import {
  connectionOf,
  hasFinished,
  hasTimedOut,
  isClientGone,
  isConnectionGone,
  isRequestBroken,
  streamOf,
  type Connection,
} from './exchange-ending';
import { HoldBack } from './hold-back';
import type { Yielding } from './open-budget';
import {
  hasOwnMethods,
  keepObserving,
  observeResponse,
  stopObserving,
  type ResponseGuard,
  type ResponseObserver,
} from './patch-response';
import { RequestBody } from './request-body';
import { isBodiless, plannedHeaders, responseHeader, sentHead } from './response-head';
import { withMore } from './seen-body';
import { onUnconnectedEnd, willClose } from './unconnected-answer';
import { SeenSide } from './seen-side';
import type { TapListener, TapTarget, TapTools } from './tap-target';

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

/** Watches one request and its response, and changes neither. */
export class HttpTap implements Yielding, ResponseObserver {
  /** Whether there is a connection, which ends at some time, and the exchange with it. */
  readonly hasEnd: boolean;
  /** Of the request, as Node parsed them. */
  readonly headers: IncomingHttpHeaders;
  readonly #target: TapTarget;
  readonly #tools: TapTools;
  readonly #listener: TapListener;
  readonly #startedAt: number;
  readonly #startedTicks = performance.now();
  readonly #connection: Connection;
  readonly #stream: ServerHttp2Stream | undefined;
  readonly #meter: DeliveryMeter;
  readonly #requestBody: RequestBody;
  #responseBody: BodyCollector | undefined;
  #waiting: ReturnType<typeof onConnectionEnd> | undefined;
  #isCutOff = false;
  #isMessageStream = false;
  /** When a stream of messages went beyond what is kept of it. */
  #fullSince: number | undefined;
  #isClosed = false;
  #isClosedByCap = false;
  #yieldedBody: CapturedBody | undefined;
  #offeredCoding: string | undefined;
  #error: { readonly name: string; readonly message: string } | undefined;
  #hasFailedFirst = false;
  /** Whether the answer went out by methods that were not watched. */
  #hasGoneBy = false;
  /** What `soFar` has told of. */
  #told:
    { readonly requestBytes: number; readonly responseBytes: number; readonly error: unknown } | undefined;
  readonly guard: ResponseGuard | undefined;

  constructor(target: TapTarget, tools: TapTools, startedAt: number, listener: TapListener) {
    faultPoint('tap');
    this.#target = target;
    this.#tools = tools;
    this.#startedAt = startedAt;
    this.#listener = listener;
    const { request, response, sharedPrototypes } = target;
    this.#stream = streamOf(request);
    this.#connection = connectionOf(request, this.#stream);
    const isOutermost = !hasOwnMethods(response);
    this.#meter = new DeliveryMeter(response, this.#connection, this.#startedTicks, isOutermost);
    this.headers = request.headers;
    this.hasEnd = this.#stream !== undefined || willClose(this.#connection);
    // A prototype's watch holds the exchange until it is over.
    const shared = this.hasEnd ? sharedPrototypes : undefined;
    this.#requestBody = new RequestBody(
      target,
      tools,
      this.headers,
      this.#stream,
      this.hasEnd,
      shared?.request,
    );
    if (tools.holdsAnswers) {
      this.guard = new HoldBack(request, response, (answer) => {
        // The chunk that makes the answer whole may have been the one at which the record of a stream was closed.
        if (this.#isClosed) answer.release();
        else listener.onTapAnswered(answer);
      });
    }
    observeResponse(response, this, shared?.response);
    if (!this.hasEnd) onUnconnectedEnd(response, this);
    // HTTP/2 tells an answer to HEAD that was never given of nothing; the stream under it is told.
    this.#stream?.once('close', () => {
      this.onClose();
    });
    // A pipelined answer whose turn has not come has no connection yet, and hears nothing of its end. One that a
    // prototype sees for may be taken off its connection, or get another prototype, unseen.
    if (this.#connection instanceof Duplex && (shared !== undefined || response.socket === null)) {
      this.#waiting = onConnectionEnd(this.#connection, this);
    }
    // Its client had gone, or had its answer, before Recap saw it: nothing more will be heard.
    if (response.destroyed) {
      setImmediate(() => {
        this.onClose();
      });
    }
  }

  /** Called by those who pass the exchange on, since an app that is called as a function changes its prototypes. */
  follow(): void {
    const { response, sharedPrototypes } = this.#target;
    if (sharedPrototypes === undefined) return;
    if (Object.getPrototypeOf(response) !== sharedPrototypes.response) {
      const isMoved = keepObserving(response, sharedPrototypes.response);
      this.#hasGoneBy ||= isMoved && response.writableEnded;
    }
    this.#requestBody.keepObserving(sharedPrototypes.request);
  }

  onClose(): void {
    if (this.#isClosed) return;
    this.#stop();
    let isOver = true;
    try {
      faultPoint('close');
      isOver = this.#requestBody.isOver;
    } catch (error) {
      this.#tools.onFailure(error, 'close');
    }
    if (isOver) this.#end();
    // An answer that needed no body may be over before the body is: what is on its way comes within this turn.
    else {
      setImmediate(() => {
        this.#end();
      });
    }
  }

  /** Notes that the program failed in this exchange; the first failure is kept. */
  noteError(thrown: unknown): void {
    try {
      faultPoint('error');
      if (this.#error !== undefined) return;
      this.#error = describeError(thrown);
      // What fails because nobody is there any more is not what ended the exchange.
      this.#hasFailedFirst = !isConnectionGone(this.#target.request, this.#connection, this.#stream);
    } catch (error) {
      this.#tools.onFailure(error, 'error');
    }
  }

  onFlush(): void {
    this.#meter.noteFlush();
  }

  onHead(coding: string): void {
    this.#offeredCoding ??= coding;
  }

  onChunk(chunk: unknown, encoding: unknown, isLast: boolean): void {
    this.#meter.noteChunk(this.#collect(chunk, encoding, isLast));
    if (this.#isMessageStream && this.#responseBody?.isFull === true) this.#closeAtCap();
  }

  /** @returns how many bytes it has */
  #collect(chunk: unknown, encoding: unknown, isLast: boolean): number {
    try {
      faultPoint('responseChunk');
      const body = (this.#responseBody ??= this.#beginResponseBody());
      const before = body.totalBytes;
      body.add(chunk, encoding, isLast);
      return body.totalBytes - before;
    } catch (error) {
      this.#responseBody ??= collectBody(this.#target, this.#tools, undefined);
      this.#responseBody.letGo('internal_error');
      this.#tools.onFailure(error, 'responseChunk');
      return 0;
    }
  }

  #beginResponseBody(): BodyCollector {
    const contentType = responseHeader(this.#target.response, 'content-type');
    const kind = bodyKind(contentType);
    this.#isMessageStream = kind === 'sse' || kind === 'ndjson';
    if (this.#isMessageStream) this.#tools.budget.addStream(this);
    return collectBody(this.#target, this.#tools, contentType, kind);
  }

  onTooLate(): void {
    this.#isCutOff = true;
  }

  /** Gives back what the bodies hold, of an exchange that cannot be recorded, or has been. */
  letGo(): void {
    this.#requestBody.letGo();
    this.#responseBody?.letGo('internal_error');
  }

  /** Call once, when the exchange is over. */
  finish(): TappedExchange {
    faultPoint('finish');
    const { request, response } = this.#target;
    const head = sentHead(response);
    const status = head?.status;
    const closedBy = this.#closedBy(head !== undefined);
    const isBodiless = this.#isBodiless(status);
    const responseBody =
      this.#yieldedBody ??
      this.#responseBody?.finish(closedBy === 'end') ??
      (this.#hasGoneBy ? GONE_BY : undefined);
    this.#yieldedBody = undefined;
    return {
      startedAt: this.#startedAt,
      durationMs: performance.now() - this.#startedTicks,
      status,
      outcome: this.#outcome(status, closedBy),
      error: this.#error,
      request: new SeenSide(request.rawHeaders, this.#requestBody.finish()),
      response: new SeenSide(head?.rawHeaders ?? [], isBodiless ? undefined : this.#coded(responseBody)),
      delivery: this.#meter.finish(closedBy, isBodiless),
    };
  }

  /** What is known when the program has given its whole answer, of which the client has not got the end yet. */
  soFar(): TappedExchange {
    const { request, response } = this.#target;
    const head = sentHead(response);
    const status = head?.status ?? response.statusCode;
    const isBodiless = this.#isBodiless(status);
    this.#told = { ...this.#bytesSeen, error: this.#error };
    return {
      startedAt: this.#startedAt,
      durationMs: performance.now() - this.#startedTicks,
      status,
      outcome: this.#error !== undefined && status >= 500 ? 'failed' : 'completed',
      error: this.#error,
      request: new SeenSide(request.rawHeaders, this.#requestBody.soFar()),
      response: new SeenSide(
        head?.rawHeaders ?? plannedHeaders(response),
        isBodiless ? undefined : this.#coded(this.#responseBody?.soFar(true)),
      ),
      delivery: this.#meter.soFar(isBodiless),
    };
  }

  /** What is known when the program exits in the midst of it. */
  atExit(): TappedExchange {
    const { response } = this.#target;
    const given = this.soFar();
    // What the system has taken goes out although nobody has heard so yet.
    if (response.writableEnded && this.#connection.writableLength === 0) return given;
    const head = sentHead(response);
    const isWithout = this.#isBodiless(head?.status);
    const body = isWithout ? undefined : this.#coded(this.#responseBody?.soFar(false));
    return {
      ...given,
      status: head?.status,
      outcome: this.#outcome(head?.status, 'connection'),
      response: new SeenSide(head?.rawHeaders ?? [], body),
      delivery: this.#meter.finish('connection', isWithout),
    };
  }

  /**
   * Call instead of `finish`, once, when `soFar` was.
   *
   * @returns how long the exchange took; `undefined` when it did not end as was told, so that `finish` knows better
   */
  finishAsTold(): number | undefined {
    const { requestBytes, responseBytes } = this.#bytesSeen;
    const { request, response } = this.#target;
    const isAsTold =
      this.#told?.requestBytes === requestBytes &&
      this.#told.responseBytes === responseBytes &&
      this.#told.error === this.#error &&
      this.#closedBy(response.headersSent) === 'end' &&
      !isRequestBroken(request);
    if (!isAsTold) return undefined;
    this.letGo();
    return performance.now() - this.#startedTicks;
  }

  get #bytesSeen(): { readonly requestBytes: number; readonly responseBytes: number } {
    return {
      requestBytes: this.#requestBody.seenBytes,
      responseBytes: this.#responseBody?.totalBytes ?? 0,
    };
  }

  #stop(): void {
    this.#isClosed = true;
    this.#waiting?.delete(this);
    if (this.#isMessageStream) this.#tools.budget.removeStream(this);
    stopObserving(this.#target.response);
  }

  giveWay(): boolean {
    if (!this.#hasGoneOn(this.#startedAt)) return false;
    this.#isClosedByCap = true;
    this.#stop();
    // Its bytes are needed now. The record is made in a turn of its own: this is that of another exchange.
    this.#yieldedBody = this.#responseBody?.finish(false);
    setImmediate(() => {
      this.#end();
    });
    return true;
  }

  #closeAtCap(): void {
    this.#fullSince ??= this.#tools.clock.now();
    if (!this.#hasGoneOn(this.#fullSince)) return;
    this.#isClosedByCap = true;
    this.#stop();
    this.#end();
  }

  #end(): void {
    this.#requestBody.stop();
    this.#listener.onTapEnd();
  }

  #hasGoneOn(since: number): boolean {
    const isOpen = !this.#isClosed && !this.#target.response.writableEnded;
    return isOpen && this.#tools.clock.now() - since >= STREAM_GRACE_MS;
  }

  #closedBy(isHeadSent: boolean): ClosedBy {
    if (this.#isClosedByCap) return 'cap';
    // HTTP/2 calls the answer to HEAD finished from the start.
    const { response } = this.#target;
    const isFinished =
      isHeadSent &&
      (this.hasEnd ? hasFinished(response, this.#connection, this.#stream) : response.writableEnded);
    return isFinished && !this.#isCutOff ? 'end' : 'connection';
  }

  #coded(body: CapturedBody | undefined): CapturedBody | undefined {
    if (body === undefined || this.#offeredCoding === undefined) return body;
    return withMore(body, { coding: this.#offeredCoding });
  }

  #isBodiless(status: number | undefined): boolean {
    return isBodiless(this.#target, status, this.#stream !== undefined);
  }

  #outcome(status: number | undefined, closedBy: ClosedBy): Outcome {
    if (closedBy === 'cap') return 'completed';
    const isBroken = isRequestBroken(this.#target.request);
    if (closedBy === 'end' && !isBroken) {
      return this.#error !== undefined && (status ?? 0) >= 500 ? 'failed' : 'completed';
    }
    if (this.#hasFailedFirst) return 'failed';
    const isGone = isClientGone(this.#connection, this.#stream);
    if (!isGone && hasTimedOut(this.#connection)) return 'timed_out';
    // A parser's "request aborted" is still written to a socket that nobody reads.
    return isBroken || isGone ? 'aborted' : 'failed';
  }
}

const GONE_BY: CapturedBody = {
  bytes: undefined,
  totalBytes: undefined,
  isTruncated: false,
  omitted: 'mounted_late',
  source: 'wire',
};
