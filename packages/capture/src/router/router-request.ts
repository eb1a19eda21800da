import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '../query/principal';

/** A request to the storage router, whatever the framework. */
export interface RouterRequest<Native> {
  readonly method: string;
  /** Relative to the mount, still percent-encoded, without the query string. */
  readonly path: string;
  /** Where the router is mounted, for the OpenAPI document; `''` at the root. */
  readonly basePath?: string;
  /** Query string without `?`. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /**
   * The body: bytes or text as sent, the value that the host's parser made of it, or `undefined` when
   * there is none. Called at most once, and only when the body is wanted.
   *
   * @throws {RouterError} `PAYLOAD_TOO_LARGE`
   */
  readBody(): Promise<unknown>;
  /** What `authenticate` is asked about: the framework's own request or context. */
  readonly native: Native;
}

export interface RouterResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON in UTF-8; not to be sent in answer to `HEAD`. */
  readonly body: Buffer;
}

/** Tells who asks; `undefined` for nobody. A failure answers 500, never 401. */
export type Authenticate<Native> = (
  request: Native,
) => Principal | null | undefined | Promise<Principal | null | undefined>;
