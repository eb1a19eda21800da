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

/** The same within one call, as far as the time allows. Failures have nobody left to be told to. @returns what was spooled */
export function spoolRestNow(
  exchanges: readonly Exchange[],
  spool: ExchangeSpool | undefined,
  deadline: number,
): SpoolTicket[] {
  const tickets: SpoolTicket[] = [];
  for (const exchange of exchanges) {
    if (spool === undefined || performance.now() > deadline) break;
    try {
      tickets.push(spool.append(exchange));
    } catch {
      // The disk is full or away: nothing is left that could be done.
      break;
    }
  }
  return tickets;
}
