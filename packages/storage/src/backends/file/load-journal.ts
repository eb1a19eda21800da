import { join } from 'node:path';
import { continues, makesLast, stateAfter } from './apply-change';
import { corrupt, isNoFile, type DamageReport } from './file-damage';
import { nameOf } from './file-names';
import type { FileReader } from './file-reader';
import { removedFile, type FileTable, type Slot } from './file-table';
import { segmentNumber, type Segment } from './journal';
import { decodeChanges, type Change, type JournalLine } from './journal-line';
import { LINE_BEGIN, LINE_END, unsealLine } from './sealed-line';

interface ReadSegment {
  readonly segment: Segment;
  /** What counts of the segments before. */
  readonly after: number;
  readonly lines: readonly JournalLine[];
}

export interface LoadedJournal {
  readonly segments: Segment[];
  readonly lastSeq: number;
  /** What has to be brought to its file. */
  readonly changed: ReadonlySet<Slot>;
  /** Lists whose file has all that the journal has of them. */
  readonly confirmed: ReadonlySet<Slot>;
}

/** Makes the changes that were answered and may not have reached their files. */
export async function loadJournal(
  { layout, calls, backupCount }: FileReader,
  table: FileTable,
  report: DamageReport,
): Promise<LoadedJournal> {
  const { journal: folder } = layout;
  const keepsOlder = backupCount > 0;
  const fileOf = (slot: Slot): string => layout.fileOf(nameOf(slot), slot.file?.kind ?? 'value');
  const names = await calls.system.list(folder);
  const numbered = names.map((entry) => ({ ...entry, number: segmentNumber(entry.name) }));
  const read: ReadSegment[] = [];
  for (const { name, kind, number } of numbered.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (number === undefined) continue;
    const path = join(folder, name);
    if (kind !== 'file') {
      report.add({ path, problem: `${isNoFile(kind)}: writes may be missing` });
      continue;
    }
    const bytes = (await calls.read(path)) ?? Buffer.alloc(0);
    read.push(readSegment({ number, path, bytes: bytes.length }, bytes, report));
  }
  const changed = new Set<Slot>();
  const confirmed = new Set<Slot>();
  let lastSeq = 0;
  for (const [index, { lines, segment }] of read.entries()) {
    // A segment that could not be written to its end was given up, and those after it say where.
    const upTo = Math.min(Infinity, ...read.slice(index + 1).map(({ after }) => after));
    for (const { seq, of, changes } of lines) {
      lastSeq = Math.max(lastSeq, seq);
      if (seq > upTo) continue;
      for (const [at, address] of of.entries()) {
        const slot = table.findOrAdd(address);
        if (slot.seq === seq && makesLast(changes?.[at], slot)) confirmed.add(slot);
        if (slot.seq >= seq) continue;
        apply(changes?.[at], seq, slot, segment.path);
        changed.add(slot);
      }
    }
  }
  return { segments: read.map(({ segment }) => segment), lastSeq, changed, confirmed };

  function apply(change: Change | undefined, seq: number, slot: Slot, path: string): void {
    if (change !== undefined && continues(change, slot)) {
      table.put(slot, stateAfter(change, seq, slot.state), seq);
      // Its file may have been removed already, and of its backups not all.
      if (change.type === 'delete') slot.file ??= removedFile(backupCount);
      return;
    }
    const { partition, key, state } = slot;
    if (state?.kind === 'damaged') return;
    const problem = change === undefined ? 'is damaged' : 'continues a list that is not as it was';
    // What was there before the write is what a backup would be.
    const isKept = keepsOlder && state !== undefined;
    report.add({ path, problem, partition, key, ...(isKept && { restoredFrom: fileOf(slot) }) });
    if (isKept) return;
    const error = corrupt(path, problem);
    table.put(slot, { kind: 'damaged', seq, version: '', expiresAt: undefined, error }, seq);
  }
}

function readSegment(segment: Segment, bytes: Buffer, report: DamageReport): ReadSegment {
  const lines: JournalLine[] = [];
  let after = Infinity;
  let isDamaged = false;
  let at = 0;
  for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, at)) {
    const text = bytes.subarray(at, end + 1);
    at = end + 1;
    const head = lines.length === 0 ? unsealLine(text.subarray(0, -1)) : undefined;
    if (head !== undefined && 'segment' in head) {
      after = Number(head['after']);
      continue;
    }
    const line = decodeChanges(text);
    if (line !== undefined) lines.push(line);
    if (line?.changes !== undefined) continue;
    isDamaged ||= line === undefined;
    // Where the end of a line is damaged, the next one is behind it.
    const next = text.indexOf(LINE_BEGIN, 1);
    if (next !== -1) at -= text.length - next;
  }
  // What a process that was ended has begun has no line end, and was not answered.
  const rest = bytes.subarray(at);
  if (isDamaged || rest.includes(0))
    report.add({ path: segment.path, problem: 'is damaged: writes may be missing' });
  return { segment, after, lines };
}
