import type { Address, AppendOptions, DeleteOptions, SetOptions, Value, Write } from './backend';
import {
  checkAddress,
  checkArray,
  checkCount,
  checkExpiry,
  checkNames,
  checkObject,
  checkVersion,
} from './check-arguments';
import type { AppendWrite, DeleteWrite, DriverWrite, SetWrite } from './driver';
import { StorageError } from './errors';
import { encodeElements, encodeValue } from './stored-value';

export interface WriteContext {
  readonly newId: () => string;
  readonly maxValueBytes: number;
}

const MAX_ELEMENTS = 1_000;

/** Of writes; their options alone may be such a write, too. */
const COMMON = ['type', 'partition', 'key'];
const SET = ['expiresAt', 'version', 'ifAbsent', 'ifVersion', 'value', ...COMMON];
const APPEND = ['expiresAt', 'version', 'values', ...COMMON];
const DELETE = ['ifVersion', ...COMMON];

/** @throws {StorageError} for every argument that is out of order */
export function toDriverWrite(write: Write, now: number, context: WriteContext): DriverWrite {
  checkAddress(write);
  switch (write.type) {
    case 'delete':
      return toDeleteWrite(write, write);
    case 'append':
      return toAppendWrite(write, write.values, write, now, context);
    case 'set':
      return toSetWrite(write, write.value, write, now, context);
    default:
      throw new StorageError(
        'ARGUMENT_INVALID',
        `A write's type is "set", "append" or "delete"; this is "${String((write as { type: unknown }).type)}".`,
      );
  }
}

/** @throws {StorageError} as `toDriverWrite` */
export function toSetWrite(
  address: Address,
  value: Value,
  options: SetOptions,
  now: number,
  { newId, maxValueBytes }: WriteContext,
): SetWrite {
  checkAddress(address);
  checkObject(options, 'options');
  checkNames(options, SET, 'A set');
  const { partition, key } = address;
  const { expiresAt, version: given, ifAbsent = false, ifVersion } = options;
  checkExpiry(expiresAt, now);
  checkVersion(given, 'version');
  checkVersion(ifVersion, 'ifVersion');
  if (ifAbsent && ifVersion !== undefined)
    throw new StorageError('ARGUMENT_INVALID', '"ifAbsent" and "ifVersion" exclude each other.');
  const version = given ?? newId();
  const encoded = encodeValue(value, maxValueBytes);
  return { type: 'set', partition, key, value: encoded, version, expiresAt, ifAbsent, ifVersion };
}

/** @throws {StorageError} as `toDriverWrite` */
export function toAppendWrite(
  address: Address,
  values: readonly Value[],
  options: AppendOptions,
  now: number,
  { newId, maxValueBytes }: WriteContext,
): AppendWrite {
  checkAddress(address);
  checkObject(options, 'options');
  checkNames(options, APPEND, 'An append');
  checkArray(values, 'values');
  const { partition, key } = address;
  const { expiresAt, version = newId() } = options;
  checkExpiry(expiresAt, now);
  checkVersion(version, 'version');
  checkCount(values.length, 'values.length', MAX_ELEMENTS);
  const encoded = encodeElements(values, maxValueBytes);
  return { type: 'append', partition, key, values: encoded, version, expiresAt };
}

/** @throws {StorageError} as `toDriverWrite` */
export function toDeleteWrite(address: Address, options: DeleteOptions): DeleteWrite {
  checkAddress(address);
  checkObject(options, 'options');
  checkNames(options, DELETE, 'A delete');
  const { partition, key } = address;
  const { ifVersion } = options;
  checkVersion(ifVersion, 'ifVersion');
  return { type: 'delete', partition, key, ifVersion };
}
