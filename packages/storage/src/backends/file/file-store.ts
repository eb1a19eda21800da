import { DamageReport, type FileDamage } from './file-damage';
import { Checkpointer } from './checkpointer';
import { FileCalls } from './file-calls';
import { FileReader } from './file-reader';
import type { FileSystem } from './file-system';
import { FileTable } from './file-table';
import { FileWriter } from './file-writer';
import { describeFolder } from './folder-description';
import { FolderLayout } from './folder-layout';
import { FolderLock } from './folder-lock';
import { Journal } from './journal';
import { loadFiles } from './load-files';
import { loadJournal } from './load-journal';
import { mendTornLists } from './mend-torn-lists';

export interface FileStoreOptions {
  readonly system: FileSystem;
  readonly fileMode: number;
  readonly shardCount: number | undefined;
  readonly backupCount: number;
  readonly onDamage: (damage: FileDamage) => void;
  readonly onError: (error: unknown) => void;
}

/** A folder that is open for this program. */
export interface FileStore {
  readonly table: FileTable;
  readonly journal: Journal;
  readonly reader: FileReader;
  readonly checkpointer: Checkpointer;
  readonly report: DamageReport;
  /** Names of damaged files of which not even the key is known. */
  readonly unknown: Set<string>;
  close(): Promise<void>;
}

/** @param root behind symbolic links, and there */
export async function openFileStore(root: string, options: FileStoreOptions): Promise<FileStore> {
  const calls = new FileCalls(options.system, options.fileMode);
  const { lock: lockFolder } = new FolderLayout(root, 1);
  await calls.makeFolder(lockFolder);
  const lock = new FolderLock(lockFolder, calls, options.onError);
  await lock.take();
  try {
    const store = await load(root, calls, options, () => lock.check());
    return { ...store, close: () => closeAll(store, lock) };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function load(
  root: string,
  calls: FileCalls,
  { shardCount, backupCount, onDamage, onError }: FileStoreOptions,
  check: () => Promise<void>,
): Promise<Omit<FileStore, 'close'>> {
  const report = new DamageReport(root, onDamage);
  const layout = await describeFolder(root, calls, shardCount, (path, problem) => {
    report.add({ path, problem: `${problem}; it was written anew` });
  });
  const reader = new FileReader(layout, calls, backupCount);
  const table = new FileTable();
  const { unknown, torn } = await loadFiles(reader, table, report);
  const { changed, confirmed, ...found } = await loadJournal(reader, table, report);
  let { lastSeq } = found;
  for (const slot of table.all()) lastSeq = Math.max(lastSeq, slot.seq);
  const journal = new Journal({ folder: layout.journal, calls, check, found: { ...found, lastSeq } });
  const checkpointer = new Checkpointer({
    ...{ writer: new FileWriter(reader, check), calls, table, journal, check, onError },
  });
  for (const slot of changed) checkpointer.add(slot);
  for (const slot of table.all()) if (slot.file?.isDamaged) checkpointer.add(slot);
  const lost = await mendTornLists({ reader, table, report, torn, confirmed });
  for (const slot of lost) checkpointer.add(slot);
  return { table, journal, reader, checkpointer, report, unknown: new Set(unknown) };
}

async function closeAll(
  { checkpointer, journal }: Omit<FileStore, 'close'>,
  lock: FolderLock,
): Promise<void> {
  try {
    await checkpointer.close();
    await journal.close();
  } finally {
    await lock.release();
  }
}
