import type { Write } from './backend';
import { checkAddress, checkCount, checkExpiry, checkVersion } from './check-arguments';
import type { DriverWrite } from './driver';
import { StorageError } from './errors';
import { encodeValue } from './stored-value';

export interface WriteContext {
  readonly now: number;
  readonly newId: () => string;
  readonly maxValueBytes: number;
}

const MAX_ELEMENTS = 1_000;

/** @throws {StorageError} for every argument that is out of order */
export function toDriverWrite(write: Write, { now, newId, maxValueBytes }: WriteContext): DriverWrite {
  checkAddress(write);
  const { partition, key } = write;
  switch (write.type) {
    case 'delete': {
      const { ifVersion } = write;
      checkVersion(ifVersion, 'ifVersion');
      return { type: 'delete', partition, key, ifVersion };
    }
    case 'append': {
      const { expiresAt, version = newId(), values } = write;
      checkExpiry(expiresAt, now);
      checkVersion(version, 'version');
      checkCount(values.length, 'values.length', MAX_ELEMENTS);
      const encoded = values.map((value) => encodeValue(value, maxValueBytes));
      return { type: 'append', partition, key, values: encoded, version, expiresAt };
    }
    case 'set': {
      const { expiresAt, version = newId(), ifAbsent = false, ifVersion } = write;
      checkExpiry(expiresAt, now);
      checkVersion(version, 'version');
      checkVersion(ifVersion, 'ifVersion');
      if (ifAbsent && ifVersion !== undefined)
        throw new StorageError('ARGUMENT_INVALID', '"ifAbsent" and "ifVersion" exclude each other.');
      const value = encodeValue(write.value, maxValueBytes);
      return { type: 'set', partition, key, value, version, expiresAt, ifAbsent, ifVersion };
    }
    default:
      throw new StorageError(
        'ARGUMENT_INVALID',
        `A write's type is "set", "append" or "delete"; this is "${String((write as { type: unknown }).type)}".`,
      );
  }
}
