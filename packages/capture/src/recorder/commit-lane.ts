import { StorageError } from '@recap/storage';
import { faultPoint } from '../fault-point';
import type { Exchange } from '../exchange';
import { atEndOfTurn } from './at-end-of-turn';
import type { BatchOutcome, ShedReason } from './batch-processor';
import { takeAll, type Batch, type BatchQueue } from './exchange-queue';
import type { Pipeline } from './pipeline';

/** Why an exchange is not committed when its answer is to go out. */
export type CommitFailure = 'commit_failed' | 'timeout' | ShedReason;

/** Who waits for the commit of one exchange before its answer goes out. */
export interface AnswerWaiter {
  onCommitted(): void;
  /** The exchange as it is when it could not be committed, to be recorded without anybody waiting. */
  left(): Exchange;
  /** Called when that is taken care of. */
  onFailed(): void;
}

export interface CommitLaneOptions<Taken extends Batch> {
  readonly pipeline: Pipeline<Taken>;
  /** How long an exchange waits at most. */
  readonly timeoutMs: number;
  readonly tellsPlaces: () => boolean;
  readonly onDone: (outcome: BatchOutcome, tookMs: number) => void;
  readonly onFailure: (error: unknown, where: string) => void;
  /**
   * Takes an exchange that could not be committed in time.
   *
   * @param mayCome whether its commit was under way, and may have come through, or come through yet
   */
  readonly onLeft: (exchange: Exchange, mayCome: boolean) => void;
  /** Told of an exchange that cannot even be queued. */
  readonly onLost: (reason: ShedReason) => void;
}

interface Waiting {
  readonly exchange: Exchange;
  /** `undefined`: nobody waits for this one. */
  readonly waiter: AnswerWaiter | undefined;
  readonly since: number;
}

/** Of one that was under way when a worker died or a connection broke, one more attempt is worth the time. */
const ATTEMPTS = 2;

/**
 * Commits exchanges for which somebody waits. All that wait at one moment share a commit: the next begins when the
 * one before is back, or at the end of this turn of the event loop.
 */
export class CommitLane<Taken extends Batch = Batch> {
  readonly #options: CommitLaneOptions<Taken>;
  readonly #queue: BatchQueue<Taken>;
  /** In the queue, in its order. */
  #queued: Waiting[] = [];
  /** Batches that were taken from the queue and are not under way. */
  #taken: Taken[] = [];
  /** Under way; a batch that was given up is no longer in it. */
  readonly #underWay = new Map<Taken, Waiting[]>();
  /** Batches whose store has not answered, whoever waits for them. */
  #busy = 0;
  #isScheduled = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #failures = new Map<CommitFailure, number>();
  #onIdle: (() => void)[] = [];
  #isFailing = false;

  constructor(options: CommitLaneOptions<Taken>) {
    this.#options = options;
    this.#queue = options.pipeline.newQueue();
  }

  /** Exchanges that wait for their commit. */
  get waiting(): number {
    let count = this.#queued.length;
    for (const batch of this.#underWay.values()) count += batch.length;
    return count;
  }

  /** True while the last commit failed, or was not there in time. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Answers whose exchange was not committed in time, by reason. */
  get failures(): Partial<Record<CommitFailure, number>> {
    return Object.fromEntries(this.#failures);
  }

  /** Counts an answer that was not even to be committed. */
  countFailure(reason: CommitFailure): void {
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
  }

  /** @param refusal why nothing is taken at this moment */
  commit(exchange: Exchange, waiter: AnswerWaiter, refusal: ShedReason | undefined): void {
    const reason = refusal ?? this.#offer({ exchange, waiter, since: performance.now() });
    if (reason !== undefined) this.#fail({ exchange, waiter, since: 0 }, reason, false);
  }

  /** Commits with the others what nobody waits for. @returns whether it is taken care of */
  take(exchange: Exchange): boolean {
    const reason = this.#offer({ exchange, waiter: undefined, since: performance.now() });
    return reason === undefined || reason === 'internal_error';
  }

  #offer(waiting: Waiting): ShedReason | undefined {
    try {
      faultPoint('queue');
      if (!this.#queue.offer(waiting.exchange)) return 'queue_full';
    } catch (error) {
      this.#options.onFailure(error, 'queue');
      this.#options.onLost('internal_error');
      return 'internal_error';
    }
    this.#queued.push(waiting);
    this.#watchTime();
    this.#schedule();
    return undefined;
  }

  #fail({ exchange, waiter }: Waiting, reason: CommitFailure, mayCome: boolean): void {
    if (waiter !== undefined) this.countFailure(reason);
    // What is refused for what it is has been counted, and would be refused again.
    if (reason !== 'poison' && reason !== 'internal_error') {
      this.#options.onLeft(waiter === undefined ? exchange : waiter.left(), mayCome);
    }
    waiter?.onFailed();
  }

  /** Resolves once nothing waits. */
  async drain(): Promise<void> {
    if (this.waiting === 0) return;
    await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Lets nobody wait any longer. */
  giveUp(reason: CommitFailure): void {
    const begun = [...this.#underWay.values()].flat();
    const queued = this.#queued;
    this.#underWay.clear();
    this.#queued = [];
    for (const batch of [...this.#taken.splice(0), ...takeAll(this.#queue)]) this.#queue.release(batch);
    for (const each of begun) this.#fail(each, reason, true);
    for (const each of queued) this.#fail(each, reason, false);
    this.#settleIdle();
  }

  /** All that is not committed, for a program that exits. */
  get batches(): readonly Taken[] {
    this.#taken.push(...takeAll(this.#queue));
    return [...this.#underWay.keys(), ...this.#taken];
  }

  /** Begins on all that waits, for a program that exits. */
  beginAll(): void {
    while (this.#begin());
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Requests that came in together are answered in one turn, and share the commit.
    atEndOfTurn(() => {
      this.#isScheduled = false;
      this.#startAll();
    });
  }

  #startAll(): void {
    while (this.#busy < this.#options.pipeline.concurrentCommits && this.#begin());
  }

  #begin(): boolean {
    const batch = this.#taken.shift() ?? this.#queue.take();
    if (batch === undefined) return false;
    this.#underWay.set(batch, this.#queued.splice(0, batch.size));
    void this.#commit(batch);
    return true;
  }

  /** Never rejects. */
  async #commit(batch: Taken): Promise<void> {
    const { pipeline, tellsPlaces, onFailure } = this.#options;
    this.#busy += 1;
    const startedAt = performance.now();
    let outcome: BatchOutcome | undefined;
    let failure: unknown;
    for (let attempt = 1; attempt <= ATTEMPTS && outcome === undefined; attempt += 1) {
      if (!this.#underWay.has(batch)) break;
      try {
        outcome = await pipeline.process(batch, tellsPlaces());
      } catch (error) {
        failure = error;
      }
    }
    this.#busy -= 1;
    this.#isFailing = outcome === undefined;
    if (outcome === undefined) {
      pipeline.forget(batch);
      if (failure !== undefined) onFailure(failure, 'strict');
    }
    this.#queue.release(batch);
    const waiting = this.#underWay.get(batch);
    this.#underWay.delete(batch);
    // Those of a batch that was given up are taken care of.
    if (waiting !== undefined) this.#settle(waiting, outcome, performance.now() - startedAt);
    this.#startAll();
    this.#settleIdle();
  }

  #settle(waiting: readonly Waiting[], outcome: BatchOutcome | undefined, tookMs: number): void {
    if (outcome === undefined) {
      for (const each of waiting) this.#fail(each, 'commit_failed', true);
      return;
    }
    this.#options.onDone(outcome, tookMs);
    const lost =
      outcome.lost.length === 0 ? undefined : new Map(outcome.lost.map(({ id, reason }) => [id, reason]));
    for (const each of waiting) {
      const reason = lost?.get(each.exchange.id);
      if (reason === undefined) each.waiter?.onCommitted();
      else this.#fail(each, reason, false);
    }
  }

  #settleIdle(): void {
    if (this.waiting > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #watchTime(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#checkTime();
    }, this.#options.timeoutMs).unref();
  }

  /** When the oldest has waited too long, the store is away or too slow for those behind it as well. */
  #checkTime(): void {
    const [first = this.#queued] = this.#underWay.values();
    const oldest = first[0];
    if (oldest === undefined) return;
    const { timeoutMs } = this.#options;
    const leftMs = oldest.since + timeoutMs - performance.now();
    if (leftMs > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#checkTime();
      }, leftMs).unref();
      return;
    }
    const late = new StorageError('UNAVAILABLE', `The database did not commit within ${timeoutMs} ms.`);
    this.#isFailing = true;
    this.#options.onFailure(late, 'strict');
    this.giveUp('timeout');
  }
}
