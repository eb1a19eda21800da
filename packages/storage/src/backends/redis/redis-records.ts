import type { StoredItem, StoredValue } from '../../driver';
import { StorageError } from '../../errors';

/*
 * A value is one string of the server, a list one list with this head as its first element, so that SET replaces
 * either, and each is one key with one expiry:
 *
 *   j<version> <expiresAt or nothing>\n<JSON text>
 *   b<version> <expiresAt or nothing>\n<bytes>
 *   l<version> <expiresAt or nothing>\n<versions of the last appends>
 *
 * An element of a list is `j<JSON text>` or `b<bytes>`.
 */

const NEWLINE = 0x0a;

export function encodeRecord(
  value: StoredValue,
  version: string,
  expiresAt: number | undefined,
): string | Buffer {
  const rest = `${version} ${expiresAt ?? ''}\n`;
  return typeof value === 'string' ? `j${rest}${value}` : Buffer.concat([Buffer.from(`b${rest}`), value]);
}

export function encodeElement(value: StoredValue): string | Buffer {
  return typeof value === 'string' ? `j${value}` : Buffer.concat([Buffer.from('b'), value]);
}

export function decodeRecord(key: string, record: Buffer): StoredItem {
  const end = record.indexOf(NEWLINE);
  const head = record.toString('latin1', 0, Math.max(end, 0));
  const space = head.indexOf(' ');
  if (space < 0) throw unknown();
  const version = head.slice(1, space);
  const expiresAt = space + 1 < head.length ? Number(head.slice(space + 1)) : undefined;
  switch (head[0]) {
    case 'j':
      return { key, value: record.toString('utf8', end + 1), version, expiresAt };
    case 'b':
      return { key, value: record.subarray(end + 1), version, expiresAt };
    case 'l':
      return { key, value: undefined, version, expiresAt };
    default:
      throw unknown();
  }
}

export function decodeElement(element: Buffer): StoredValue {
  const kind = element.toString('latin1', 0, 1);
  if (kind === 'j') return element.toString('utf8', 1);
  if (kind === 'b') return element.subarray(1);
  throw unknown();
}

function unknown(): StorageError {
  return new StorageError(
    'CORRUPT',
    'What is stored in Redis has no head that is known. Something else wrote it: give it another "keyPrefix".',
  );
}
