import { errorCode } from '@recap/storage';
import { QueryError } from '../query/query-error';
import { RouterError } from './router-error';

const STATUS_OF: Readonly<Record<string, number>> = Object.freeze({
  VALIDATION_FAILED: 400,
  CURSOR_INVALID: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  PAYLOAD_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  STORE_UNAVAILABLE: 503,
  POOL_EXHAUSTED: 503,
});

export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  /** True when the one who asked is told less than there is, so that it has to be logged. */
  readonly isOurs: boolean;
}

/** What to answer to an error. Of one that is not meant for the caller nothing is told but an id to look for. */
export function toFailure(error: unknown, newId: () => string): Failure {
  if (error instanceof QueryError) return told(error.code, error.message, error.details);
  if (error instanceof RouterError) return told(error.code, error.message, {}, error.headers);
  const code = errorCode(error);
  if (code === 'UNAVAILABLE' || code === 'CLOSED') return storeFailure('STORE_UNAVAILABLE');
  if (code === 'POOL_EXHAUSTED') return storeFailure('POOL_EXHAUSTED');
  const message = 'The request failed inside the recorder. The log has more under the correlation id.';
  return { ...told('INTERNAL', message, { correlation_id: newId() }), isOurs: true };
}

function storeFailure(code: 'STORE_UNAVAILABLE' | 'POOL_EXHAUSTED'): Failure {
  const message = 'The database does not answer in time. Try again.';
  return { ...told(code, message, {}, { 'retry-after': '1' }), isOurs: true };
}

function told(
  code: string,
  message: string,
  details: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Failure {
  return { status: STATUS_OF[code] ?? 500, code, message, details, headers, isOurs: false };
}
