import { errorCode, StorageError, type StorageErrorCode } from '../../errors';

/**
 * By the number that the server answers.
 *
 * @see https://www.mongodb.com/docs/manual/reference/error-codes/
 */
const CODES: ReadonlyMap<unknown, readonly [code: StorageErrorCode, text: string]> = new Map<
  unknown,
  readonly [StorageErrorCode, string]
>([
  [18, ['ACCESS_DENIED', 'refuses the user or the password. Correct the credentials, or "authSource".']],
  [8000, ['ACCESS_DENIED', 'refuses the user or the password. Correct the credentials, or "authSource".']],
  [13, ['ACCESS_DENIED', 'does not allow this user to do that. Grant readWrite on the database.']],
  [10334, ['VALUE_TOO_LARGE', 'takes no document of that size. Store it in parts.']],
  [17419, ['VALUE_TOO_LARGE', 'takes no document of that size. Store it in parts.']],
  [17420, ['VALUE_TOO_LARGE', 'takes no document of that size. Store it in parts.']],
  [14031, ['CAPACITY_EXCEEDED', 'has no room left on its disk. Free some.']],
]);

const DUPLICATE_KEY = 11_000;
const MAX_TIME_EXPIRED = 50;

/** Numbers of the server; errors of Node and of the driver have texts there, or nothing. */
function numberOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | undefined)?.code;
}

export function isDuplicateKey(error: unknown): boolean {
  return numberOf(error) === DUPLICATE_KEY;
}

export function isTooLarge(error: unknown): boolean {
  return CODES.get(numberOf(error))?.[0] === 'VALUE_TOO_LARGE';
}

/** Whether a transaction that failed so was undone, and may be tried again. */
export function isUndone(error: unknown): boolean {
  return hasLabel(error, 'TransientTransactionError') || isDuplicateKey(error);
}

/**
 * Whether a transaction that ended so may have been made, and its end may be asked for again, which makes nothing twice.
 *
 * @see https://github.com/mongodb/specifications/blob/master/source/transactions-convenient-api/transactions-convenient-api.md
 */
export function isEndUnknown(error: unknown): boolean {
  return hasLabel(error, 'UnknownTransactionCommitResult') && numberOf(error) !== MAX_TIME_EXPIRED;
}

/** What the server, or the driver, says of an error besides its number. */
function hasLabel(error: unknown, label: string): boolean {
  const { hasErrorLabel } = (error ?? {}) as { readonly hasErrorLabel?: unknown };
  return typeof hasErrorLabel === 'function' && hasErrorLabel.call(error, label) === true;
}

export function explainMongoError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const known = CODES.get(numberOf(error));
  if (known !== undefined) return new StorageError(known[0], `MongoDB ${known[1]}`, { cause: error });
  if ((error as { readonly name?: unknown } | undefined)?.name === 'MongoWaitQueueTimeoutError')
    return new StorageError(
      'POOL_EXHAUSTED',
      'No connection to MongoDB came free in time. Raise "pool.max", or see what keeps them busy.',
      { cause: error },
    );
  const code = numberOf(error) ?? codeOfCause(error);
  const shown = typeof code === 'number' || typeof code === 'string' ? ` (${code})` : '';
  return new StorageError('UNAVAILABLE', `MongoDB does not answer, or failed${shown}. See the cause.`, {
    cause: error,
  });
}

/** Why the connection failed, as Node tells it. */
function codeOfCause(error: unknown): string | undefined {
  let cause = error;
  for (let depth = 0; depth < 5 && typeof cause === 'object' && cause !== null; depth += 1) {
    const code = errorCode(cause);
    if (code !== undefined) return code;
    cause = (cause as { readonly cause?: unknown }).cause;
  }
  return undefined;
}
