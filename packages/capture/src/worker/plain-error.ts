import { errorCode, StorageError, type StorageErrorCode } from '@recap/storage';
import type { PlainError } from './messages';

export function toPlainError(error: unknown): PlainError {
  const isError = error instanceof Error;
  return {
    name: isError ? error.name : 'Error',
    message: isError ? error.message : String(error),
    code: errorCode(error),
    stack: isError ? error.stack : undefined,
  };
}

/** The error as the other thread had it: a `StorageError` again when it was one. */
export function fromPlainError({ name, message, code, stack }: PlainError): Error {
  const error =
    name === StorageError.name ? new StorageError(code as StorageErrorCode, message) : new Error(message);
  if (stack !== undefined) error.stack = stack;
  if (error.name !== name) error.name = name;
  return code === undefined ? error : Object.assign(error, { code });
}
