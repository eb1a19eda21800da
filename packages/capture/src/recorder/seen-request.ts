import type { TapTarget } from '../tap/http-tap';
import { splitUrl } from './build-exchange';
import type { HostContext } from './capture-options';
import type { CaptureSettings } from './capture-settings';
import type { OpenExchange } from './open-exchange';

/** What an adapter knows of a request when it sees it first. */
export interface SeenRequest extends TapTarget {
  readonly context: HostContext;
  readonly settings: CaptureSettings;
  /** Whom the entry belongs to when the program does not say. */
  defaultOwner(): unknown;
  /** Called when the exchange is over, before the entry is made: the last chance to set the endpoint. */
  onEnd(open: OpenExchange): void;
}

/** The path as the client sent it. */
export function pathOf({ context, request }: SeenRequest): string {
  const { originalUrl } = context as { readonly originalUrl?: unknown };
  return splitUrl(typeof originalUrl === 'string' ? originalUrl : (request.url ?? '/')).path;
}
