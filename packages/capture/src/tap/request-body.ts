import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { faultPoint } from '../fault-point';
import type { CapturedBody } from '../exchange';
import type { BodyCollector } from './body-collector';
import {
  hasStarted,
  keepObservingRequest,
  observeRequest,
  stopObservingRequest,
  type RequestObserver,
} from './patch-request';
import { collectBody } from './collect-body';
import { declaredBytes, hasBody } from './request-head';
import { withMore } from './seen-body';
import type { TapTarget, TapTools } from './tap-target';

/** The body of a request, seen where Node pushes it into the request. */
export class RequestBody implements RequestObserver {
  readonly #request: IncomingMessage;
  readonly #target: TapTarget;
  readonly #tools: TapTools;
  readonly #isThere: boolean;
  readonly #isLate: boolean;
  readonly #declaredBytes: number | undefined;
  readonly #collected: BodyCollector | undefined;
  readonly #parsedAtStart: CapturedBody | undefined;
  #isComplete = false;

  /**
   * @param headers of the request, as Node parsed them
   * @param hasEnd see `observeRequest`
   * @param sharedPrototype see `observeResponse`
   */
  constructor(
    target: TapTarget,
    tools: TapTools,
    headers: IncomingHttpHeaders,
    stream: ServerHttp2Stream | undefined,
    hasEnd: boolean,
    sharedPrototype: object | undefined,
  ) {
    const { request } = target;
    this.#request = request;
    this.#target = target;
    this.#tools = tools;
    this.#isThere = hasBody(headers, stream);
    this.#declaredBytes = declaredBytes(headers);
    this.#isLate = this.#isThere && hasStarted(request);
    // A handler may change the value that a parser left.
    this.#parsedAtStart = this.#isLate ? target.parsedBody() : undefined;
    if (!this.#isThere || this.#isLate) return;
    this.#collected = collectBody(target, tools, headers['content-type']);
    observeRequest(request, this, hasEnd, sharedPrototype);
  }

  /** Bytes that were seen so far. */
  get seenBytes(): number {
    return this.#collected?.totalBytes ?? 0;
  }

  /** Whether nothing more can come. */
  get isOver(): boolean {
    return !this.#isThere || this.#isComplete || this.#request.complete || this.#request.destroyed;
  }

  onRequestChunk(chunk: unknown, encoding: unknown): void {
    try {
      faultPoint('requestChunk');
      if (chunk === null) this.#isComplete = true;
      else this.#collected?.add(chunk, encoding);
    } catch (error) {
      // A body that could not be followed is not known whole.
      this.letGo();
      this.#tools.onFailure(error, 'requestChunk');
    }
  }

  keepObserving(sharedPrototype: object): void {
    if (Object.getPrototypeOf(this.#request) !== sharedPrototype) {
      keepObservingRequest(this.#request, sharedPrototype);
    }
  }

  stop(): void {
    if (this.#collected !== undefined) stopObservingRequest(this.#request);
  }

  letGo(): void {
    this.#collected?.letGo('internal_error');
  }

  /** Call once, when the exchange is over. */
  finish(): CapturedBody | undefined {
    return this.#told((isWhole) => this.#collected?.finish(isWhole));
  }

  soFar(): CapturedBody | undefined {
    return this.#told((isWhole) => this.#collected?.soFar(isWhole));
  }

  #told(collected: (isWhole: boolean) => CapturedBody | undefined): CapturedBody | undefined {
    if (!this.#isThere) return undefined;
    const totalBytes = this.#declaredBytes;
    if (this.#isLate) {
      const parsed = this.#parsedAtStart ?? this.#target.parsedBody();
      if (parsed !== undefined) return { ...parsed, totalBytes };
      return { bytes: undefined, totalBytes, isTruncated: false, omitted: 'mounted_late', source: 'wire' };
    }
    const isWhole = totalBytes === undefined ? this.isOver : this.seenBytes >= totalBytes;
    const body = collected(isWhole);
    if (body === undefined) {
      if (isWhole && totalBytes === undefined) return undefined;
      return { bytes: undefined, totalBytes, isTruncated: false, omitted: 'unread', source: 'wire' };
    }
    return totalBytes === undefined || totalBytes === body.totalBytes ? body : withMore(body, { totalBytes });
  }
}
