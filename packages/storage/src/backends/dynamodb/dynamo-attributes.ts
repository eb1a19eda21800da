import type { StoredValue } from '../../driver';
import { StorageError } from '../../errors';
import type { Attribute, Attributes } from './dynamo-client';

export const number = (value: number): Attribute => ({ N: String(value) });

export function readNumber(item: Attributes, name: string): number | undefined {
  const text = item[name]?.N;
  return text === undefined ? undefined : Number(text);
}

/** Text stays readable in the console of the server; bytes are bytes. */
export function toAttribute(value: StoredValue): Attribute {
  return typeof value === 'string' ? { S: value } : { B: value };
}

export function fromAttribute({ S: text, B: bytes }: Attribute): StoredValue {
  const value = text ?? bytes;
  if (value === undefined) throw corrupt();
  return value;
}

export function byteLength(value: StoredValue): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : value.length;
}

export function corrupt(): StorageError {
  return new StorageError(
    'CORRUPT',
    'What is stored in DynamoDB is incomplete, or something else wrote it. Restore it, or delete it.',
  );
}
