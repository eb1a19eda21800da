import { faultPoint } from '../fault-point';
import type { Exchange } from '../exchange';
import type { ShedReason } from './batch-processor';
import type { Batch, BatchQueue, QueuedExchange } from './exchange-queue';
import type { ExchangeSpool, HeldExchange, SpoolTicket } from './exchange-spool';
import type { LossCounts } from './loss-counts';
import { OVERLOAD, reduceExchange, type Step } from './reduce-exchange';
import type { RetryBreaker } from './retry-breaker';
import type { OverloadReason, ShedPolicy, Verdict } from './shed-policy';

export interface AdmissionOptions {
  readonly queue: BatchQueue<Batch>;
  /** Takes what the queue has no room for, and everything when `spoolsAll`. */
  readonly spool: ExchangeSpool | undefined;
  readonly spoolsAll: boolean;
  readonly breaker: RetryBreaker;
  readonly policy: ShedPolicy;
  readonly losses: LossCounts;
  readonly shedOldest: () => void;
  readonly onFailure: (error: unknown, where: string) => void;
}

/** Where an exchange went: into the queue, or not, for a reason; into the spool as well, or instead, with a ticket. */
export interface Place {
  readonly reason: ShedReason | undefined;
  readonly ticket: SpoolTicket | undefined;
}

/** What is kept of an exchange. */
interface Admitted {
  readonly exchange: Exchange;
  readonly step: Step;
  readonly reason: OverloadReason;
}

/** Lets exchanges into queue and spool as far as there is room for them, and counts what is left out. */
export class Admission {
  readonly #options: AdmissionOptions;
  /** Of what was held in part. */
  readonly #heldStep = new WeakMap<SpoolTicket, Step>();
  /** Exchanges that are spooled and not over: there is nothing to do about them yet. */
  held = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Takes steps back when there is room again. */
  refresh(): void {
    const { policy, queue } = this.#options;
    if (policy.step > 0) policy.refresh(this.#fillOf(queue.fill), this.#fillOfParts);
  }

  /**
   * Spools exchanges that are not over yet; `undefined` for those with which that cannot be.
   *
   * @param onHeld called for each at the moment from which it counts as spooled
   */
  hold(wholes: readonly Exchange[], onHeld: () => void): (SpoolTicket | undefined)[] {
    const { spool } = this.#options;
    const admitted = wholes.map((whole) => this.#admit(whole));
    const kept = admitted.filter((each) => typeof each !== 'string');
    if (spool === undefined || spool.fill >= 1 || kept.length === 0) return wholes.map(() => undefined);
    const tickets = spool.appendAll(
      kept.map(({ exchange }) => exchange),
      () => {
        this.held += 1;
        onHeld();
      },
    );
    let next = 0;
    return wholes.map((whole, index) => {
      const each = admitted[index];
      if (each === undefined || typeof each === 'string') return undefined;
      const ticket = tickets[next];
      next += 1;
      if (ticket === undefined) return undefined;
      if (each.step > 0) this.#heldStep.set(ticket, each.step);
      this.#countReduced(whole, each.exchange, each.reason);
      return ticket;
    });
  }

  /** @param refusal why nothing is taken at the moment; what is in the spool already stays there */
  place(whole: Exchange, held: HeldExchange | undefined, refusal: ShedReason | undefined): Place {
    let ticket = held?.ticket;
    if (held !== undefined) this.held -= 1;
    if (refusal !== undefined) return { reason: refusal, ticket };
    const admitted = ticket === undefined ? this.#admit(whole) : this.#asHeld(whole, ticket);
    if (typeof admitted === 'string') return { reason: admitted, ticket };
    let kept = admitted.exchange;
    const { spool, spoolsAll } = this.#options;
    if (spoolsAll && held?.isCurrent !== true) {
      const newer = this.#spool(kept);
      if (newer === undefined) {
        // What is on the disk is no longer the whole truth: it is stored as it is known here.
        if (ticket !== undefined) ticket.record = undefined;
      } else {
        if (ticket !== undefined) spool?.done([ticket]);
        ticket = newer;
      }
    }
    let reason = this.#offer(asQueued(kept, ticket));
    if (reason === 'queue_full') {
      ticket ??= this.#spool(kept);
      if (ticket === undefined) {
        kept = this.#makeFit(kept);
        reason = this.#offer(kept);
      }
    }
    const isKept = reason === undefined || ticket !== undefined;
    if (isKept && held === undefined) this.#countReduced(whole, kept, admitted.reason);
    return { reason, ticket };
  }

  /** @returns a reason when it is not to be kept at all */
  #admit(whole: Exchange): Admitted | ShedReason {
    const { step, reason } = this.#judge(whole);
    if (step === 3) return reason === 'backlog' ? 'queue_full' : reason;
    return { exchange: step === 0 ? whole : reduceExchange(whole, step), step, reason };
  }

  /** What was decided when it was held holds on. */
  #asHeld(whole: Exchange, ticket: SpoolTicket): Admitted {
    const step = this.#heldStep.get(ticket) ?? 0;
    return { exchange: step === 0 ? whole : reduceExchange(whole, step), step, reason: 'backlog' };
  }

  /** Neither queue nor spool has room: does what the policy says for one exchange. */
  #makeFit(exchange: Exchange): Exchange {
    const { policy, shedOldest } = this.#options;
    if (policy.shed === 'oldest') shedOldest();
    return policy.shed === 'stepwise' ? reduceExchange(exchange, 2) : exchange;
  }

  /** Leaves what was held to the spool as it was then. */
  leaveHeld(ticket: SpoolTicket): void {
    this.held -= 1;
    this.#options.spool?.defer(ticket);
  }

  /** Leaves an exchange to the spool, while nothing is queued any more. */
  leave(exchange: Exchange): SpoolTicket | undefined {
    return this.#spool(exchange);
  }

  #offer(exchange: QueuedExchange): ShedReason | undefined {
    const { queue, onFailure } = this.#options;
    try {
      faultPoint('queue');
      return queue.offer(exchange) ? undefined : 'queue_full';
    } catch (error) {
      onFailure(error, 'queue');
      return 'internal_error';
    }
  }

  #spool(exchange: Exchange): SpoolTicket | undefined {
    const { spool, onFailure } = this.#options;
    if (spool === undefined || spool.fill >= 1) return undefined;
    try {
      return spool.append(exchange);
    } catch (error) {
      onFailure(error, 'spool');
      return undefined;
    }
  }

  #countReduced(whole: Exchange, kept: Exchange, reason: OverloadReason): void {
    const { losses, policy } = this.#options;
    losses.countReduced(whole, kept, reason);
    // Bodies may have been let go while it was open.
    const omitted = whole.request.body?.omitted ?? whole.response.body?.omitted;
    if (omitted === OVERLOAD) losses.count('bodies', policy.reason);
    else if (omitted === 'open_budget') losses.count('bodies', omitted);
  }

  #judge(exchange: Exchange): Verdict {
    const { policy, queue } = this.#options;
    const fill = this.#fillOf(queue.fill);
    return policy.judge(exchange, fill, fill < policy.watchedFrom ? fill : this.#fillOfParts);
  }

  /** What the queue has no room for goes into the spool: there is room while one of them has some. */
  #fillOf(queueFill: number): number {
    const { spool, policy } = this.#options;
    return queueFill < policy.watchedFrom ? queueFill : Math.min(queueFill, spool?.fill ?? 1);
  }

  /** While nothing leaves the queue, less of each exchange makes room in bytes, but not for more exchanges. */
  get #fillOfParts(): number {
    const { queue, breaker, spool } = this.#options;
    const hasSpool = spool !== undefined && spool.fill < 1;
    return this.#fillOf(breaker.isFailing && !hasSpool ? queue.bytesFill : queue.fill);
  }
}

/** What is on the disk has been redacted, and need not be again. */
function asQueued(exchange: Exchange, ticket: SpoolTicket | undefined): QueuedExchange {
  const record = ticket?.record;
  if (ticket !== undefined) ticket.record = undefined;
  const { id, durationMs } = exchange;
  return record === undefined ? exchange : { id, durationMs, record };
}
