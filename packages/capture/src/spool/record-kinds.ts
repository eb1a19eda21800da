import type { Payload } from '../recorder/spooled-entry';
import type { RecordPlace } from './segment';

/** The first byte of a record. */
export const ENTRY = 1;
/** Places of records that are done. */
export const DONE = 2;
/** A place, and the entry that was there. */
export const MOVED = 3;

/** Number of the segment, and offset. */
const PLACE_BYTES = 8;

/** Places by the number of their segment and by their offset. */
export type PlacesLeft = Map<number, Map<number, RecordPlace>>;

export function donePayload(places: readonly RecordPlace[]): Payload {
  return {
    maxBytes: PLACE_BYTES * places.length,
    writeTo: (target, start) => {
      let at = start;
      for (const place of places) at = writePlace(target, at, place);
      return at;
    },
  };
}

export function movedPayload(from: RecordPlace, entry: Buffer): Payload {
  return {
    maxBytes: PLACE_BYTES + entry.length,
    writeTo: (target, start) => {
      const at = writePlace(target, start, from);
      return at + entry.copy(target, at);
    },
  };
}

function writePlace(target: Buffer, at: number, { segment, offset }: RecordPlace): number {
  target.writeUInt32LE(segment.number, at);
  target.writeUInt32LE(offset, at + 4);
  return at + PLACE_BYTES;
}

/** What a record, with its kind, says: takes from `left` what is needed no more, and tells whether it has an entry itself. */
export function noteRecord(left: PlacesLeft, record: Buffer): boolean {
  const kind = record[0];
  const end = kind === DONE ? record.length : kind === MOVED ? 1 + PLACE_BYTES : 0;
  for (let at = 1; at + PLACE_BYTES <= end; at += PLACE_BYTES) {
    left.get(record.readUInt32LE(at))?.delete(record.readUInt32LE(at + 4));
  }
  return kind === ENTRY || kind === MOVED;
}

/** The entry of a record that has one. */
export function entryIn(record: Buffer): Buffer {
  return record.subarray(record[0] === MOVED ? 1 + PLACE_BYTES : 1);
}
