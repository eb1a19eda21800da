import { errorCode, StorageError, type StorageErrorCode } from '../../errors';
import { tlsProblem } from '../../tls-problem';

const OTHER_INDEX = [
  'CONFIG_INVALID',
  'has another index on the same members, or of the same name, than the one that is needed. Drop it, or give another "collectionPrefix".',
] as const;

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
  [121, ['REFUSED', 'has a validator for the collection, which refuses the item.']],
  [73, ['CONFIG_INVALID', 'takes no database or collection of that name. Correct it.']],
  [
    13297,
    ['CONFIG_INVALID', 'has a database whose name differs in upper and lower case alone. Name that one.'],
  ],
  [
    100,
    [
      'CONFIG_INVALID',
      'has fewer members than "w" asks for. Lower it; what was written is held by those that there are.',
    ],
  ],
  [85, OTHER_INDEX],
  [86, OTHER_INDEX],
  [14031, ['CAPACITY_EXCEEDED', 'has no room left on its disk. Free some.']],
]);

const DUPLICATE_KEY = 11_000;
const COMMAND_NOT_FOUND = 59;
const MAX_TIME_EXPIRED = 50;

/** Numbers of the server; errors of Node and of the driver have texts there, or nothing. */
function numberOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | undefined)?.code;
}

export function isDuplicateKey(error: unknown): boolean {
  return numberOf(error) === DUPLICATE_KEY;
}

export function isUnknownCommand(error: unknown): boolean {
  return numberOf(error) === COMMAND_NOT_FOUND;
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
  const problem = tlsProblem({ code });
  if (problem !== undefined)
    return new StorageError('CONFIG_INVALID', `MongoDB ${problem}`, { cause: error });
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
