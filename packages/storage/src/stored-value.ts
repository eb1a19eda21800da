import { isUint8Array } from 'node:util/types';
import type { Item, Value } from './backend';
import type { ReadItem, StoredValue } from './driver';
import { copyBytes } from './copy-bytes';
import { StorageError } from './errors';
import { assertJson, type JsonValue } from './json-value';

/**
 * @throws {StorageError} `VALUE_INVALID` for what JSON cannot hold, `VALUE_TOO_LARGE` beyond `maxBytes`
 */
export function encodeValue(value: unknown, maxBytes: number): StoredValue {
  if (isUint8Array(value)) {
    assertSize(value.byteLength, maxBytes);
    // Not slice(): on a Buffer that is a view.
    return new Uint8Array(value);
  }
  return encodeJson(value, maxBytes);
}

/** @throws {StorageError} as `encodeValue`, with the index of the element */
export function encodeElements(values: readonly unknown[], maxBytes: number): StoredValue[] {
  // A hole is undefined, as it is in JSON.
  return Array.from(values, (value, index) => {
    try {
      return encodeValue(value, maxBytes);
    } catch (cause) {
      const { code, message } = cause as StorageError;
      throw new StorageError(code, `Element ${index}: ${message}`, { cause });
    }
  });
}

/** @throws {StorageError} as `encodeValue` */
export function encodeJson(value: unknown, maxBytes: number): string {
  const text = toJsonText(value, maxBytes);
  // No character takes more than three bytes for each of its UTF-16 units.
  if (text.length * 3 > maxBytes) assertSize(Buffer.byteLength(text), maxBytes);
  return text;
}

function toJsonText(value: unknown, maxBytes: number): string {
  try {
    assertJson(value, maxBytes);
    return JSON.stringify(value);
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    // A getter or a proxy that throws; or text longer than a string can be.
    throw new StorageError('VALUE_INVALID', 'The value cannot be read, or is longer than text can be.', {
      cause,
    });
  }
}

function assertSize(bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new StorageError(
    'VALUE_TOO_LARGE',
    `The value takes ${bytes} bytes; the limit is ${maxBytes}. Store it in parts, or raise the limit.`,
  );
}

/** @throws {StorageError} `CORRUPT` when what is stored as JSON is none. */
export function decodeValue(stored: StoredValue): Value {
  // A copy, since a driver may hand over a view of what it keeps, or of a buffer that it shares.
  return typeof stored === 'string' ? decodeJson(stored) : copyBytes(stored);
}

export function decodeJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new StorageError('CORRUPT', 'What is stored as JSON does not parse. Restore it, or delete it.', {
      cause,
    });
  }
}

export function decodeItem(item: ReadItem): Item {
  if ('type' in item) return item;
  const { key, version, expiresAt, value } = item;
  // Written out, since copying one object into another costs as much as the rest of it.
  if (value !== undefined) {
    const decoded = decodeValue(value);
    return expiresAt === undefined
      ? { type: 'value', key, value: decoded, version }
      : { type: 'value', key, value: decoded, version, expiresAt };
  }
  return expiresAt === undefined ? { type: 'list', key, version } : { type: 'list', key, version, expiresAt };
}
