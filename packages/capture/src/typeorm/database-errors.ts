import { errorCode, StorageError } from '@recap/storage';

/** What the driver raised. TypeORM wraps it in an error that also holds the statement's values, which must not travel on. */
export function driverError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  const { driverError: inner } = error as { driverError?: unknown };
  return inner ?? error;
}

/** The code of a driver's error, under TypeORM or not: `SQLITE_BUSY`, a SQLSTATE, `ECONNREFUSED`, … */
export function driverCode(error: unknown): string | undefined {
  return errorCode(driverError(error));
}

/**
 * Codes that blame what was to be stored, so that trying again is of no use: data exceptions, constraints and limits of
 * PostgreSQL, their like of SQLite.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 * @see https://sqlite.org/rescode.html
 */
const REFUSALS = /^(?:(?:22|23|54)[0-9A-Z]{3}|SQLITE_(?:CONSTRAINT|TOOBIG|MISMATCH)(?:_[A-Z]+)?)$/;

/** A driver's failure as the error of the store's contract. `StorageError`s pass unchanged. */
export function toStorageError(error: unknown, database: string): StorageError {
  if (error instanceof StorageError) return error;
  const cause = driverError(error);
  const code = errorCode(cause);
  const name = code ?? (cause instanceof Error ? cause.name : 'unknown error');
  if (code === '53300') {
    return new StorageError(
      'POOL_EXHAUSTED',
      `The database ${database} has no connection left (${code}). Raise its limit or run fewer processes.`,
      { cause },
    );
  }
  if (code !== undefined && REFUSALS.test(code)) {
    return new StorageError('REFUSED', `The database ${database} refuses a value for what it is (${code}).`, {
      cause,
    });
  }
  return new StorageError('UNAVAILABLE', `The database ${database} did not answer as it should (${name}).`, {
    cause,
  });
}

/** A database that cannot keep what the chosen durability promises. @param remedy what to do, as a sentence */
export function durabilityMismatch(
  database: string,
  reason: string,
  remedy = 'Change that, or choose a weaker one.',
): StorageError {
  return new StorageError(
    'DURABILITY_MISMATCH',
    `The chosen durability needs a database that syncs each commit to its disk, and in ${database} ${reason}. ${remedy}`,
  );
}

/** True when SQLite could not get a lock in time; whoever holds it will let it go. */
export function isBusy(error: unknown): boolean {
  const code = driverCode(error);
  return code !== undefined && (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'));
}

const DUPLICATE_KEY = new Set([
  'SQLITE_CONSTRAINT',
  'SQLITE_CONSTRAINT_PRIMARYKEY',
  'SQLITE_CONSTRAINT_UNIQUE',
  // unique_violation
  '23505',
]);

/** True when a row was refused because another one has its key. */
export function isDuplicateKey(error: unknown): boolean {
  const code = driverCode(error instanceof StorageError ? error.cause : error);
  return code !== undefined && DUPLICATE_KEY.has(code);
}
