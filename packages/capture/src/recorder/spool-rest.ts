import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Exchange } from '../exchange';
import type { ExchangeSpool, SpoolTicket } from './exchange-spool';

/** Uninterrupted work after which the program's other work gets its turn. */
const SLICE_MS = 4;

/** Leaves exchanges that could not be stored to whoever opens the spool next. @param onEach told of each, in order */
export async function spoolRest(
  exchanges: readonly Exchange[],
  spool: ExchangeSpool | undefined,
  onFailure: (error: unknown, where: string) => void,
  onEach: (isSpooled: boolean) => void,
): Promise<void> {
  let usable = spool;
  let sliceStart = performance.now();
  for (const exchange of exchanges) {
    try {
      usable?.append(exchange);
    } catch (error) {
      // One failure of a full disk tells that of all others.
      onFailure(error, 'spool');
      usable = undefined;
    }
    onEach(usable !== undefined);
    if (performance.now() - sliceStart < SLICE_MS) continue;
    await nextTurn();
    sliceStart = performance.now();
  }
}

/**
 * The same within one call, as far as the time allows. Failures have nobody left to be told to.
 *
 * @param spooled names of what was spooled before, as by somebody who tells of an exit before Node does; the new ones are added
 * @returns the tickets of these, by their names
 */
export function spoolRestNow(
  exchanges: readonly Exchange[],
  spool: ExchangeSpool | undefined,
  deadline: number,
  spooled: Set<string>,
): Map<string, SpoolTicket> {
  const tickets = new Map<string, SpoolTicket>();
  for (const exchange of exchanges) {
    if (spool === undefined || performance.now() > deadline) break;
    // Of one exchange two may wait: as it was at first, and as it is.
    const name = `${exchange.id} ${exchange.isCorrection === true}`;
    if (spooled.has(name)) continue;
    try {
      tickets.set(name, spool.append(exchange));
      spooled.add(name);
    } catch {
      // The disk is full or away: nothing is left that could be done.
      break;
    }
  }
  return tickets;
}
