import { errorCode, StorageError, type StorageErrorCode } from '../../errors';

/**
 * The server has more to do than it may: the same call works later.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
const THROTTLED = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  // Too many tables are being made at once.
  'LimitExceededException',
  'TransactionConflictException',
  // Sent again with its token after an answer that did not come.
  'TransactionInProgressException',
  'ReplicatedWriteConflictException',
]);

/** It failed within, and may have carried the call out. */
const FAILED = new Set([
  'InternalServerError',
  'InternalServerErrorException',
  'ServiceUnavailable',
  'InternalFailure',
]);

const EXPLAINED: Readonly<Record<string, readonly [code: StorageErrorCode, text: string]>> = {
  ResourceNotFoundException: [
    'CONFIG_INVALID',
    'has no such table, or it misses the index "recap-expiry". Create it as the guide says, or set "createTable".',
  ],
  AccessDeniedException: [
    'ACCESS_DENIED',
    'does not allow these credentials to do that. Grant the actions that the guide names.',
  ],
  UnrecognizedClientException: ['ACCESS_DENIED', 'does not know the access key. Correct the credentials.'],
  InvalidSignatureException: [
    'ACCESS_DENIED',
    'refuses the signature. Correct the secret access key, or the clock of this machine.',
  ],
  IncompleteSignatureException: ['ACCESS_DENIED', 'refuses the signature. Correct the credentials.'],
  MissingAuthenticationTokenException: ['ACCESS_DENIED', 'wants credentials. Give them.'],
  MissingAuthenticationToken: ['ACCESS_DENIED', 'wants credentials. Give them.'],
  ExpiredTokenException: ['ACCESS_DENIED', 'says that the session token has expired. Get a new one.'],
  InvalidClientTokenId: ['ACCESS_DENIED', 'does not know the access key. Correct the credentials.'],
  CredentialsProviderError: [
    'ACCESS_DENIED',
    'needs credentials, and none were found. Give them, or set them up for the AWS SDK.',
  ],
  ValidationException: ['REFUSED', 'refuses what the call holds, or a limit of its own. See the cause.'],
  UnknownOperationException: ['UNSUPPORTED', 'does not know this call on that server.'],
};

/** Every failure of the SDK says by its `name` what it is; those of another copy of it are of another class. */
export function errorName(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { name } = error as { name?: unknown };
  return typeof name === 'string' ? name : undefined;
}

export function isConditionFailure(error: unknown): boolean {
  return errorName(error) === 'ConditionalCheckFailedException';
}

/** Whether the same call may work a little later. */
export function isWorthRepeating(error: unknown): boolean {
  const name = errorName(error) ?? '';
  if (THROTTLED.has(name) || FAILED.has(name)) return true;
  const { httpStatusCode: status } = metadataOf(error);
  return typeof status === 'number' && status >= 500;
}

/** Of connections that broke, perhaps for having been idle: the next call makes another. */
const BROKEN = new Set(['ECONNRESET', 'EPIPE']);
/** Nothing was sent. */
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Whether the same call may work on another connection, or with the clock that the SDK has corrected by the answer. */
export function isWorthAnotherTry(error: unknown): boolean {
  const { httpStatusCode: status, clockSkewCorrected: isCorrected } = metadataOf(error);
  if (status !== undefined) return isCorrected === true;
  // Of an error of another realm the SDK keeps neither code nor name.
  return BROKEN.has(errorCode(error) ?? '') || errorName(error) === 'Error';
}

/** Whether the server may have carried the call out although it did not say so. */
export function mayBeDone(error: unknown): boolean {
  if (error instanceof StorageError || isConditionFailure(error)) return false;
  const name = errorName(error) ?? '';
  if (THROTTLED.has(name) || EXPLAINED[name] !== undefined) return false;
  if (NOT_CONNECTED.has(errorCode(error) ?? '')) return false;
  const { httpStatusCode: status } = metadataOf(error);
  return typeof status !== 'number' || status >= 500;
}

function metadataOf(error: unknown): {
  readonly httpStatusCode?: unknown;
  readonly clockSkewCorrected?: unknown;
} {
  if (typeof error !== 'object' || error === null) return {};
  return (error as { $metadata?: object }).$metadata ?? {};
}

const INVALID = new Set(['ValidationError', 'ItemCollectionSizeLimitExceeded']);

function isInvalidTransaction(error: unknown): boolean {
  return (cancellationReasons(error) ?? []).some((reason) => INVALID.has(reason));
}

/** One for each write, `None` for one that is no reason; `undefined` of what is no cancelled transaction. */
export function cancellationReasons(error: unknown): readonly string[] | undefined {
  if (errorName(error) !== 'TransactionCanceledException') return undefined;
  const { CancellationReasons: reasons = [] } = error as {
    CancellationReasons?: readonly { Code?: string }[];
  };
  return reasons.map(({ Code: code = 'None' }) => code);
}

export function explainDynamoError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const name = errorName(error) ?? '';
  const known = EXPLAINED[name];
  if (known !== undefined) return new StorageError(known[0], `DynamoDB ${known[1]}`, { cause: error });
  if (isInvalidTransaction(error))
    return new StorageError('REFUSED', 'DynamoDB refuses what the transaction holds. See the cause.', {
      cause: error,
    });
  if (THROTTLED.has(name))
    return new StorageError(
      'UNAVAILABLE',
      'DynamoDB throttles these calls. Try again, or raise the capacity of the table.',
      {
        cause: error,
      },
    );
  const what = errorCode(error) ?? name;
  const text = `DynamoDB does not answer, or failed${what === '' ? '' : ` (${what})`}. See the cause.`;
  return new StorageError('UNAVAILABLE', text, { cause: error });
}
