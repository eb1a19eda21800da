import type { IncomingMessage } from 'node:http';
import { openExchangeOf } from './recorder/exchange-of-request';
import { toPlain } from './redaction';

/**
 * Adds metadata to the entry of the exchange in progress, from anywhere that has its `req` or `ctx`.
 * A later value of a key replaces an earlier one, with a warning on the entry when they differ. Does nothing for an exchange
 * that is not recorded.
 *
 * @param metadata plain data; it is redacted like everything else.
 */
export function annotate(
  context: IncomingMessage | { readonly req: IncomingMessage },
  metadata: Readonly<Record<string, unknown>>,
): void {
  const request = 'req' in context && 'res' in context ? context.req : (context as IncomingMessage);
  // A copy that cannot fail: what a getter throws is the record's loss, not the handler's.
  openExchangeOf(request)?.metadata.push((toPlain(metadata) ?? {}) as Record<string, unknown>);
}
