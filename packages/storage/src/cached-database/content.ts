import type { Value } from '../backend';
import { decodeValue, encodeValue } from '../stored-value';

/** What the database has under a key: a value, or nothing. */
export type Content = { readonly value: Value } | 'nothing';

export function toContent(value: unknown): Content {
  return value === undefined ? 'nothing' : { value: value as Value };
}

export function copyOf(content: Content): Content {
  return content === 'nothing' ? content : { value: decodeValue(encodeValue(content.value, Infinity)) };
}
