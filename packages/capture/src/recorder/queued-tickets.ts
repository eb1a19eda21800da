import type { Exchange } from '../exchange';
import type { Batch, QueuedExchange } from './exchange-queue';
import type { SpoolTicket } from './exchange-spool';

/** Which of the exchanges in memory are in the spool as well, where each goes there first. */
export class QueuedTickets<Taken extends Batch> {
  readonly #isUsed: boolean;
  /** Of what is in the queue, in its order. */
  #queued: (SpoolTicket | undefined)[] = [];
  readonly #taken = new Map<Taken, (SpoolTicket | undefined)[]>();
  #count = 0;

  constructor(isUsed: boolean) {
    this.#isUsed = isUsed;
  }

  /** Exchanges that are both in memory and in the spool. */
  get count(): number {
    return this.#count;
  }

  /** An exchange was queued. */
  add(ticket: SpoolTicket | undefined): void {
    if (!this.#isUsed) return;
    this.#queued.push(ticket);
    if (ticket !== undefined) this.#count += 1;
  }

  /** A batch was taken from the queue. */
  take(batch: Taken): void {
    if (this.#isUsed) this.#taken.set(batch, this.#queued.splice(0, batch.size));
  }

  /** A batch that was taken is in memory no longer. @returns its tickets */
  drop(batch: Taken): SpoolTicket[] {
    const tickets = (this.#taken.get(batch) ?? []).filter((ticket) => ticket !== undefined);
    this.#taken.delete(batch);
    this.#count -= tickets.length;
    return tickets;
  }

  /** @param queued of a batch; batches that nobody was told of come in their order, at the end. @returns what is in memory alone */
  unspooled(batch: Taken, queued: readonly QueuedExchange[]): Exchange[] {
    const tickets = this.#taken.get(batch) ?? this.#queued.splice(0, batch.size);
    return queued.filter(
      (exchange, index): exchange is Exchange => tickets[index] === undefined && !('record' in exchange),
    );
  }
}
