import { access } from 'node:fs/promises';
import type { Backend } from '../backend';
import { checkText } from '../check-arguments';
import { systemClock, type Clock } from '../clock';
import { BackendSource } from '../copy/backend-source';
import { CopyTally, type CopyCounts } from '../copy/copy-counts';
import type { CopyProgress } from '../copy/copy-options';
import { DigestOfAll, FingerprintMaker } from '../copy/fingerprints';
import { sizesOf } from '../copy/piece';
import { errorCode, StorageError } from '../errors';
import { ARCHIVE_FORM, LineSums, toArchived, type ArchiveFooter, type ArchiveHeader } from './archive-lines';
import { checkArchive } from './archive-source';
import { writeFileOfLines } from './write-file-of-lines';

export interface BackupOptions {
  /** Takes only partitions whose names begin with it, and keeps their names without it. */
  readonly fromPrefix?: string;
  /** Replaces an archive that is there; else it is `TARGET_NOT_EMPTY`. */
  readonly overwrite?: boolean;
  readonly onProgress?: (progress: Omit<CopyProgress, 'token'>) => Promise<void> | void;
  /** Ends it between two steps; it rejects with the signal's reason, and leaves no file. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

export interface BackupResult extends Pick<CopyCounts, 'values' | 'lists' | 'elements' | 'bytes'> {
  readonly digest: string;
}

/**
 * Writes everything that a backend holds into one file: JSON by lines, compressed when the name ends with `.gz`,
 * readable by this user only. The file is there when it is whole and has been read again.
 *
 * Every item is of one instant, but not all of them of the same: what is written meanwhile is in it or not.
 *
 * @throws {StorageError} `TARGET_NOT_EMPTY` when the file is there; whatever the backend rejects with; errors of the
 *   file system as they are
 */
export async function backupStorage(
  from: Backend,
  path: string,
  options: BackupOptions = {},
): Promise<BackupResult> {
  const { fromPrefix = '', overwrite = false, onProgress, signal, clock = systemClock } = options;
  checkText(fromPrefix, 'fromPrefix');
  signal?.throwIfAborted();
  // Nobody reads everything to be told only then.
  if (!overwrite && (await isThere(path))) throw isThereAlready(path);
  const tally = new CopyTally();
  const digest = new DigestOfAll();
  const lines = async function* (): AsyncGenerator<string> {
    const sums = new LineSums();
    const maker = new FingerprintMaker();
    const line = (record: object): string => sums.write(JSON.stringify(record));
    const header: ArchiveHeader = {
      recapArchive: ARCHIVE_FORM,
      createdAt: new Date(clock.now()).toISOString(),
      source: from.name,
    };
    yield line(header);
    for await (const piece of new BackendSource(from, fromPrefix).read()) {
      signal?.throwIfAborted();
      yield line(toArchived(piece));
      if (piece.type === 'list') tally.add('elements', piece.values.length);
      for (const size of sizesOf(piece)) tally.add('bytes', size);
      const made = maker.add(piece);
      if (made === undefined) continue;
      digest.add(made);
      tally.add(made.type === 'value' ? 'values' : 'lists');
      const { counts } = tally;
      await onProgress?.({ phase: 'copy', items: counts.values + counts.lists, counts });
    }
    const { values, lists, elements } = tally.counts;
    const footer: ArchiveFooter = { end: true, values, lists, elements, digest: digest.toString() };
    yield line(footer);
    result = { values, lists, elements, bytes: tally.counts.bytes, digest: footer.digest };
  };
  let result: BackupResult | undefined;
  let checked = 0;
  const check = async (written: string): Promise<void> => {
    await checkArchive(written, async (piece) => {
      signal?.throwIfAborted();
      if (piece.type === 'list' && !piece.isLast) return;
      await onProgress?.({ phase: 'verify', items: ++checked, counts: tally.counts });
    });
  };
  try {
    await writeFileOfLines(path, lines(), { overwrite, check });
  } catch (error) {
    if (!overwrite && errorCode(error) === 'EEXIST') throw isThereAlready(path, error);
    throw error;
  }
  return result!;
}

function isThereAlready(path: string, cause?: unknown): StorageError {
  const text = `There is a file ${path} already. Choose another, or overwrite it.`;
  return new StorageError('TARGET_NOT_EMPTY', text, { cause });
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
