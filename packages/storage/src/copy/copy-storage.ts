import type { Backend } from '../backend';
import { checkText } from '../check-arguments';
import { StorageError } from '../errors';
import { BackendSource } from './backend-source';
import type { CopyOptions, CopyResult } from './copy-options';
import { copyPieces } from './copy-pieces';
import { endName, isSameStorage } from './storage-identity';

export interface CopyStorageOptions extends CopyOptions {
  /** Copies only partitions whose names begin with it; all of them unless given. */
  readonly fromPrefix?: string;
  /** Takes the place of `fromPrefix`. */
  readonly toPrefix?: string;
}

/**
 * Copies everything from one backend into another: values, lists, expiries and versions. Both have to be open, and stay
 * open. It takes memory for a few MiB and the largest values, however much there is.
 *
 * A value keeps its version. So does a list: that of its last append; the seven before it, by which older appends are
 * recognised when they are made again, stay behind.
 *
 * @throws {CopyError} `TARGET_NOT_EMPTY`; `VALUE_TOO_LARGE`; `COPY_DIFFERS` when both sides are not the same in the end,
 *   since somebody wrote meanwhile, or something is damaged
 * @throws {StorageError} `ARGUMENT_INVALID` for a token of another copy; `CONFLICT` when somebody writes to a list of
 *   the target meanwhile; whatever one of the two rejects with. The last token of `onProgress` goes on from there.
 */
export async function copyStorage(
  from: Backend,
  to: Backend,
  options: CopyStorageOptions = {},
): Promise<CopyResult> {
  const { fromPrefix = '', toPrefix = '', ...rest } = options;
  checkText(fromPrefix, 'fromPrefix');
  checkText(toPrefix, 'toPrefix');
  const overlap = fromPrefix.startsWith(toPrefix) || toPrefix.startsWith(fromPrefix);
  if (overlap && isSameStorage(from, to))
    throw new StorageError(
      'ARGUMENT_INVALID',
      'Source and target of a copy are the same, or one is within the other. Choose another target, or a prefix that does not begin with the other.',
    );
  const ends = copyEnds(endName(from), endName(to), fromPrefix, toPrefix);
  return await copyPieces(new BackendSource(from, fromPrefix), to, { ...rest, prefix: toPrefix, ends });
}

/** What tells a copy from others, for tokens. */
export function copyEnds(from: string, to: string, fromPrefix: string, toPrefix: string): readonly string[] {
  return [from, to, fromPrefix, toPrefix];
}
