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
  checkText(options.toPrefix, 'toPrefix');
  return await restoreArchive(await openArchive(path, options.signal), to, options);
}

/** Checks all of an archive. */
export async function openArchive(path: string, signal?: AbortSignal): Promise<ArchiveSource> {
  return new ArchiveSource(path, await checkArchive(path, () => signal?.throwIfAborted()));
}

export async function restoreArchive(
  source: ArchiveSource,
  to: Backend,
  { toPrefix = '', ...options }: RestoreOptions,
): Promise<CopyResult> {
  const ends = restoreEnds(source, endName(to), toPrefix);
  return await copyPieces(source, to, { ...options, prefix: toPrefix, ends });
}

/** What tells a restore from others, for tokens. */
export function restoreEnds({ sum }: ArchiveSource, target: string, toPrefix: string): readonly string[] {
  return [`archive ${sum}`, target, toPrefix];
}
