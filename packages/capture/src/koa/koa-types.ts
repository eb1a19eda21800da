import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HostContext } from '../recorder/capture-options';

/** The members of Koa's context that are used; Koa 2 and 3 have them. */
export type KoaContext = HostContext & {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly request: { readonly body?: unknown };
  readonly path: string;
  readonly originalUrl: string;
  /** Set by @koa/router: the template of the route that matched. */
  readonly _matchedRoute?: unknown;
  /** Where Koa sends what goes wrong; set on every context. */
  readonly onerror?: unknown;
  readonly params?: Readonly<Record<string, string>>;
  /** False: the answer is none of Koa's business. */
  respond?: boolean | undefined;
};

export type KoaNext = () => Promise<unknown>;
