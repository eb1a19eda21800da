import type { RequestListener, Server, ServerOptions } from 'node:http';
import type express from 'express';
import type { Express } from 'express';
import type Koa from 'koa';
import type { Outcome } from '../../packages/capture/src/exchange';
import type { Call } from './call';
import type { Probe } from './probe';
import type { RequestSpec } from './request-spec';
import type { Run } from './run';
import type { WireClient } from './wire-client';

/** What must be true of an entry beyond what the wire tells by itself. */
export interface ExpectedRecord {
  readonly outcome?: Outcome;
  readonly status?: number | null;
  readonly endpoint?: string | null;
  readonly requestBody?: string | Buffer;
  readonly requestState?: string;
  readonly responseState?: string;
  readonly errorMessage?: string | null;
}

/** What a case gets to build its program with, beside the app. */
export interface Tools {
  readonly run: Run;
  /** Mounts Recap where the case wants it: nothing in the bare program. */
  mount(app: unknown, path?: string): void;
  /** The probe of a request. */
  probe(request: object): Probe;
  /** The framework itself, for sub-apps and routers. */
  readonly express: typeof express;
  readonly Koa: typeof Koa;
  /** A folder with files to send. */
  readonly files: string;
}

export const TOPICS = {
  methods: 'Methods and statuses without a body',
  heads: 'Status line and headers',
  bodies: 'Bodies and their framing',
  streams: 'Streams and back-pressure',
  requests: 'Request bodies',
  endings: 'Ends, double ends and destruction',
  aborts: 'Clients that go away',
  errors: 'Handlers that fail',
  connections: 'Connections and protocols',
  frameworks: 'What the frameworks add',
  input: 'Hostile input',
} as const;

export type Topic = keyof typeof TOPICS;

/** A named small program, and what a client does to it. */
export interface FidelityCase {
  readonly name: string;
  readonly topic: Topic;
  /** The program, in one of these forms: calls on the response, a function, or an app of each framework. */
  readonly calls?: readonly Call[];
  readonly handler?: (t: Probe) => unknown;
  /** A function that may throw at once, in the framework's own call. */
  readonly syncHandler?: (t: Probe) => unknown;
  readonly express?: (app: Express, tools: Tools) => void;
  readonly koa?: (app: Koa, tools: Tools) => void;
  /** True when the program mounts Recap itself. */
  readonly mountsItself?: true;
  /** What a client sends that waits for the answer; default `GET /`. */
  readonly request?: RequestSpec;
  /** A client of its own kind; such a case does not run over HTTP/2. */
  readonly client?: (client: WireClient, run: Run) => Promise<void>;
  /** False where HTTP/2 has no such thing. */
  readonly http2?: false;
  /** False: no listener for errors, which changes what Node does with them. */
  readonly watchErrors?: false;
  readonly serverOptions?: ServerOptions;
  /** The server before it listens. */
  readonly server?: (server: Server, run: Run, app: RequestListener) => void;
  /** One for each request that reached the app, in their order; `undefined` leaves it to what the wire says. */
  readonly records?: readonly ExpectedRecord[];
  /** True when the program breaks the framing itself, so that the wire does not tell the body. */
  readonly breaksTheWire?: boolean;
  /** Why nothing is to be recorded. */
  readonly unrecorded?: string;
}
