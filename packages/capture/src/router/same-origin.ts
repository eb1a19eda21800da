import type { IncomingHttpHeaders } from 'node:http';
import { RouterError } from './router-error';

/**
 * Keeps a page of another site from deleting with the browser's credentials.
 *
 * @throws {RouterError} `FORBIDDEN` when an `Origin` is there and is not the host that was asked
 */
export function requireSameOrigin(headers: IncomingHttpHeaders): void {
  const { origin } = headers;
  if (origin === undefined) return;
  const host = headers.host ?? headers[':authority'];
  if (typeof host === 'string' && URL.canParse(origin)) {
    const { protocol, host: originHost } = new URL(origin);
    // Parsed under the same scheme, so that a default port makes no difference.
    const asked = `${protocol}//${host}`;
    if (originHost !== '' && URL.canParse(asked) && new URL(asked).host === originHost) return;
  }
  throw new RouterError('FORBIDDEN', 'This may not be asked for by a page of another site.');
}
