import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HostContext } from '../recorder/capture-options';

/** The members of Express's request that are used; Express 4 and 5 have them. */
export type ExpressRequest = IncomingMessage &
  HostContext & {
    readonly originalUrl?: string;
    readonly baseUrl?: string;
    readonly params?: Readonly<Record<string, unknown>>;
    readonly body?: unknown;
    readonly route?: { readonly path?: unknown };
    /** An {@link ExpressApp}; its published types differ between versions. */
    readonly app?: unknown;
  };

export type ExpressResponse = ServerResponse;

/** Continues with the next handler. */
export type ExpressNext = (error?: unknown) => void;

export interface ExpressApp {
  /** Set on an app that is mounted in another. */
  readonly parent?: unknown;
  /** The prototypes of all of this app's requests and responses. */
  readonly request?: object;
  readonly response?: object;
  /** Express 4. */
  readonly _router?: ExpressRouter;
  /** Express 5; reading it throws in Express 4. */
  readonly router?: ExpressRouter;
}

export interface ExpressRouter {
  readonly stack: readonly ExpressLayer[];
}

/** One handler in a router's stack, as `router` 2 (Express 5) and Express 4 build it. */
export interface ExpressLayer {
  readonly route?: { readonly path: unknown };
  readonly handle?: unknown;
  /** `router` from 2.3 on: the path as declared. */
  readonly rawPath?: unknown;
  /** `router` 2: one matcher for each declared path. */
  readonly matchers?: readonly ((path: string) => { readonly path: string } | false)[];
  /** `router` 2: mounted without a path, or at `/`. */
  readonly slash?: boolean;
  /** Express 4; `fast_slash` when mounted without a path, or at `/`. */
  readonly regexp?: RegExp & { readonly fast_slash?: boolean };
  readonly keys?: readonly { readonly name: string | number }[];
}
