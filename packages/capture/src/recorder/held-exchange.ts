import type { Exchange } from '../exchange';
import { keptBytesOf } from '../tap/seen-body';
import type { OpenExchange } from './open-exchange';

/** Whether the program has said nothing of the exchange since it was spooled. */
export function isStillSaid(
  open: OpenExchange,
): open is OpenExchange & { readonly held: NonNullable<OpenExchange['held']> } {
  return (
    open.held !== undefined &&
    open.held.entry === open.entry &&
    open.held.metadataCount === open.metadata.length &&
    open.held.exchange.endpoint === open.endpoint
  );
}

/** Whether the exchange ended as it was spooled; the head and the times are known better now, and matter less. */
export function isAsSpooled(spooled: Exchange, final: Exchange): boolean {
  return (
    spooled.outcome === final.outcome &&
    spooled.status === final.status &&
    keptBytesOf(spooled.request.body) === keptBytesOf(final.request.body) &&
    keptBytesOf(spooled.response.body) === keptBytesOf(final.response.body)
  );
}
