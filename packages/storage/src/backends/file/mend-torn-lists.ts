import { corrupt, elementsOf, type DamageReport } from './file-damage';
import { nameOf } from './file-names';
import { isLonger, type FileReader } from './file-reader';
import type { FileTable, Slot } from './file-table';
import { encodeListEnd } from './list-file';
import type { TornList } from './load-files';

export interface TornLists {
  readonly reader: FileReader;
  readonly table: FileTable;
  readonly report: DamageReport;
  readonly torn: readonly TornList[];
  /** Lists whose file has all that the journal has of them. */
  readonly confirmed: ReadonlySet<Slot>;
}

/** Of lists whose file has no end, after the journal was read. Resolves to those that have to be written anew. */
export async function mendTornLists({
  reader,
  table,
  report,
  torn,
  confirmed,
}: TornLists): Promise<ReadonlySet<Slot>> {
  const { layout, backupCount } = reader;
  const lost = new Set<Slot>();
  for (const { partition, key, state, toldLength } of torn) {
    const slot = table.find({ partition, key });
    // What the journal has made of it, or put in its place, is written over the end.
    if (slot?.state !== state) continue;
    // Nothing came after it, and a crash interrupted the writing of the end.
    if (confirmed.has(slot)) {
      await writeEnd(slot, reader);
      continue;
    }
    const path = layout.fileOf(nameOf(slot), 'list');
    const problem = 'is damaged';
    const backup = await reader.backup(nameOf(slot));
    if (backup !== undefined && backupCount > 0 && !isLonger(backup, state)) {
      report.add({ path, problem, partition, key, restoredFrom: path, ...elementsOf(state, toldLength) });
      await writeEnd(slot, reader);
      continue;
    }
    const restored = backup && { restoredFrom: backup.path, ...elementsOf(backup.state, toldLength) };
    report.add({ path, problem, partition, key, ...restored });
    const error = corrupt(path, problem);
    const { seq } = slot;
    const damaged = { kind: 'damaged' as const, seq, version: '', expiresAt: undefined, error };
    table.put(slot, backup?.state ?? damaged, seq);
    slot.file = { ...slot.file!, isDamaged: true };
    lost.add(slot);
  }
  return lost;
}

async function writeEnd(slot: Slot, { layout, calls }: FileReader): Promise<void> {
  const file = slot.file!;
  const { length, endAt } = file.list!;
  const end = Buffer.from(encodeListEnd(length));
  await calls.overwriteEnd(layout.fileOf(nameOf(slot), 'list'), end, endAt);
  slot.file = { ...file, bytes: endAt + end.length };
}
