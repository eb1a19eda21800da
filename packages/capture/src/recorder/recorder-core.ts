import type { Clock } from '@recap/storage';
import { faultPoint } from '../fault-point';
import type { NormalizeEndpoint } from '../entries/endpoint-key';
import { createEndpointNormalizer } from '../entries/endpoint-key';
import type { EntryStore } from '../entries/entry-store';
import type { Exchange } from '../exchange';
import { HttpTap, type TappedExchange } from '../tap/http-tap';
import type { TapTools } from '../tap/tap-target';
import { OpenBudget } from '../tap/open-budget';
import { announceSession } from './announce-session';
import { ANONYMOUS, attempt, buildExchange } from './build-exchange';
import { commitAnswer } from './commit-answer';
import type { CaptureOptions } from './capture-options';
import type { CaptureSettings } from './capture-settings';
import { resolveCaptureSettings } from './capture-settings';
import { closeStore } from './close-store';
import { isAsSpooled, isStillSaid } from './held-exchange';
import { EntryWriter } from './entry-writer';
import { FailureLog } from './failure-log';
import { FlushFigures } from './flush-figures';
import { HostCost } from './host-cost';
import { isWanted } from './is-wanted';
import { attachExchange, detachExchange, ignore, isIgnored } from './exchange-of-request';
import { OpenExchange, type ExchangeKeeper, type SeenRequest } from './open-exchange';
import type { ExchangeSpool, HeldExchange } from './exchange-spool';
import { OverloadGuard } from './overload-guard';
import { pipelineHere } from './default-pipeline';
import type { Pipeline } from './pipeline';
import type { RecorderOptions } from './recorder-options';
import type { Recorder, RecorderStats } from './recorder';
import { RECORDER_DEFAULTS } from './recorder-options';
import { sentUrl, splitUrl } from './sent-url';
import { SessionTable } from './session-table';
import { StoreOpening } from './store-opening';

const MAX_RECENT_SESSIONS = 10_000;
/** What closing the store may take although the time for writing is over. */
const MIN_CLOSING_MS = 500;
/** The recorder as the adapters, the router and retention see it. */
export class RecorderCore implements Recorder {
  readonly store: EntryStore;
  readonly clock: Clock;
  readonly options: RecorderOptions;
  readonly sessionMaxAgeMs: number;
  readonly normalizeEndpoint: NormalizeEndpoint;
  readonly failures: FailureLog;
  readonly writer: EntryWriter;
  readonly sessions: SessionTable;
  readonly overload: OverloadGuard;
  readonly #newId: () => string;
  readonly #noteFailure = (error: unknown, where: string): void => {
    this.failures.note(error, where);
  };
  /** For what is open: bodies of exchanges, and what goes through the results of calls. */
  readonly budget: OpenBudget;
  readonly #ownsOwner: boolean;
  readonly #hasWorker: boolean;
  readonly #tapTools: TapTools;
  readonly #keeper: ExchangeKeeper = {
    onEnd: (open) => {
      const before = open.hostMs;
      const startedAt = before === undefined ? 0 : performance.now();
      this.#end(open);
      if (before !== undefined) this.#hostCost.note(before + performance.now() - startedAt);
    },
    onAnswered: (open, answer) => {
      if (this.#holdsAnswers) commitAnswer(open, answer, this, () => this.#buildSoFar(open));
      else {
        this.#hold(open);
        // Within the program's call of `end`.
        attempt(
          () => {
            answer.release();
          },
          'release',
          this.#noteFailure,
        );
      }
    },
  };
  readonly #spool: ExchangeSpool | undefined;
  readonly #spoolsAll: boolean;
  /** `strict`: answers wait for their commit. */
  readonly #holdsAnswers: boolean;
  readonly #cleanups: (() => Promise<void> | void)[] = [];
  readonly #onWritten: (() => void)[] = [];
  readonly #opening: StoreOpening;
  #closing: Promise<void> | undefined;
  #hasSeenOwner = false;
  #announcesSessions = false;
  #open = 0;
  #leftOut = 0;
  #evicted = 0;
  readonly #hostCost = new HostCost();
  readonly flushes = new FlushFigures();
  readonly #onClosed: (() => void)[] = [];
  /** Set by whoever keeps the store's lifetime rules. */
  sweepNow: () => Promise<{ deletedEntries: number; deletedSessions: number }> = () =>
    Promise.resolve({ deletedEntries: 0, deletedSessions: 0 });

  /** @param pipeline default: one in this thread, into `store` */
  constructor(
    options: RecorderOptions,
    store: EntryStore,
    clock: Clock,
    newId: () => string,
    pipeline?: Pipeline,
    spool?: ExchangeSpool,
  ) {
    this.options = options;
    this.store = store;
    this.clock = clock;
    this.#newId = newId;
    this.#ownsOwner = options.owner !== undefined;
    this.#hasWorker = pipeline !== undefined;
    this.#spool = spool;
    this.#spoolsAll = spool !== undefined && options.durability === 'spooled';
    this.#holdsAnswers = options.durability === 'strict';
    this.normalizeEndpoint = createEndpointNormalizer(options.endpoints);
    this.failures = new FailureLog(options.logger, options.onError);
    this.budget = new OpenBudget(options.maxOpenBytes ?? RECORDER_DEFAULTS.maxOpenBytes);
    this.#tapTools = {
      clock,
      budget: this.budget,
      onFailure: this.#noteFailure,
      holdsAnswers: this.#spoolsAll || this.#holdsAnswers,
    };
    this.sessionMaxAgeMs = (options.sessionMaxAgeHours ?? RECORDER_DEFAULTS.sessionMaxAgeHours) * 3_600_000;
    this.sessions = new SessionTable(this.sessionMaxAgeMs, newId);
    this.overload = new OverloadGuard(this, newId, spool);
    this.#opening = new StoreOpening(() => this.#openStore(), this.overload.breaker, this.#noteFailure);
    this.writer = new EntryWriter({
      pipeline: pipeline ?? pipelineHere(options, store, this.#noteFailure),
      flushIntervalMs: options.flushIntervalMs ?? RECORDER_DEFAULTS.flushIntervalMs,
      onFailure: this.#noteFailure,
      onLoss: this.overload.onLoss,
      policy: this.overload.policy,
      breaker: this.overload.breaker,
      tellsPlaces: () => this.#announcesSessions,
      spool,
      spoolsAll: this.#spoolsAll,
      commitTimeoutMs: this.#holdsAnswers
        ? (options.strictTimeoutMs ?? RECORDER_DEFAULTS.strictTimeoutMs)
        : undefined,
      onDone: (outcome, tookMs) => {
        this.flushes.note(outcome, tookMs);
        // The writer has found out that the store is there.
        if (!this.isOpen) this.start();
        for (const { claim, sessionId, startedAt, endedAt } of outcome.placed) {
          this.sessions.note(claim, sessionId, startedAt, endedAt);
        }
        if (this.options.debug === true) this.options.logger?.debug({ entries: outcome.stored }, 'stored');
      },
    });
  }

  /** Capture settings of one mount: its own options over the recorder's. */
  settings(own: CaptureOptions = {}): CaptureSettings {
    const settings = resolveCaptureSettings(this.options, own);
    if (own.owner !== undefined) this.#hasSeenOwner = true;
    if (settings.sessionHeader && !this.#announcesSessions) {
      this.#announcesSessions = true;
      if (this.isOpen) {
        this.#loadSessions().catch((error: unknown) => {
          this.failures.note(error, 'recentSessions');
        });
      }
    }
    return settings;
  }

  ready(): Promise<void> {
    return this.#opening.ready();
  }

  /** Starts to open the store, if that has not been done; its failure is told, not thrown. */
  start(): void {
    this.#opening.start();
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
      this.writer.loseAnswer('internal_error');
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
    this.start();
    const open = new OpenExchange(this.#newId(), this, this.#keeper, seen, this.#noteFailure);
    const startedAt = this.clock.now();
    open.tap = new HttpTap(seen, this.#tapTools, startedAt, open);
    this.#open += 1;
    open.clientAddress = attempt(() => settings.clientAddress(request), 'trustedProxies', this.#noteFailure);
    attachExchange(request, open, open.tap.hasEnd);
    if (settings.sessionHeader) {
      announceSession(open, request, response, startedAt, this.sessions, this.clock, this.#noteFailure);
    }
    return open;
  }

  /** Takes an exchange that is over. */
  record(exchange: Exchange, held?: HeldExchange): void {
    this.start();
    this.writer.add(exchange, held);
    if (this.options.debug === true) {
      // Not the path, which is not redacted yet and may hold a secret.
      const { method, endpoint, status } = exchange;
      this.options.logger?.debug({ method, endpoint, status }, 'captured');
    }
  }

  newId(): string {
    return this.#newId();
  }

  /** Opens the store when nothing has done so yet, and gives it a moment. */
  isReady(): boolean | Promise<boolean> {
    return this.#opening.isReady();
  }

  get isOpen(): boolean {
    return this.#opening.isOpen;
  }

  /** Whether no answer may go out of which nothing is recorded. */
  get failsClosed(): boolean {
    return this.#holdsAnswers && this.options.onStrictFailure !== 'fail-open';
  }

  knowsOwners(): boolean {
    return this.#ownsOwner || this.#hasSeenOwner;
  }

  isDegraded(): boolean {
    return this.writer.isInTrouble || this.overload.policy.step > 0;
  }

  onError(error: unknown, where: string): void {
    this.failures.note(error, where);
  }

  noteEvicted(entries: number): void {
    this.#evicted += entries;
  }

  /** Called once, when the recorder closes, before the store does. */
  onClose(cleanup: () => Promise<void> | void): void {
    this.#cleanups.push(cleanup);
  }

  /** Called once, when the recorder closes, after the last entry is written. */
  onWritten(callback: () => void): void {
    this.#onWritten.push(callback);
  }

  /** Called once, when the recorder is closed and its figures are final. */
  onClosed(callback: () => void): void {
    this.#onClosed.push(callback);
  }

  stats(): RecorderStats & Readonly<Record<string, unknown>> {
    return {
      ...this.writer.counts,
      leftOut: this.#leftOut,
      open: this.#open,
      ...this.flushes.stats,
      microsPerExchange: this.#hostCost.usualMicros ?? null,
      internalErrors: this.failures.count,
      evicted: this.#evicted,
      pausedFor: this.writer.pausedFor ?? null,
      leavingOut: this.overload.leavingOut,
      worker: this.#hasWorker,
    };
  }

  async flush(): Promise<void> {
    await this.ready();
    await this.writer.flush();
    await this.overload.gaps.flush();
  }

  async sweep(): Promise<{ readonly deletedEntries: number; readonly deletedSessions: number }> {
    await this.ready();
    return this.sweepNow();
  }

  close({ timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#opening.stop();
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #openStore(): Promise<void> {
    faultPoint('open');
    await this.store.open();
    if (this.#announcesSessions) await this.#loadSessions();
    this.#spool?.start(() => this.writer.isTrying);
    this.overload.takeLeftGaps();
  }

  async #loadSessions(): Promise<void> {
    const since = this.clock.now() - this.sessionMaxAgeMs;
    const recent = await this.store.recentSessions(since, MAX_RECENT_SESSIONS);
    // A database server may be shared with other processes, whose new sessions are not known here.
    this.sessions.load(recent, this.store.kind !== 'postgres');
  }

  async #close(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (const cleanup of this.#cleanups) await cleanup();
    await this.writer.close(timeoutMs);
    for (const callback of this.#onWritten) callback();
    const leftMs = (): number => Math.max(deadline - performance.now(), MIN_CLOSING_MS);
    await this.overload.close(leftMs());
    this.#opening.close();
    try {
      await this.#spool?.close();
      await closeStore(this.store, leftMs(), this.#noteFailure);
    } finally {
      for (const callback of this.#onClosed) callback();
    }
  }

  /** Runs in the host's event loop, before the last of the answer goes out: nothing may escape. */
  #hold(open: OpenExchange): void {
    if (open.held !== undefined) return;
    try {
      const exchange = this.#buildSoFar(open);
      if (exchange === undefined) return;
      const ticket = this.writer.hold(exchange);
      if (ticket === undefined) return;
      open.held = { ticket, exchange, entry: open.entry, metadataCount: open.metadata.length };
      // What was decorated within it waits for this, and goes to the disk now as well.
      open.settle(exchange);
    } catch (error) {
      this.failures.note(error, 'spool');
    }
  }

  /** The exchange as it is known before its response ends; `undefined` when it is to be left out. */
  #buildSoFar(open: OpenExchange): Exchange | undefined {
    const { seen } = open;
    if (isIgnored(seen.request)) return undefined;
    const tapped = open.tap.soFar();
    attempt(() => seen.onEnd(open), 'endpoint', this.#noteFailure);
    if (!this.#isWanted(open, tapped)) return undefined;
    const exchange = buildExchange(open, tapped, seen.request, this.#noteFailure);
    if (exchange.owner !== ANONYMOUS) this.#hasSeenOwner = true;
    return exchange;
  }

  /** Runs in the host's event loop, after the response: nothing may escape. */
  #end(open: OpenExchange): void {
    this.#open -= 1;
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
      if (isIgnored(seen.request)) {
        open.settle(undefined);
        return;
      }
      attempt(() => seen.onEnd(open), 'endpoint', this.#noteFailure);
      if (held === undefined && !this.#isWanted(open, tapped)) {
        this.#leftOut += 1;
        open.settle(undefined);
        return;
      }
      if (held === undefined && this.overload.policy.step === 3) {
        // Nothing of it would be kept: it is not even put together.
        this.overload.policy.noteExchange();
        this.writer.lose('lag');
        open.settle(undefined);
        return;
      }
      const exchange = isStillSaid(open)
        ? { ...open.held.exchange, ...tapped }
        : buildExchange(open, tapped, seen.request, this.#noteFailure);
      if (exchange.owner !== ANONYMOUS) this.#hasSeenOwner = true;
      built = exchange;
    } catch (error) {
      this.failures.note(error, 'capture');
      if (held === undefined) this.writer.lose('internal_error');
      else this.writer.leaveToSpool(held.ticket);
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
      this.failures.note(error, 'record');
    }
    // Of one that is left out, those who wait are told as well.
    attempt(() => open.settle(built), 'settle', this.#noteFailure);
  }

  #isWanted(open: OpenExchange, tapped: TappedExchange): boolean {
    return isWanted(open, tapped, this.options.random ?? Math.random, this.#noteFailure);
  }
}
