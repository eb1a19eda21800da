import { newId as randomId, StorageError } from '@recap/storage';
import type { Principal } from '../query/principal';
import { createQueryService, requireAdmin } from '../query/query-service';
import { withDeadline } from './deadline';
import { toErrorResponse, toResponse, toSuccess } from './envelope';
import { toFailure } from './failure';
import { matchRoute } from './match-route';
import { openApiDocument } from './open-api';
import { createRateLimiter, type LimitRate } from './rate-limiter';
import { RouterError } from './router-error';
import type { RouterRecorder } from './router-recorder';
import type { Authenticate, RouterRequest, RouterResponse } from './router-request';
import { requireNoParameters, type DataRoute } from './routes';
import { requireSameOrigin } from './same-origin';

export interface StorageRouterOptions<Native> {
  readonly recorder: RouterRecorder;
  readonly authenticate: Authenticate<Native>;
  /** Requests a minute for each principal; absent: no limit. */
  readonly rateLimitPerMinute?: number | undefined;
  /** Makes correlation ids. */
  readonly newId?: () => string;
}

export interface StorageRouter<Native> {
  /** Answers every request, those it does not know included; does not reject. */
  handle(request: RouterRequest<Native>): Promise<RouterResponse>;
}

const HEALTH_DEADLINE_MS = 1000;
const STORE_DEADLINE_MS = 30_000;

/**
 * The routes over what was recorded, for any framework.
 *
 * @throws {StorageError} `CONFIG_INVALID` without `authenticate`
 */
export function createStorageRouter<Native>(options: StorageRouterOptions<Native>): StorageRouter<Native> {
  const { recorder, authenticate, rateLimitPerMinute, newId = randomId } = options;
  requireRouterOptions(options);
  const limitRate: LimitRate | undefined =
    rateLimitPerMinute === undefined ? undefined : createRateLimiter(rateLimitPerMinute, recorder.clock);

  async function respond(request: RouterRequest<Native>): Promise<RouterResponse> {
    const { route, parameter } = matchRoute(request.method, request.path);
    if (route.kind === 'data') return answer(route, request, parameter);
    requireNoParameters(request);
    return route.kind === 'health' ? health(recorder) : toResponse(200, openApiDocument(request.basePath));
  }

  async function answer(
    route: DataRoute,
    request: RouterRequest<Native>,
    parameter: string,
  ): Promise<RouterResponse> {
    const principal = await identify(authenticate, request.native);
    limitRate?.(JSON.stringify([principal.isAdmin, principal.ownerId]));
    if (route.isAdminOnly) requireAdmin(principal);
    if (route.changesData) requireSameOrigin(request.headers);
    const ask = await route.read(request, parameter);
    const isReady = await recorder.isReady();
    if (!isReady && !route.answersWithoutStore) {
      throw new RouterError('STORE_UNAVAILABLE', 'The store is not open yet. Try again.', {
        'retry-after': '1',
      });
    }
    const service = createQueryService({
      store: recorder.store,
      clock: recorder.clock,
      normalizeEndpoint: recorder.normalizeEndpoint,
      knowsOwners: () => recorder.knowsOwners(),
      ...(recorder.sessionMaxAgeMs !== undefined && { sessionMaxAgeMs: recorder.sessionMaxAgeMs }),
    });
    return toSuccess(await withDeadline(ask({ recorder, service, principal, isReady }), STORE_DEADLINE_MS));
  }

  return {
    async handle(request) {
      try {
        return await respond(request);
      } catch (error) {
        const failure = toFailure(error, newId);
        if (failure.isOurs) {
          const id = failure.details['correlation_id'];
          const suffix = typeof id === 'string' ? ` (correlation id ${id})` : '';
          recorder.onError(error, `router: ${request.method} ${request.path}${suffix}`);
        }
        return toErrorResponse(failure);
      }
    },
  };
}

/** @throws {StorageError} `CONFIG_INVALID` for options that must not build a router. */
export function requireRouterOptions(
  // A program in plain JavaScript may leave the options out altogether.
  options: { readonly authenticate: unknown; readonly rateLimitPerMinute?: number | undefined } | undefined,
): void {
  if (typeof options?.authenticate !== 'function') {
    throw new StorageError(
      'CONFIG_INVALID',
      'storageRouter needs `authenticate`: it shows recorded requests and responses, so it has to know who ' +
        'asks. Pass a function that takes the request and returns { ownerId, isAdmin }, or undefined for ' +
        'nobody; or a ready one: ' +
        "authenticate: bearerToken(process.env.RECAP_TOKEN, { ownerId: 'admin', isAdmin: true }), or, on a " +
        "machine of your own, authenticate: localhostOnly({ ownerId: 'me', isAdmin: true }).",
    );
  }
  const { rateLimitPerMinute: rate } = options;
  if (rate !== undefined && !(Number.isFinite(rate) && rate >= 1)) {
    throw new StorageError('CONFIG_INVALID', `rateLimitPerMinute must be at least 1, not ${String(rate)}.`);
  }
}

async function identify<Native>(authenticate: Authenticate<Native>, native: Native): Promise<Principal> {
  let principal: unknown;
  try {
    principal = await authenticate(native);
  } catch (cause) {
    // Wrapped, so that no code of the program's own error is taken for one of the store's.
    throw new Error('`authenticate` failed.', { cause });
  }
  if (principal === undefined || principal === null) {
    throw new RouterError('UNAUTHENTICATED', 'Say who you are.', {});
  }
  const { ownerId, isAdmin } = principal as { ownerId?: unknown; isAdmin?: unknown };
  if (typeof ownerId !== 'string' || ownerId === '') {
    throw new Error(
      '`authenticate` must return { ownerId: string, isAdmin: boolean } with an ownerId that is not ' +
        `empty, or undefined; ownerId was ${ownerId === '' ? 'empty' : `of type ${typeof ownerId}`}.`,
    );
  }
  return { ownerId, isAdmin: isAdmin === true };
}

async function health(recorder: RouterRecorder): Promise<RouterResponse> {
  const status = await healthStatus(recorder);
  if (status === 'ok' || status === 'degraded') return toSuccess({ data: { status }, warnings: [] });
  const message = status === 'not_open' ? 'The store is not open.' : 'The store does not answer.';
  const error = { code: 'STORE_UNAVAILABLE', message, details: {} };
  return toResponse(503, { success: false, data: { status: 'down' }, error }, { 'retry-after': '1' });
}

async function healthStatus(
  recorder: RouterRecorder,
): Promise<'ok' | 'degraded' | 'not_open' | 'not_answering'> {
  if (!(await recorder.isReady())) return 'not_open';
  try {
    await withDeadline(recorder.store.ping(), HEALTH_DEADLINE_MS);
  } catch (error) {
    recorder.onError(error, 'router: GET /health');
    return 'not_answering';
  }
  return recorder.isDegraded() ? 'degraded' : 'ok';
}
