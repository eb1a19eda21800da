import { errorCode, StorageError, type StorageErrorCode } from '@recap/storage';
import type { PlainError } from './messages';

/** Causes of causes that are kept: a driver's error, and what that names. */
const MAX_CAUSES = 3;

export function toPlainError(error: unknown, causesLeft = MAX_CAUSES): PlainError {
  const isError = error instanceof Error;
  return {
    name: isError ? error.name : 'Error',
    message: isError ? error.message : String(error),
    code: errorCode(error),
    stack: isError ? error.stack : undefined,
    cause:
      isError && error.cause !== undefined && causesLeft > 0
        ? toPlainError(error.cause, causesLeft - 1)
        : undefined,
  };
}

/** The error as the other thread had it: a `StorageError` again when it was one. */
export function fromPlainError({ name, message, code, stack, cause }: PlainError): Error {
  const options = cause === undefined ? {} : { cause: fromPlainError(cause) };
  const error =
    name === StorageError.name
      ? new StorageError(code as StorageErrorCode, message, options)
      : Object.assign(new Error(message, options), code === undefined ? {} : { code });
  if (stack !== undefined) error.stack = stack;
  if (error.name !== name) error.name = name;
  return error;
}
