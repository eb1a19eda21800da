export type StorageErrorCode =
  | 'CONFIG_INVALID'
  | 'DRIVER_MISSING'
  | 'SQLITE_NOT_BUILT'
  | 'DATABASE_UNSUPPORTED'
  | 'DATABASE_NOT_SHAREABLE'
  | 'DURABILITY_MISMATCH'
  | 'UNAVAILABLE'
  | 'POOL_EXHAUSTED'
  | 'REFUSED'
  | 'NOT_OPEN'
  | 'CLOSED'
  | 'KEY_INVALID'
  | 'VALUE_INVALID'
  | 'VALUE_TOO_LARGE'
  | 'ARGUMENT_INVALID'
  | 'WRONG_TYPE'
  | 'CONFLICT'
  | 'UNSUPPORTED'
  | 'CAPACITY_EXCEEDED'
  | 'CORRUPT'
  | 'ACCESS_DENIED'
  | 'BATCH_FAILED'
  | 'TARGET_NOT_EMPTY'
  | 'COPY_DIFFERS'
  | 'ARCHIVE_INVALID';

/**
 * The error Recap rejects with or throws. Branch on `code`; the message is for people and says what
 * failed, with which value, and what to do next. It never holds a secret.
 */
export class StorageError extends Error {
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }

  /** With the message, which JSON leaves out of other errors, and without the cause, which may hold anything. */
  toJSON(): object {
    return Object.assign({}, this, { message: this.message });
  }
}

/** The `code` of any error, whoever raised it, or `undefined`. Class checks fail across realms and versions. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** Also of one that another copy of this package has made. */
export function isStorageError(error: unknown): error is StorageError {
  if (error instanceof StorageError) return true;
  return error instanceof Error && error.name === 'StorageError' && errorCode(error) !== undefined;
}
