import { randomBytes } from 'node:crypto';
import { StorageError } from '@recap/storage';
import { crc32c } from './crc32c';

/*
 * A segment: magic (8 bytes), version (4), number (4), sync word (8), CRC-32C of these (4), then records.
 * A record: the segment's sync word (8), CRC-32C of length and payload (4), length of the payload (4), payload.
 * Numbers are in little endian. The sync word is random, so that what a client sent cannot pass for a record
 * when a damaged file is searched for the next one.
 */
const MAGIC = Buffer.from('RECAPSPL', 'latin1');
/** Of what is in the records, too: a segment of another version is not read. */
const VERSION = 1;
const VERSION_AT = 8;
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

export function newSyncWord(): Buffer {
  return randomBytes(SYNC_BYTES);
}

export function segmentHeader(number: number, syncWord: Buffer): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(VERSION, VERSION_AT);
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

/**
 * Every whole record of a segment, however much of the rest is damaged, one by one: the checksums of a full segment take
 * longer than a program's thread may be held. `undefined` stands for a stretch that holds none, torn or damaged.
 *
 * @throws {StorageError} `UNAVAILABLE` for a segment of another version, before anything of it is given
 */
export function* readSegment(bytes: Buffer): Generator<FoundRecord | undefined, void> {
  const isWhole = isHeaderWhole(bytes);
  const version = isWhole ? bytes.readUInt32LE(VERSION_AT) : VERSION;
  if (version !== VERSION) {
    const reason = `its form has the number ${version}, and this one reads ${VERSION}`;
    throw new StorageError('UNAVAILABLE', `Another version of Recap left the spool file: ${reason}.`);
  }
  if (!isWhole && bytes.length > 0) yield undefined;
  const syncWord = isWhole ? bytes.subarray(16, 16 + SYNC_BYTES) : syncWordOfFirst(bytes);
  if (syncWord === undefined) return;
  let at = SEGMENT_HEADER_BYTES;
  while (at < bytes.length) {
    const record = recordAt(bytes, at, syncWord);
    if (record !== undefined) {
      yield record;
      at += record.length;
      continue;
    }
    yield undefined;
    for (at = bytes.indexOf(syncWord, at + 1); at !== -1; at = bytes.indexOf(syncWord, at + 1)) {
      if (recordAt(bytes, at, syncWord) !== undefined) break;
    }
    if (at === -1) return;
  }
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
    bytes.readUInt32LE(HEADER_CHECKED_BYTES) === crc32c(bytes, 0, HEADER_CHECKED_BYTES)
  );
}

/** When the header is damaged, the first record has the word as well. */
function syncWordOfFirst(bytes: Buffer): Buffer | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES + RECORD_HEADER_BYTES) return undefined;
  return bytes.subarray(SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + SYNC_BYTES);
}
