import type { Clock } from '@recap/storage';
import { faultPoint } from '../fault-point';
import type { NormalizeEndpoint } from '../entries/endpoint-key';
import { createEndpointNormalizer } from '../entries/endpoint-key';
import type { EntryStore } from '../entries/entry-store';
import type { Exchange } from '../exchange';
import { OpenBudget } from '../tap/open-budget';
import type { CaptureOptions } from './capture-options';
import type { CaptureSettings } from './capture-settings';
import { resolveCaptureSettings } from './capture-settings';
import { closeStore } from './close-store';
import { EntryWriter } from './entry-writer';
import { ExchangeWatcher } from './exchange-watcher';
import { FailureLog } from './failure-log';
import { FlushFigures } from './flush-figures';
import type { OpenExchange, SeenRequest } from './open-exchange';
import type { ExchangeSpool, HeldExchange } from './exchange-spool';
import { OverloadGuard } from './overload-guard';
import { pipelineHere } from './default-pipeline';
import type { Pipeline } from './pipeline';
import type { RecorderOptions } from './recorder-options';
import type { Recorder, RecorderStats } from './recorder';
import { RECORDER_DEFAULTS } from './recorder-options';
import { SessionTable } from './session-table';
import { StoreOpening } from './store-opening';

const MAX_RECENT_SESSIONS = 10_000;
/** What closing the store may take although the time for writing is over. */
const MIN_CLOSING_MS = 500;
const CLOSING_MS = 10_000;

/** The recorder as the adapters, the router and retention see it. */
export class RecorderCore implements Recorder {
  readonly store: EntryStore;
  readonly clock: Clock;
  readonly options: RecorderOptions;
  readonly sessionMaxAgeMs: number;
  readonly normalizeEndpoint: NormalizeEndpoint;
  readonly failures: FailureLog;
  readonly writer: EntryWriter;
  readonly exchanges: ExchangeWatcher;
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
  #evicted = 0;
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
    this.exchanges = new ExchangeWatcher(this, this.#spoolsAll || this.#holdsAnswers);
  }

  /** Begins to watch an exchange; `undefined` when it is not to be recorded. What it throws is counted as lost. */
  begin(seen: SeenRequest): OpenExchange | undefined {
    return this.exchanges.begin(seen);
  }

  /** Takes an exchange that is over. */
  record(exchange: Exchange, held?: HeldExchange): void {
    this.exchanges.record(exchange, held);
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
    return this.#ownsOwner || this.#hasSeenOwner || this.exchanges.hasSeenOwner;
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
      leftOut: this.exchanges.leftOut,
      open: this.exchanges.open,
      ...this.flushes.stats,
      microsPerExchange: this.exchanges.usualMicros ?? null,
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

  close(options?: { readonly timeoutMs?: number }): Promise<void> {
    this.#opening.stop();
    this.#closing ??= this.#close(closingMs(options?.timeoutMs));
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
    // Given while it was open.
    this.exchanges.releaseAnswers();
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
}

/** A recorder closes whatever it is given: a program that ends could do nothing about a refusal. */
function closingMs(timeoutMs: unknown): number {
  return typeof timeoutMs === 'number' && timeoutMs >= 0 ? timeoutMs : CLOSING_MS;
}
