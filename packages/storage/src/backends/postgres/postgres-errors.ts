import { errorCode, StorageError, type StorageErrorCode } from '../../errors';
import { NO_TLS, tlsProblem } from '../../tls-problem';

/**
 * By SQLSTATE or its class.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const CODES: Readonly<Record<string, readonly [code: StorageErrorCode, text: string]>> = {
  '22': ['REFUSED', 'refuses the value for what it is. See the cause.'],
  '23': ['REFUSED', 'has a constraint that refuses the value. See the cause.'],
  '25006': ['UNAVAILABLE', 'takes no writes now, as a standby does not before it is promoted.'],
  '28': ['ACCESS_DENIED', 'refuses the user or the password. Correct the credentials.'],
  '3D000': ['ACCESS_DENIED', 'has no such database. Create it, or correct the name.'],
  '42501': [
    'ACCESS_DENIED',
    'does not allow this user to do that. Grant the rights on the schema, or make one for the user.',
  ],
  '53300': ['POOL_EXHAUSTED', 'has no connection left. Raise max_connections, or make the pools smaller.'],
  '53': ['CAPACITY_EXCEEDED', 'has no room or memory left. Free some.'],
  '54': ['VALUE_TOO_LARGE', 'refuses what is larger than its own limits. Store it in parts.'],
  P0: ['REFUSED', 'has a trigger that refuses the value. See the cause.'],
};

/** Of `pg`, which gives these no code. */
const TEXTS: readonly (readonly [RegExp, StorageErrorCode, string])[] = [
  [/password must be a (non-empty )?string/i, 'ACCESS_DENIED', 'wants a password. Give it.'],
  [/^The server does not support SSL connections/, 'CONFIG_INVALID', NO_TLS],
];
/** Of its pool: to a call that waited in it, and to one for which a connection was to be made. */
const ACQUIRE_TIMEOUT = 'timeout exceeded when trying to connect';
const CONNECT_TIMEOUT = 'Connection terminated due to connection timeout';
/** Why there is no answer, where no code tells it. */
const BROKEN = /^(Connection terminated|Query read timeout|timeout expired)/;

/** @param isPoolTaken by connections that were made, at the time of the failure */
export function explainPostgresError(error: unknown, isPoolTaken = true): StorageError {
  if (error instanceof StorageError) return error;
  const message = messageOf(error);
  if (message === ACQUIRE_TIMEOUT && isPoolTaken)
    return new StorageError(
      'POOL_EXHAUSTED',
      'No connection to PostgreSQL came free in time. Raise "pool.max", or see what keeps them busy.',
      { cause: error },
    );
  if (message === ACQUIRE_TIMEOUT || message === CONNECT_TIMEOUT)
    return new StorageError('UNAVAILABLE', 'PostgreSQL does not answer: no connection was made in time.', {
      cause: Object.assign(new Error(message, { cause: error }), { code: 'CONNECT_TIMEOUT' }),
    });
  const code = errorCode(error);
  const known =
    (code === undefined ? undefined : (CODES[code] ?? CODES[code.slice(0, 2)])) ?? ofConnection(error);
  if (known !== undefined) return new StorageError(known[0], `PostgreSQL ${known[1]}`, { cause: error });
  const reason = code ?? (BROKEN.test(message) ? message : undefined);
  const text = `PostgreSQL does not answer, or failed${reason === undefined ? '' : ` (${reason})`}. See the cause.`;
  return new StorageError('UNAVAILABLE', text, { cause: error });
}

/** What no server said. */
function ofConnection(error: unknown): readonly [StorageErrorCode, string] | undefined {
  const problem = tlsProblem(error);
  if (problem !== undefined) return ['CONFIG_INVALID', problem];
  const found = TEXTS.find(([pattern]) => pattern.test(messageOf(error)));
  return found && [found[1], found[2]];
}

function messageOf(error: unknown): string {
  const { message } = (error ?? {}) as { readonly message?: unknown };
  return typeof message === 'string' ? message : '';
}

/** Data, a constraint, a deadlock, a view's check, room, a limit, a trigger's refusal, a damaged row. */
const CLASSES_OF_ONE = new Set(['22', '23', '40', '44', '53', '54', 'P0', 'XX']);
/** A lock that was not to be had, a statement that took too long: both may be for one row. */
const CODES_OF_ONE = new Set(['55P03', '57014']);

/** Whether a statement about several rows did nothing, and may have failed for one of them alone. */
export function isOfOneCall(error: unknown): boolean {
  const code = errorCode(error);
  if (code === 'CORRUPT') return true;
  if (code?.length !== 5) return false;
  return CLASSES_OF_ONE.has(code.slice(0, 2)) || CODES_OF_ONE.has(code);
}
