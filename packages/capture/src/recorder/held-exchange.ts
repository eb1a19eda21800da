import type { Exchange } from '../exchange';
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
    spooled.request.body?.bytes?.length === final.request.body?.bytes?.length &&
    spooled.response.body?.bytes?.length === final.response.body?.bytes?.length
  );
}
