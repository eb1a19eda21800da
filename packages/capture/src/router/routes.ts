import { errorCode } from '@recap/storage';
import type { Answer, QueryService } from '../query/query-service';
import type { Principal } from '../query/principal';
import { withDeadline } from './deadline';
import { readJsonBody } from './json-body';
import { parseQueryString } from './query-string';
import {
  deleteSchema,
  entryIdSchema,
  entryQuerySchema,
  gapListSchema,
  noParametersSchema,
  sessionListSchema,
  sessionQuerySchema,
} from './request-schemas';
import type { RouterRecorder } from './router-recorder';
import type { RouterRequest } from './router-request';
import { toStatsView, type StoreFigures } from './stats';
import { toEntryQuery, toGapQuery, toSessionListQuery, toSessionQuery } from './to-query';
import { validate } from './validate';

/** What a data route answers with. */
export interface RouteContext {
  readonly recorder: RouterRecorder;
  readonly service: QueryService;
  readonly principal: Principal;
  /** False only for routes that answer without the store. */
  readonly isReady: boolean;
}

/** A route that needs a principal. `read` checks the request; what it returns asks the store. */
export interface DataRoute {
  readonly kind: 'data';
  readonly method: 'GET' | 'POST';
  readonly isAdminOnly: boolean;
  /** True for a route that a page of another site must not reach. */
  readonly changesData: boolean;
  /** True for a route that has something to say while the store is not open. */
  readonly answersWithoutStore: boolean;
  read(request: RouterRequest<unknown>, parameter: string): Promise<Ask>;
}

export type Ask = (context: RouteContext) => Promise<Answer<unknown>>;

/** A route that is open to all. */
export interface OpenRoute {
  readonly kind: 'health' | 'openapi';
  readonly method: 'GET';
}

export type Route = DataRoute | OpenRoute;

const PAGING_TYPES = { page: 'integer', page_size: 'integer', include_total: 'boolean' } as const;

/** The last segment of a pattern may be a parameter, written `*`. */
export const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/health', { kind: 'health', method: 'GET' }],
  ['/openapi.json', { kind: 'openapi', method: 'GET' }],
  [
    '/query',
    post(async (request) => {
      const query = toEntryQuery(validate(entryQuerySchema, await readBodyOnly(request)));
      return ({ service, principal }) => service.queryEntries(principal, query);
    }),
  ],
  [
    '/entries/*',
    get(async (request, parameter) => {
      requireNoParameters(request);
      const { id } = validate(entryIdSchema, { id: parameter });
      return ({ service, principal }) => service.getEntry(principal, id);
    }),
  ],
  [
    '/sessions',
    get(async (request) => {
      const parameters = parseQueryString(request.query, PAGING_TYPES);
      const query = toSessionListQuery(validate(sessionListSchema, parameters));
      return ({ service, principal }) => service.listSessions(principal, query);
    }),
  ],
  [
    '/sessions/query',
    post(async (request) => {
      const query = toSessionQuery(validate(sessionQuerySchema, await readBodyOnly(request)));
      return ({ service, principal }) => service.querySessions(principal, query);
    }),
  ],
  [
    '/gaps',
    {
      ...get(async (request) => {
        const parameters = parseQueryString(request.query, PAGING_TYPES);
        const query = toGapQuery(validate(gapListSchema, parameters));
        return ({ service, principal }) => service.listGaps(principal, query);
      }),
      isAdminOnly: true,
    },
  ],
  [
    '/delete',
    {
      ...post(async (request) => {
        const { storage_ids, force, dry_run } = validate(deleteSchema, await readBodyOnly(request));
        return ({ service, principal }) =>
          service.deleteEntries(principal, { ids: storage_ids, force, isDryRun: dry_run });
      }),
      isAdminOnly: true,
      changesData: true,
    },
  ],
  [
    '/stats',
    {
      ...get(async (request) => {
        requireNoParameters(request);
        return async (context) => {
          const { recorder } = context;
          const figures = context.isReady ? await storeFigures(context) : 'not_open';
          return { data: toStatsView(recorder.stats(), recorder.store.kind, figures), warnings: [] };
        };
      }),
      isAdminOnly: true,
      answersWithoutStore: true,
    },
  ],
]);

/** @throws {QueryError} `VALIDATION_FAILED` when there is a query string. */
export function requireNoParameters(request: RouterRequest<unknown>): void {
  validate(noParametersSchema, parseQueryString(request.query));
}

/** Without them the recorder's own are told all the same: they are wanted most when the store is away. */
async function storeFigures({
  service,
  principal,
  recorder,
}: RouteContext): Promise<StoreFigures | 'not_open' | 'not_answering'> {
  try {
    const [sizes, gaps] = await withDeadline(
      Promise.all([service.storeSizes(principal), service.gapTotals(principal)]),
      STATS_DEADLINE_MS,
    );
    return { sizes, gaps };
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (!AWAY.has(code)) throw error;
    recorder.onError(error, 'router: GET /stats');
    return code === 'CLOSED' ? 'not_open' : 'not_answering';
  }
}

const STATS_DEADLINE_MS = 5_000;
const AWAY = new Set(['UNAVAILABLE', 'POOL_EXHAUSTED', 'CLOSED']);

async function readBodyOnly(request: RouterRequest<unknown>): Promise<Record<string, unknown>> {
  requireNoParameters(request);
  return readJsonBody(request);
}

function get(read: DataRoute['read']): DataRoute {
  return {
    kind: 'data',
    method: 'GET',
    isAdminOnly: false,
    changesData: false,
    answersWithoutStore: false,
    read,
  };
}

function post(read: DataRoute['read']): DataRoute {
  return {
    kind: 'data',
    method: 'POST',
    isAdminOnly: false,
    changesData: false,
    answersWithoutStore: false,
    read,
  };
}
