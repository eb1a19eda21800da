import { errorCode, StorageError, type StorageErrorCode } from '../../errors';

/**
 * By result code, of which the extended ones begin with the plain one.
 *
 * @see https://sqlite.org/rescode.html
 */
const CODES: readonly (readonly [begins: string, code: StorageErrorCode, text: string])[] = [
  ['SQLITE_FULL', 'CAPACITY_EXCEEDED', 'has no room left. Free some on the disk.'],
  ['SQLITE_TOOBIG', 'VALUE_TOO_LARGE', 'refuses a value beyond its own limit. Store it in parts.'],
  ['SQLITE_NOTADB', 'CORRUPT', 'is no SQLite database. Correct the path; the file was left as it is.'],
  ['SQLITE_CORRUPT', 'CORRUPT', 'is damaged. Restore it from a backup; "PRAGMA integrity_check" tells more.'],
  ['SQLITE_READONLY', 'ACCESS_DENIED', 'may not be written. Correct the rights of the file and its folder.'],
  ['SQLITE_PERM', 'ACCESS_DENIED', 'may not be used. Correct the rights of the file and its folder.'],
  ['SQLITE_AUTH', 'ACCESS_DENIED', 'may not be used. Correct the rights of the file and its folder.'],
  ['EACCES', 'ACCESS_DENIED', 'may not be used. Correct the rights of the file and its folder.'],
  ['EPERM', 'ACCESS_DENIED', 'may not be used. Correct the rights of the file and its folder.'],
  ['EROFS', 'ACCESS_DENIED', 'is on a file system that may only be read. Choose another path.'],
  ['ENOSPC', 'CAPACITY_EXCEEDED', 'has no room left. Free some on the disk.'],
  [
    'SQLITE_BUSY',
    'UNAVAILABLE',
    'is locked by another for longer than "busyTimeoutMs". See who writes for so long.',
  ],
  [
    'SQLITE_LOCKED',
    'UNAVAILABLE',
    'is locked by another for longer than "busyTimeoutMs". See who writes for so long.',
  ],
  ['ENOENT', 'UNAVAILABLE', 'cannot be opened. Does its folder exist, and may this user write there?'],
  ['ENOTDIR', 'CONFIG_INVALID', 'cannot be opened: a file is where its folder should be. Correct the path.'],
  [
    'SQLITE_CANTOPEN',
    'UNAVAILABLE',
    'cannot be opened. Does its folder exist, and may this user write there?',
  ],
];

/** @param file for the message: a path, or what stands for one */
export function explainSqliteError(error: unknown, file: string): StorageError {
  if (error instanceof StorageError) return error;
  const code = errorCode(error) ?? '';
  const known = CODES.find(([begins]) => code.startsWith(begins));
  const [, storageCode, text] = known ?? [
    '',
    'UNAVAILABLE' as const,
    `failed${code === '' ? '' : ` (${code})`}. See the cause.`,
  ];
  return new StorageError(storageCode, `The SQLite database ${file} ${text}`, { cause: error });
}

/** Someone else has the lock, and it may be free in a moment. */
export function isBusy(error: unknown): boolean {
  const code = errorCode(error) ?? '';
  return code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED');
}
