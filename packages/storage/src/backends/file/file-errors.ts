import { errorCode, StorageError, type StorageErrorCode } from '../../errors';

const CODES: ReadonlyMap<string, readonly [StorageErrorCode, string]> = new Map([
  ['ENOSPC', ['CAPACITY_EXCEEDED', 'has no room left. Free some on the disk.']],
  ['EDQUOT', ['CAPACITY_EXCEEDED', 'has no room left for this user. Free some, or raise the quota.']],
  ['EFBIG', ['CAPACITY_EXCEEDED', 'would hold a file larger than its file system takes.']],
  ['EACCES', ['ACCESS_DENIED', 'may not be used. Correct the rights of the folder and what is in it.']],
  ['EPERM', ['ACCESS_DENIED', 'may not be used. Correct the rights of the folder and what is in it.']],
  ['EROFS', ['ACCESS_DENIED', 'is on a file system that may only be read. Choose another path.']],
  ['ELOOP', ['ACCESS_DENIED', 'holds a symbolic link, which is never followed. Remove it.']],
  ['EMFILE', ['UNAVAILABLE', 'cannot be used: this process has too many files open. Raise its limit.']],
  ['ENOENT', ['UNAVAILABLE', 'is not there, or was taken away. Make it, or let "createFolder" make it.']],
  ['ENFILE', ['UNAVAILABLE', 'cannot be used: the machine has too many files open.']],
  [
    'ENOTDIR',
    ['CONFIG_INVALID', 'cannot be one: a file is where it or a folder above it should be. Correct "path".'],
  ],
]);

/** @param folder for the message */
export function explainFileError(error: unknown, folder: string): StorageError | undefined {
  if (error instanceof StorageError) return error;
  const code = errorCode(error) ?? '';
  const [storageCode, text] = CODES.get(code) ?? [
    'UNAVAILABLE' as const,
    `failed${code === '' ? '' : ` (${code})`}. See the cause.`,
  ];
  return new StorageError(storageCode, `The folder ${folder} ${text}`, { cause: error });
}
