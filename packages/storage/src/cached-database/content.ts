import type { Value } from '../backend';
import { decodeValue, encodeValue } from '../stored-value';

export interface KnownContent {
  readonly value: Value;
}

/** What the database has under a key: a value, or nothing. */
export type Content = KnownContent | 'nothing';

export function toContent(value: unknown): Content {
  return value === undefined ? 'nothing' : { value: value as Value };
}

export function copyOf(content: Content): Content {
  return content === 'nothing' ? content : { value: decodeValue(encodeValue(content.value, Infinity)) };
}
