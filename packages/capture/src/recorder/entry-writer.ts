import { performance } from 'node:perf_hooks';
import { faultPoint } from '../fault-point';
import type { Exchange } from '../exchange';
import { Admission } from './admission';
import { atEndOfTurn } from './at-end-of-turn';
import type { BatchOutcome, ShedReason } from './batch-processor';
import { CommitLane, type AnswerWaiter } from './commit-lane';
import { entryCounts, type EntryCounts } from './entry-counts';
import type { EntryWriterOptions } from './entry-writer-options';
import { takeAll, type Batch } from './exchange-queue';
import type { HeldExchange, SpoolTicket } from './exchange-spool';
import { LossCounts } from './loss-counts';
import type { Pipeline } from './pipeline';
import { QueuedTickets } from './queued-tickets';
import type { RetryBreaker } from './retry-breaker';
import { spoolRest, spoolRestNow } from './spool-rest';
import { tryUntil } from './try-until';

/** Of the time at the end of the program, for the store; the rest is for the spool. */
const HAND_OVER_SHARE = 0.6;

/**
 * Gets exchanges stored in batches, in the order they ended. The one place that knows which of them are
 * queued, spooled, stored or shed: `captured = stored + queued + spooled + shed` holds at any moment.
 */
export class EntryWriter<Taken extends Batch = Batch> {
  readonly #options: EntryWriterOptions<Taken>;
  readonly #pipeline: Pipeline<Taken>;
  readonly #losses: LossCounts;
  readonly #breaker: RetryBreaker;
  readonly #admission: Admission;
  readonly #underWay = new Map<Taken, Promise<void>>();
  /** Batches that failed and are tried again, before any other. */
  #returned: Taken[] = [];
  /** Exchanges in batches that were taken from the queue. */
  #takenCount = 0;
  readonly #tickets: QueuedTickets<Taken>;
  readonly #lane: CommitLane<Taken> | undefined;
  #captured = 0;
  #stored = 0;
  #timer: NodeJS.Timeout | undefined;
  #pausedFor: ShedReason | undefined;
  #lastFailure: { readonly error: unknown } | undefined;
  #isClosed = false;
  #isAbandoned = false;
  /** Exchanges that are given up, and not spooled yet. */
  #leaving = 0;
  /** Names of exchanges in memory that were spooled as well when the program was about to exit. */
  readonly #spooledAtExit = new Set<string>();

  constructor(options: EntryWriterOptions<Taken>) {
    this.#options = options;
    this.#pipeline = options.pipeline;
    this.#breaker = options.breaker;
    this.#losses = new LossCounts(options.onLoss);
    const { pipeline, spool, spoolsAll = false, breaker, policy, onFailure, commitTimeoutMs } = options;
    this.#tickets = new QueuedTickets(spoolsAll);
    this.#admission = new Admission({
      queue: pipeline.queue,
      spool,
      spoolsAll,
      breaker,
      policy,
      losses: this.#losses,
      shedOldest: () => {
        this.#shedOldest();
      },
      onFailure,
    });
    if (commitTimeoutMs === undefined) return;
    this.#lane = new CommitLane({
      pipeline,
      tellsPlaces: options.tellsPlaces,
      onFailure,
      timeoutMs: commitTimeoutMs,
      onDone: this.#countOutcome,
      onLeft: (exchange, mayCome) => {
        if (mayCome && exchange.isCorrection === true) this.#correct(exchange);
        else this.#enqueue(exchange);
      },
      onLost: this.#countShed,
    });
  }

  get counts(): EntryCounts {
    const spooledToo = this.#tickets.count + this.#spooledAtExit.size;
    const inMemory = this.#waiting - spooledToo + (this.#lane?.waiting ?? 0);
    return entryCounts({
      captured: this.#captured,
      queued: this.#isAbandoned ? this.#leaving : inMemory,
      stored: this.#stored,
      losses: this.#losses,
      spool: this.#options.spool,
      lane: this.#lane,
    });
  }

  /** Whether something is left to do before the program may end. */
  get hasWork(): boolean {
    const spooled = this.#options.spool?.counts.spooled ?? 0;
    return this.#waiting > 0 || (this.#lane?.waiting ?? 0) > 0 || spooled > this.#admission.held;
  }

  /** True while the last attempt to write failed. */
  get isFailing(): boolean {
    return this.#breaker.isFailing;
  }

  /** True while what is recorded is not stored as it should be. */
  get isInTrouble(): boolean {
    return this.isFailing || this.#lane?.isFailing === true || this.#pausedFor !== undefined;
  }

  /** True while it finds out whether a store that failed is back. */
  get isTrying(): boolean {
    return this.#breaker.isFailing && this.#waiting > 0 && !this.#isClosed;
  }

  get pausedFor(): ShedReason | undefined {
    return this.#pausedFor;
  }

  /** Spools exchanges that are about to be over; `undefined` for those with which that is not wanted or cannot be. */
  hold(exchanges: readonly Exchange[]): readonly (SpoolTicket | undefined)[] {
    // While it closes, the spool is still there.
    if (this.#pausedFor !== undefined) return [];
    return this.#admission.hold(exchanges, () => {
      this.#captured += 1;
    });
  }

  /** What was held is not told of again: it is stored as it was spooled. */
  leaveToSpool(ticket: SpoolTicket): void {
    this.#admission.leaveHeld(ticket);
  }

  /** Commits an exchange for which somebody waits, sooner or later than those that were added. */
  commit(exchange: Exchange, waiter: AnswerWaiter): void {
    this.#captured += 1;
    this.#lane?.commit(exchange, waiter, this.#refusal);
  }

  add(exchange: Exchange, held?: HeldExchange): void {
    if (held === undefined) this.#captured += 1;
    if (this.#refusal === undefined && this.#lane?.take(exchange) === true) return;
    this.#enqueue(exchange, held);
  }

  get #refusal(): ShedReason | undefined {
    return this.#isClosed ? 'closed' : this.#pausedFor;
  }

  #enqueue(exchange: Exchange, held?: HeldExchange): void {
    const placed = this.#admission.place(exchange, held, this.#refusal);
    const { reason } = placed;
    let { ticket } = placed;
    if (reason === undefined) {
      this.#tickets.add(ticket);
      if (this.#breaker.isFailing || !this.#startReady()) this.#schedule(this.#options.flushIntervalMs);
      return;
    }
    // While it closes, the spool is still there.
    if (reason === 'closed' && !this.#isAbandoned) ticket ??= this.#admission.leave(exchange);
    if (ticket === undefined) this.#countShed(reason);
    else this.#options.spool?.defer(ticket);
  }

  /** What may be wrong in the store by now is put right even if this process ends before that is done. */
  #correct(exchange: Exchange): void {
    const ticket = this.#isAbandoned ? undefined : this.#admission.leave(exchange);
    if (ticket === undefined) this.#enqueue(exchange);
    else this.#options.spool?.defer(ticket);
  }

  /** Takes steps of the overload back when there is room again. */
  refreshSteps(): void {
    this.#admission.refresh();
  }

  /** Sheds the oldest batch that nobody has begun to store. */
  #shedOldest(): void {
    const taken = this.#pipeline.queue.take();
    if (taken === undefined) return;
    this.#tickets.take(taken);
    const tickets = this.#tickets.drop(taken);
    for (const ticket of tickets) this.#options.spool?.defer(ticket);
    this.#pipeline.queue.release(taken);
    this.#countShed('queue_full', taken.size - tickets.length);
  }

  /** Counts an exchange that never came to be one, and whose answer was to wait for it where answers wait. */
  loseAnswer(reason: ShedReason): void {
    this.lose(reason);
    this.#lane?.countFailure(reason);
  }

  /** Counts an exchange that never came to be one. */
  lose(reason: ShedReason): void {
    this.#captured += 1;
    this.#countShed(reason);
  }

  /** New exchanges are shed for this reason until told otherwise; what is queued is still written. */
  pause(reason: ShedReason | undefined): void {
    this.#pausedFor = reason;
  }

  /**
   * Writes what is queued or spooled now without waiting for the interval.
   *
   * @throws what the store failed with; the exchanges stay queued then.
   */
  async flush(): Promise<void> {
    await this.#lane?.drain();
    while (this.#waiting > 0) {
      this.#lastFailure = undefined;
      this.#startAll();
      await Promise.all(this.#underWay.values());
      // Set meanwhile; the compiler only sees that it was taken away above.
      const failure = this.#lastFailure as { readonly error: unknown } | undefined;
      if (failure !== undefined) throw failure.error;
    }
    await this.#options.spool?.drain();
  }

  /** Takes no more, writes what is queued for at most `timeoutMs`, and spools the rest or, where that cannot be, sheds it. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    await tryUntil(
      performance.now() + timeoutMs,
      () => this.hasWork,
      () => this.flush(),
    );
    this.#lane?.giveUp('closed');
    clearTimeout(this.#timer);
    // A write that still hangs may succeed yet, but it has been given up by then.
    const left = this.#takeRest();
    this.#leaving = left.length;
    this.#isAbandoned = true;
    await spoolRest(left, this.#options.spool, this.#options.onFailure, (isSpooled) => {
      this.#leaving -= 1;
      if (!isSpooled) this.#countShed('closed');
    });
  }

  /**
   * The program is about to exit and nothing asynchronous happens any more: hands over what waits, if the pipeline
   * can, and leaves to the spool what is not stored.
   */
  handOver(timeoutMs: number): void {
    if (this.#isAbandoned) return;
    if (this.#waiting + (this.#lane?.waiting ?? 0) === 0) return;
    const deadline = performance.now() + timeoutMs;
    const begin = (): void => {
      while (this.#start(this.#next()));
      this.#lane?.beginAll();
    };
    if (!this.isFailing && this.#pipeline.handOver?.(begin, timeoutMs * HAND_OVER_SHARE) === true) return;
    const waiting: Taken[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) waiting.push(next);
    this.#returned = waiting;
    const batches = [...this.#underWay.keys(), ...waiting, ...(this.#lane?.batches ?? [])];
    const left = this.#unspooled(batches);
    const tickets = spoolRestNow(left, this.#options.spool, deadline, this.#spooledAtExit);
    // Never comes, unless somebody but Node has told of an exit.
    atEndOfTurn(() => {
      for (const name of tickets.keys()) this.#spooledAtExit.delete(name);
      this.#options.spool?.done([...tickets.values()]);
      this.#goOn();
    });
  }

  /** The last call before the program exits. */
  standStill(): void {
    this.#pipeline.standStill?.();
  }

  /** All that is in memory only. */
  #takeRest(): Exchange[] {
    const batches = [...this.#underWay.keys(), ...this.#returned, ...takeAll(this.#pipeline.queue)];
    this.#returned = [];
    return this.#unspooled(batches);
  }

  #unspooled(batches: readonly Taken[]): Exchange[] {
    return batches.flatMap((batch) => this.#tickets.unspooled(batch, this.#pipeline.unpack(batch)));
  }

  /** Exchanges in memory, spooled as well or not. */
  get #waiting(): number {
    return this.#isAbandoned ? 0 : this.#pipeline.queue.length + this.#takenCount;
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // What came meanwhile must not hurry a store that is away.
      if (this.#breaker.mayTry) this.#startAll();
      else this.#schedule(this.#breaker.waitMs);
    }, delayMs);
    // A program that has nothing else to do may end; its `beforeExit` writes what is left.
    this.#timer.unref();
  }

  /** Starts on whatever waits, full batch or not. */
  #startAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#hasRoom && this.#start(this.#next()));
  }

  /** Starts on a batch if there is reason to. @returns whether it has started */
  #startReady(): boolean {
    const isReady = this.#pipeline.queue.hasFullBatch || this.#returned.length > 0;
    return isReady && this.#hasRoom && this.#start(this.#next());
  }

  /** After a failure one batch alone finds out whether the store is back. */
  get #hasRoom(): boolean {
    return this.#underWay.size < (this.#breaker.isFailing ? 1 : this.#pipeline.concurrency);
  }

  #next(): Taken | undefined {
    const returned = this.#returned.shift();
    if (returned !== undefined) return returned;
    const taken = this.#pipeline.queue.take();
    if (taken === undefined) return undefined;
    this.#takenCount += taken.size;
    this.#tickets.take(taken);
    return taken;
  }

  #start(batch: Taken | undefined): boolean {
    if (batch === undefined) return false;
    this.#underWay.set(batch, this.#work(batch));
    return true;
  }

  /** Never rejects. */
  async #work(batch: Taken): Promise<void> {
    const failuresBefore = this.#breaker.failures;
    const startedAt = performance.now();
    try {
      const outcome = await this.#pipeline.process(batch, this.#options.tellsPlaces());
      this.#underWay.delete(batch);
      this.#settle(batch, outcome, performance.now() - startedAt);
      this.#breaker.noteSuccess();
    } catch (error) {
      this.#underWay.delete(batch);
      if (this.#isAbandoned) return;
      this.#returned.push(batch);
      this.#breaker.noteFailure(failuresBefore);
      this.#lastFailure = { error };
      this.#options.onFailure(error, 'store.append');
    }
    this.#goOn();
  }

  #goOn(): void {
    if (this.#isClosed || this.#waiting === 0) return;
    if (this.#breaker.isFailing) this.#schedule(this.#breaker.waitMs);
    else {
      while (this.#startReady());
      if (this.#pipeline.queue.length > 0) this.#schedule(this.#options.flushIntervalMs);
    }
  }

  #settle(batch: Taken, outcome: BatchOutcome, tookMs: number): void {
    this.#pipeline.queue.release(batch);
    if (this.#isAbandoned) return;
    this.#takenCount -= batch.size;
    const tickets = this.#tickets.drop(batch);
    if (tickets.length > 0) this.#options.spool?.done(tickets);
    this.#countOutcome(outcome, tookMs);
  }

  readonly #countOutcome = (outcome: BatchOutcome, tookMs: number): void => {
    this.#stored += outcome.stored;
    this.#countShed('poison', outcome.poison);
    this.#countShed('internal_error', outcome.unprepared);
    for (const { error, where } of outcome.failures) this.#options.onFailure(error, where);
    this.#admission.refresh();
    try {
      faultPoint('stored');
      this.#options.onDone(outcome, tookMs);
    } catch (error) {
      this.#options.onFailure(error, 'stored');
    }
  };

  readonly #countShed = (reason: ShedReason, count = 1): void => {
    this.#losses.count('exchanges', reason, count);
  };
}
