import type { NewEntry } from '../entries/entry-store';
import type { QueuedExchange } from './exchange-queue';
import { packEntry, prepareEntry, wholeMicroseconds, type EntryTools } from './prepare-entry';
import { decodeSpooledEntry } from './spooled-entry';

/** Turns what was queued into what is stored of it; one that was redacted already is only packed. */
export function prepareQueued(queued: QueuedExchange, tools: EntryTools): NewEntry | Promise<NewEntry> {
  if (!('record' in queued)) return prepareEntry(queued, tools);
  const { entry, compress } = decodeSpooledEntry(queued.record);
  entry.durationMs = wholeMicroseconds(queued.durationMs);
  return packEntry(entry, compress, tools);
}
