import { isUint8Array } from 'node:util/types';
import type { StoredValue } from '../../driver';
import { StorageError } from '../../errors';
import type { JsonValue } from '../../json-value';
import { fitsBson } from './bson-fit';
import type { MongoDocument } from './mongodb-client';

/** A value as members of a document: JSON as it is, JSON that BSON would change as its text, or bytes. */
export type Content =
  { readonly json: JsonValue } | { readonly text: string } | { readonly bytes: Uint8Array };

export type ContentKind = 'json' | 'text' | 'bytes';

/** A document may take 16 MiB, and holds more than the value. */
const MAX_BSON_BYTES = 15 * 2 ** 20;

export function toContent(value: StoredValue): Content {
  if (typeof value !== 'string') return { bytes: value };
  const json = JSON.parse(value) as JsonValue;
  return fitsBson(json, value, MAX_BSON_BYTES) ? { json } : { text: value };
}

export function kindOf(content: Content): ContentKind {
  return 'json' in content ? 'json' : 'text' in content ? 'text' : 'bytes';
}

/** @throws {StorageError} `CORRUPT` */
export function fromContent(document: MongoDocument): StoredValue {
  if ('json' in document) return JSON.stringify(document['json']);
  const { text, bytes } = document;
  if (typeof text === 'string') return text;
  if (isUint8Array(bytes)) return bytes;
  throw new StorageError('CORRUPT', 'A document holds no value that is known. Something else wrote it.');
}
