import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CapturedBody } from '../exchange';
import { splitUrl } from './build-exchange';
import type { HostContext } from './capture-options';
import type { CaptureSettings } from './capture-settings';
import type { OpenExchange } from './open-exchange';

/** What an adapter knows of a request when it sees it first. */
export interface SeenRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly context: HostContext;
  readonly settings: CaptureSettings;
  /** See `observeResponse`. */
  readonly sharedPrototype?: object;
  readonly parsedBody: () => CapturedBody | undefined;
  /** Called when the exchange is over, before the entry is made: the last chance to set the endpoint. */
  readonly onEnd?: (open: OpenExchange) => void;
}

/** The path as the client sent it. */
export function pathOf({ context, request }: SeenRequest): string {
  const { originalUrl } = context as { readonly originalUrl?: unknown };
  return splitUrl(typeof originalUrl === 'string' ? originalUrl : (request.url ?? '/')).path;
}
