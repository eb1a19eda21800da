import { isUint8Array } from 'node:util/types';
import type { StoredValue } from '../../driver';
import { StorageError } from '../../errors';
import type { JsonValue } from '../../json-value';
import { MAX_MONGODB_VALUE_BYTES } from '../../options/config-schemas';
import { fitsBson } from './bson-fit';
import type { MongoDocument } from './mongodb-client';

/** A value as members of a document: JSON as it is, JSON that BSON would change as its text, or bytes. */
export type Content =
  { readonly json: JsonValue } | { readonly text: string } | { readonly bytes: Uint8Array };

export type ContentKind = 'json' | 'text' | 'bytes';

/** A document may take 16 MiB, and holds more than the value. */
const MAX_BSON_BYTES = 15 * 2 ** 20;

/** How much larger than its text JSON becomes as BSON at most: `1,` takes 4 bytes, its type, and its place as text. */
const GROWTH = 6;
/** What an element takes beside its value. */
const ELEMENT_BYTES = 32;

export function toContent(value: StoredValue): Content {
  if (typeof value !== 'string') return { bytes: value };
  const json = JSON.parse(value) as JsonValue;
  return fitsBson(json, value, MAX_BSON_BYTES) ? { json } : { text: value };
}

/**
 * Elements of a list, all of which go into one document.
 *
 * @throws {StorageError} `VALUE_TOO_LARGE`
 */
export function toElements(values: readonly StoredValue[]): Content[] {
  const most = values.reduce((sum, { length }) => sum + ELEMENT_BYTES + GROWTH * length, 0);
  if (most < MAX_BSON_BYTES) return values.map(toContent);
  const bytes = values.reduce((sum, value) => sum + ELEMENT_BYTES + Buffer.byteLength(value), 0);
  if (bytes > MAX_MONGODB_VALUE_BYTES + ELEMENT_BYTES)
    throw new StorageError(
      'VALUE_TOO_LARGE',
      `Elements of ${bytes} bytes do not fit into one document of MongoDB. Append them in parts.`,
    );
  // As text they take no more than what was counted.
  return values.map((value) => (typeof value === 'string' ? { text: value } : { bytes: value }));
}

export function kindOf(content: Content): ContentKind {
  return 'json' in content ? 'json' : 'text' in content ? 'text' : 'bytes';
}

/** @throws {StorageError} `CORRUPT` */
export function fromContent(document: MongoDocument): StoredValue {
  if ('json' in document) return toText(document['json']);
  const { text, bytes } = document;
  if (typeof text === 'string') return text;
  if (isUint8Array(bytes)) return bytes;
  throw new StorageError('CORRUPT', 'A document holds no value that is known. Something else wrote it.');
}

/** Deeper than almost all JSON; what calls itself goes no deeper. */
const SHALLOW = 8;
/** What a number takes, about. */
const NUMBER_BYTES = 8;

/**
 * About what JSON takes; less than 0 where it is deep, or not JSON beyond doubt: another program may have written
 * values that only BSON has.
 */
export function sizeOfJson(value: unknown, depth = SHALLOW): number {
  switch (typeof value) {
    case 'string':
      return value.length;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? NUMBER_BYTES : -1;
    case 'boolean':
      return 1;
    case 'object':
      return value === null ? 1 : depth === 0 ? -1 : sizeOfMembers(value, depth - 1);
    default:
      return -1;
  }
}

function sizeOfMembers(container: object, depth: number): number {
  let size = 2;
  if (Array.isArray(container)) {
    for (const element of container as readonly unknown[]) {
      const bytes = sizeOfJson(element, depth);
      if (bytes < 0) return -1;
      size += bytes + 1;
    }
    return size;
  }
  if (Object.getPrototypeOf(container) !== Object.prototype) return -1;
  for (const name in container) {
    const bytes = sizeOfJson((container as Readonly<Record<string, unknown>>)[name], depth);
    if (bytes < 0) return -1;
    size += name.length + bytes + 4;
  }
  return size;
}

function toText(json: unknown): string {
  const text = JSON.stringify(json);
  // An integer that only another program writes: no number of ours is one.
  return text.includes('"unsigned":') ? JSON.stringify(json, withoutLong) : text;
}

function withoutLong(_name: string, value: unknown): unknown {
  const { _bsontype } = (value ?? {}) as { readonly _bsontype?: unknown };
  return _bsontype === 'Long' ? Number(String(value)) : value;
}
