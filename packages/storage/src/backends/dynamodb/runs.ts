import type { StoredValue } from '../../driver';
import { corrupt } from './dynamo-attributes';

/*
 * A run is bytes that take more than one item may hold, cut into parts. That of several elements of a list begins each
 * of them with its kind, `j` or `b`, and its length in four bytes.
 */

/** An item has 409,600 bytes, its keys and names among them. */
export const PART_BYTES = 384 * 1_024;

const JSON_KIND = 0x6a;
const BYTES_KIND = 0x62;
const HEAD_BYTES = 5;

export function cut(bytes: Buffer): readonly Buffer[] {
  const count = Math.max(Math.ceil(bytes.length / PART_BYTES), 1);
  return Array.from({ length: count }, (_, part) =>
    bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES),
  );
}

export function encodeElements(values: readonly StoredValue[]): Buffer {
  return Buffer.concat(
    values.flatMap((value) => {
      const bytes = typeof value === 'string' ? Buffer.from(value) : value;
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeUInt8(typeof value === 'string' ? JSON_KIND : BYTES_KIND, 0);
      head.writeUInt32BE(bytes.length, 1);
      return [head, bytes];
    }),
  );
}

/** @throws {StorageError} `CORRUPT` */
export function decodeElements(bytes: Buffer, count: number): StoredValue[] {
  const values: StoredValue[] = [];
  let at = 0;
  while (values.length < count) {
    if (at + HEAD_BYTES > bytes.length) throw corrupt();
    const end = at + HEAD_BYTES + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) throw corrupt();
    const own = bytes.subarray(at + HEAD_BYTES, end);
    values.push(bytes.readUInt8(at) === JSON_KIND ? own.toString() : own);
    at = end;
  }
  if (at !== bytes.length) throw corrupt();
  return values;
}
