import { randomBytes } from 'node:crypto';
import { crc32c } from './crc32c';

/*
 * A segment: magic (8 bytes), version (4), number (4), sync word (8), CRC-32C of these (4), then records.
 * A record: the segment's sync word (8), CRC-32C of length and payload (4), length of the payload (4), payload.
 * Numbers are in little endian. The sync word is random, so that what a client sent cannot pass for a record
 * when a damaged file is searched for the next one.
 */
const MAGIC = Buffer.from('RECAPSPL', 'latin1');
const VERSION = 1;
const SYNC_BYTES = 8;
const LENGTH_AT = 12;
const HEADER_CHECKED_BYTES = 24;
export const SEGMENT_HEADER_BYTES = 28;
export const RECORD_HEADER_BYTES = 16;

/** A record within the bytes of its segment. */
export interface FoundRecord {
  readonly offset: number;
  /** Of header and payload. */
  readonly length: number;
  readonly payload: Buffer;
}

export interface SegmentReading {
  readonly records: readonly FoundRecord[];
  /** Stretches that hold no whole record: torn or damaged. */
  readonly corrupt: number;
}

export function newSyncWord(): Buffer {
  return randomBytes(SYNC_BYTES);
}

export function segmentHeader(number: number, syncWord: Buffer): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(VERSION, 8);
  header.writeUInt32LE(number, 12);
  syncWord.copy(header, 16);
  header.writeUInt32LE(crc32c(header, 0, HEADER_CHECKED_BYTES), HEADER_CHECKED_BYTES);
  return header;
}

/** @param record room for the header, then the payload; the header is written into it */
export function sealRecord(record: Buffer, syncWord: Buffer): void {
  syncWord.copy(record);
  record.writeUInt32LE(record.length - RECORD_HEADER_BYTES, LENGTH_AT);
  record.writeUInt32LE(crc32c(record, LENGTH_AT), SYNC_BYTES);
}

/** The payload of one record that was read back; `undefined` when it is not what was written. */
export function payloadOf(record: Buffer): Buffer | undefined {
  if (record.length < RECORD_HEADER_BYTES) return undefined;
  if (RECORD_HEADER_BYTES + record.readUInt32LE(LENGTH_AT) !== record.length) return undefined;
  if (record.readUInt32LE(SYNC_BYTES) !== crc32c(record, LENGTH_AT)) return undefined;
  return record.subarray(RECORD_HEADER_BYTES);
}

/** Every whole record of a segment, however much of the rest is damaged. */
export function readSegment(bytes: Buffer): SegmentReading {
  const syncWord = syncWordOf(bytes);
  if (syncWord === undefined) return { records: [], corrupt: bytes.length === 0 ? 0 : 1 };
  const records: FoundRecord[] = [];
  let corrupt = isHeaderWhole(bytes) ? 0 : 1;
  let at = SEGMENT_HEADER_BYTES;
  while (at < bytes.length) {
    const record = recordAt(bytes, at, syncWord);
    if (record !== undefined) {
      records.push(record);
      at += record.length;
      continue;
    }
    corrupt += 1;
    for (at = bytes.indexOf(syncWord, at + 1); at !== -1; at = bytes.indexOf(syncWord, at + 1)) {
      if (recordAt(bytes, at, syncWord) !== undefined) break;
    }
    if (at === -1) break;
  }
  return { records, corrupt };
}

function recordAt(bytes: Buffer, offset: number, syncWord: Buffer): FoundRecord | undefined {
  if (offset + RECORD_HEADER_BYTES > bytes.length) return undefined;
  if (!bytes.subarray(offset, offset + SYNC_BYTES).equals(syncWord)) return undefined;
  const length = RECORD_HEADER_BYTES + bytes.readUInt32LE(offset + LENGTH_AT);
  if (offset + length > bytes.length) return undefined;
  const payload = payloadOf(bytes.subarray(offset, offset + length));
  return payload && { offset, length, payload };
}

function isHeaderWhole(bytes: Buffer): boolean {
  return (
    bytes.length >= SEGMENT_HEADER_BYTES &&
    bytes.subarray(0, MAGIC.length).equals(MAGIC) &&
    bytes.readUInt32LE(8) === VERSION &&
    bytes.readUInt32LE(HEADER_CHECKED_BYTES) === crc32c(bytes, 0, HEADER_CHECKED_BYTES)
  );
}

/** When the header is damaged, the first record has the word as well. */
function syncWordOf(bytes: Buffer): Buffer | undefined {
  if (isHeaderWhole(bytes)) return bytes.subarray(16, 16 + SYNC_BYTES);
  if (bytes.length < SEGMENT_HEADER_BYTES + RECORD_HEADER_BYTES) return undefined;
  return bytes.subarray(SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + SYNC_BYTES);
}
