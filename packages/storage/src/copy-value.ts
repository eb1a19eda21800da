import { isUint8Array } from 'node:util/types';
import type { Value, Write } from './backend';
import { copyBytes } from './copy-bytes';
import { assertJson } from './json-value';

/** A copy that the caller cannot change any more, for whoever hands a value on later than in the same turn. */
export function copyValue(value: Value): Value {
  if (isUint8Array(value)) return copyBytes(value);
  try {
    assertJson(value);
  } catch {
    // Left as it is, for the backend to refuse.
    return value;
  }
  return typeof value === 'object' ? (JSON.parse(JSON.stringify(value)) as Value) : value;
}

export function copyWrite(write: Write): Write {
  switch (write.type) {
    case 'set':
      return { ...write, value: copyValue(write.value) };
    case 'append':
      return { ...write, values: write.values.map(copyValue) };
    default:
      return write;
  }
}
