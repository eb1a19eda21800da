import { isUint8Array } from 'node:util/types';
import type { Address, Value, Write } from './backend';
import { copyBytes } from './copy-bytes';
import { decodeJson, encodeJson } from './stored-value';

/**
 * A copy that the caller cannot change any more, for whoever hands a value on later than in the same turn. What no
 * backend takes is left as it is, for the backend to refuse.
 */
export function copyValue(value: Value, maxValueBytes: number): Value {
  if (isUint8Array(value)) return copyBytes(value);
  if (typeof value !== 'object' || value === null) return value;
  try {
    return decodeJson(encodeJson(value, maxValueBytes));
  } catch {
    // It is invalid or too large, and will be then.
    return value;
  }
}

/** An address that the caller cannot change any more; what is none is left for the backend to refuse. */
export function copyAddress(address: Address): Address {
  const isNone = typeof address !== 'object' || (address as Address | null) === null;
  return isNone ? address : { partition: address.partition, key: address.key };
}

/** Options that the caller cannot change any more, with more of them; what is no object is left for the backend to refuse. */
export function copyOptions<T extends object, More extends object>(
  options: T | undefined,
  more: More,
): T & More {
  const isNone = options !== undefined && (typeof options !== 'object' || (options as T | null) === null);
  return isNone ? (options as T & More) : ({ ...options, ...more } as T & More);
}

/** As `copyValue` of each; a hole is undefined, and what is no array is left as it is. */
export function copyValues(values: readonly Value[], maxValueBytes: number): readonly Value[] {
  return Array.isArray(values)
    ? Array.from(values, (value: Value) => copyValue(value, maxValueBytes))
    : values;
}

export interface PrepareOptions {
  /** Makes versions. */
  readonly newId: () => string;
  /** Of the backend; without it, values are not copied. */
  readonly maxValueBytes?: number | undefined;
}

/** A write that can be made again: with a version, and with values that are its own. */
export function prepareWrite(write: Write, { newId, maxValueBytes }: PrepareOptions): Write {
  if (!isWrite(write)) return write;
  if (write.type === 'delete') return { ...write };
  const version = write.version ?? newId();
  if (maxValueBytes === undefined) return { ...write, version };
  return write.type === 'set'
    ? { ...write, version, value: copyValue(write.value, maxValueBytes) }
    : { ...write, version, values: copyValues(write.values, maxValueBytes) };
}

/** Whether one of them appends, which cannot be made again without harm. */
export function hasAppend(writes: readonly Write[]): boolean {
  return writes.some((write) => isWrite(write) && write.type === 'append');
}

/** From JavaScript anything may come, and the backend refuses it. */
function isWrite(write: unknown): write is Write {
  const { type } = (write ?? {}) as { type?: unknown };
  return type === 'set' || type === 'append' || type === 'delete';
}
