import type { Clock } from '@recap/storage';
import { faultPoint } from '../fault-point';
import type { Exchange } from '../exchange';
import type { AnswerInContext } from '../tap/answer-in-context';
import { HttpTap, type TappedExchange } from '../tap/http-tap';
import type { OpenBudget } from '../tap/open-budget';
import type { TapTools } from '../tap/tap-target';
import { announceSession } from './announce-session';
import { ANONYMOUS, attempt, buildExchange } from './build-exchange';
import { commitAnswer } from './commit-answer';
import type { EntryWriter } from './entry-writer';
import { attachExchange, detachExchange, ignore, isIgnored, openExchanges } from './exchange-of-request';
import { weightOf } from './exchange-queue';
import type { HeldExchange } from './exchange-spool';
import { isAsSpooled, isStillSaid } from './held-exchange';
import { HostCost } from './host-cost';
import { isWanted } from './is-wanted';
import { OpenExchange, type ExchangeKeeper, type SeenRequest } from './open-exchange';
import type { OverloadGuard } from './overload-guard';
import type { Recorder } from './recorder';
import type { RecorderOptions } from './recorder-options';
import { sentUrl, splitUrl } from './sent-url';
import type { SessionTable } from './session-table';
import { SpooledAnswers, type WaitingAnswers } from './spooled-answers';

/** What is needed of a recorder. */
export interface WatcherHost extends Recorder {
  readonly options: RecorderOptions;
  readonly clock: Clock;
  readonly budget: OpenBudget;
  readonly writer: EntryWriter;
  readonly overload: OverloadGuard;
  readonly sessions: SessionTable;
  readonly failsClosed: boolean;
  newId(): string;
  /** Starts to open the store, if that has not been done. */
  start(): void;
  onError(error: unknown, where: string): void;
}

/** Bytes that are redacted at one stretch, where many answers are given in one turn: some milliseconds. */
const SPOOLED_IN_A_TURN = 192 * 1024;

/** Follows exchanges from the first sight of a request until the writer has them. */
export class ExchangeWatcher implements ExchangeKeeper {
  readonly #host: WatcherHost;
  readonly #tapTools: TapTools;
  readonly #hostCost = new HostCost();
  readonly #noteFailure = (error: unknown, where: string): void => {
    this.#host.onError(error, where);
  };
  readonly #answers = new SpooledAnswers((waiting) => {
    let isMeasured = false;
    for (const { hostMs } of waiting.keys()) isMeasured ||= hostMs !== undefined;
    const startedAt = isMeasured ? performance.now() : 0;
    const taken = this.#spool(waiting);
    if (isMeasured) {
      const eachMs = (performance.now() - startedAt) / taken.length;
      for (const open of taken) if (open.hostMs !== undefined) open.hostMs += eachMs;
    }
    return taken.length;
  }, this.#noteFailure);
  /** Exchanges that are not over. */
  open = 0;
  /** Exchanges that were over, and were not to be recorded. */
  leftOut = 0;
  /** Whether one of them was somebody's. */
  hasSeenOwner = false;

  /** @param holdsAnswers whether answers wait until their exchange is on the disk, or committed */
  constructor(host: WatcherHost, holdsAnswers: boolean) {
    this.#host = host;
    const { clock, budget } = host;
    this.#tapTools = { clock, budget, onFailure: this.#noteFailure, holdsAnswers };
  }

  /** What the recorder takes of the program's thread for an exchange, in microseconds. */
  get usualMicros(): number | undefined {
    return this.#hostCost.usualMicros;
  }

  /** Begins to watch an exchange; `undefined` when it is not to be recorded. What it throws is counted as lost. */
  begin(seen: SeenRequest): OpenExchange | undefined {
    try {
      if (!this.#hostCost.isTurn()) return this.#begin(seen);
      const startedAt = performance.now();
      const open = this.#begin(seen);
      if (open !== undefined) open.hostMs = performance.now() - startedAt;
      return open;
    } catch (error) {
      this.#host.writer.loseAnswer('internal_error');
      throw error;
    }
  }

  #begin(seen: SeenRequest): OpenExchange | undefined {
    const { request, response, settings } = seen;
    if (isIgnored(request)) return undefined;
    if (settings.wantsPath?.(splitUrl(sentUrl(seen.context, request)).path) === false) {
      // A decorated handler below must not record by itself what was left out here.
      ignore(request);
      return undefined;
    }
    faultPoint('begin');
    this.#host.start();
    const open = new OpenExchange(this.#host.newId(), this.#host, this, seen, this.#noteFailure);
    const startedAt = this.#host.clock.now();
    open.tap = new HttpTap(seen, this.#tapTools, startedAt, open);
    this.open += 1;
    open.clientAddress = attempt(() => settings.clientAddress(request), 'trustedProxies', this.#noteFailure);
    attachExchange(request, open, open.tap.hasEnd);
    if (settings.sessionHeader) {
      announceSession(
        open,
        request,
        response,
        startedAt,
        this.#host.sessions,
        this.#host.clock,
        this.#noteFailure,
      );
    }
    return open;
  }

  /** Takes an exchange that is over. */
  record(exchange: Exchange, held?: HeldExchange): void {
    const { options } = this.#host;
    this.#host.start();
    this.#host.writer.add(exchange, held);
    if (options.debug === true) {
      // Not the path, which is not redacted yet and may hold a secret.
      const { method, endpoint, status } = exchange;
      options.logger?.debug({ method, endpoint, status }, 'captured');
    }
  }

  onEnd(open: OpenExchange): void {
    const before = open.hostMs;
    const startedAt = before === undefined ? 0 : performance.now();
    this.#end(open);
    if (before !== undefined) this.#hostCost.note(before + performance.now() - startedAt);
  }

  onAnswered(open: OpenExchange, answer: AnswerInContext): void {
    if (this.#host.options.durability === 'strict') {
      commitAnswer(open, answer, this.#host, () => this.#buildSoFar(open));
      return;
    }
    this.#answers.hold(open, answer);
    // There the call of `end` itself would wait, which a program that goes on with its response would notice.
    if (open.seen.request.httpVersionMajor >= 2) this.#answers.release();
  }

  /** The program exits in the midst of these, and one of them may be why: records what is known, for at most `timeoutMs`. */
  recordOpen(timeoutMs: number): void {
    const deadline = performance.now() + timeoutMs;
    for (const open of openExchanges()) {
      const isNoted = open.held !== undefined || open.isCommitting || open.isRecordedAtExit;
      if (open.recorder !== this.#host || isNoted) continue;
      if (performance.now() > deadline) return;
      try {
        const exchange = this.#buildSoFar(open, open.tap.atExit());
        if (exchange === undefined) continue;
        open.isRecordedAtExit = true;
        this.#host.writer.add(exchange);
        open.settle(exchange);
      } catch (error) {
        this.#noteFailure(error, 'exit');
      }
    }
  }

  /** Lets answers go out that wait for the end of this turn of the event loop. */
  releaseAnswers(): void {
    this.#answers.release();
  }

  /**
   * Runs in the host's event loop, before the last of the answers goes out: nothing may escape.
   *
   * @returns the first ones, as many as one turn has time for
   */
  #spool(waiting: WaitingAnswers): readonly OpenExchange[] {
    const taken: OpenExchange[] = [];
    try {
      const seen: OpenExchange[] = [];
      const exchanges: Exchange[] = [];
      let weight = 0;
      for (const [open, answer] of waiting) {
        if (weight >= SPOOLED_IN_A_TURN) break;
        taken.push(open);
        const exchange = answer.within(() =>
          attempt(() => this.#buildSoFar(open), 'spool', this.#noteFailure),
        );
        if (exchange === undefined) continue;
        weight += weightOf(exchange);
        seen.push(open);
        exchanges.push(exchange);
      }
      const tickets = this.#host.writer.hold(exchanges);
      exchanges.forEach((exchange, index) => {
        const open = seen[index];
        const ticket = tickets[index];
        if (open === undefined || ticket === undefined) return;
        open.held = { ticket, exchange, entry: open.entry, metadataCount: open.metadata.length };
        // What was decorated within it waits for this, and goes to the disk now as well.
        open.settle(exchange);
      });
    } catch (error) {
      this.#noteFailure(error, 'spool');
    }
    return taken;
  }

  /** The exchange as it is known before its response ends; `undefined` when it is to be left out. */
  #buildSoFar(open: OpenExchange, tapped = open.tap.soFar()): Exchange | undefined {
    const { seen } = open;
    if (isIgnored(seen.request)) return undefined;
    attempt(() => seen.onEnd(open), 'endpoint', this.#noteFailure);
    if (!this.#isWanted(open, tapped)) return undefined;
    const exchange = this.#build(open, tapped);
    if (exchange.owner !== ANONYMOUS) this.hasSeenOwner = true;
    return exchange;
  }

  /** Runs in the host's event loop, after the response: nothing may escape. */
  #end(open: OpenExchange): void {
    this.open -= 1;
    this.#answers.drop(open);
    const { held, seen } = open;
    detachExchange(seen.request, open);
    let built: Exchange | undefined;
    try {
      if (open.isCommitting) {
        open.tap.letGo();
        return;
      }
      const toldMs = isStillSaid(open) ? open.tap.finishAsTold() : undefined;
      if (toldMs !== undefined && held !== undefined) {
        this.record({ ...held.exchange, durationMs: toldMs }, { ticket: held.ticket, isCurrent: true });
        return;
      }
      const tapped = open.tap.finish();
      // What was answered before it came to a route of Recap's stays recorded as it was spooled.
      if (held === undefined && isIgnored(seen.request)) {
        open.settle(undefined);
        return;
      }
      attempt(() => seen.onEnd(open), 'endpoint', this.#noteFailure);
      if (held === undefined && !this.#isWanted(open, tapped)) {
        this.leftOut += 1;
        open.settle(undefined);
        return;
      }
      if (held === undefined && this.#host.overload.policy.step === 3) {
        // Nothing of it would be kept: it is not even put together.
        this.#host.overload.policy.noteExchange();
        this.#host.writer.lose('lag');
        open.settle(undefined);
        return;
      }
      const exchange = isStillSaid(open) ? { ...open.held.exchange, ...tapped } : this.#build(open, tapped);
      if (exchange.owner !== ANONYMOUS) this.hasSeenOwner = true;
      built = exchange;
    } catch (error) {
      this.#noteFailure(error, 'capture');
      if (held === undefined) this.#host.writer.lose('internal_error');
      else this.#host.writer.leaveToSpool(held.ticket);
      open.tap.letGo();
    }
    this.#take(open, built);
  }

  /** From here on the writer counts the exchange. */
  #take(open: OpenExchange, built: Exchange | undefined): void {
    const { held } = open;
    try {
      if (built !== undefined) {
        const isCurrent = isStillSaid(open) && isAsSpooled(open.held.exchange, built);
        this.record(built, held && { ticket: held.ticket, isCurrent });
      }
    } catch (error) {
      this.#noteFailure(error, 'record');
    }
    // Of one that is left out, those who wait are told as well.
    attempt(() => open.settle(built), 'settle', this.#noteFailure);
  }

  #build(open: OpenExchange, tapped: TappedExchange): Exchange {
    const exchange = buildExchange(open, tapped, open.seen.request, this.#noteFailure);
    // The program did not exit after all, and what was recorded of its midst is no longer so.
    return open.isRecordedAtExit ? { ...exchange, isCorrection: true } : exchange;
  }

  #isWanted(open: OpenExchange, tapped: TappedExchange): boolean {
    return isWanted(open, tapped, this.#host.options.random ?? Math.random, this.#noteFailure);
  }
}
