import type { Backend } from '../backend';
import { checkText } from '../check-arguments';
import type { CopyOptions, CopyResult } from '../copy/copy-options';
import { copyPieces } from '../copy/copy-pieces';
import { endName } from '../copy/storage-identity';
import { ArchiveSource, checkArchive } from './archive-source';

export interface RestoreOptions extends CopyOptions {
  /** Begins the names of the partitions that are written. */
  readonly toPrefix?: string;
}

/**
 * Copies an archive into a backend, which has to be open, once all of the archive has been checked. What has expired
 * since is left out.
 *
 * @throws {StorageError} `ARCHIVE_INVALID`, naming the line, before anything is written; and as `copyStorage`
 */
export async function restoreStorage(
  path: string,
  to: Backend,
  options: RestoreOptions = {},
): Promise<CopyResult> {
  const { toPrefix = '', ...rest } = options;
  checkText(toPrefix, 'toPrefix');
  const summary = await checkArchive(path, () => options.signal?.throwIfAborted());
  const source = new ArchiveSource(path, summary);
  return await copyPieces(source, to, {
    ...rest,
    prefix: toPrefix,
    ends: [`archive ${summary.sum}`, endName(to), toPrefix],
  });
}
