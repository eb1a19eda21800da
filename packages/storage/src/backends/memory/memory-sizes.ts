import type { Address } from '../../backend';
import type { DriverWrite, StoredValue } from '../../driver';
import type { Entry } from './memory-table';

/** What a write adds to what is there, expired or not. */
export function growthOf(
  write: DriverWrite,
  there: Entry | undefined,
  now: number,
): { items: number; bytes: number } {
  if (there === undefined)
    return write.type === 'delete' ? { items: 0, bytes: 0 } : { items: 1, bytes: sizeOf(write) };
  const isLive = there.expiresAt === undefined || there.expiresAt > now;
  switch (write.type) {
    case 'delete':
      return isLive ? { items: -1, bytes: -there.bytes } : { items: 0, bytes: 0 };
    case 'append':
      if (isLive)
        return { items: 0, bytes: there.recent.includes(write.version) ? 0 : sizeOfValues(write.values) };
      return { items: 0, bytes: sizeOf(write) - there.bytes };
    case 'set':
      return { items: 0, bytes: sizeOf(write) - there.bytes };
  }
}

/** UTF-8 bytes of partition, key and values. */
export function sizeOf(write: DriverWrite): number {
  const names = sizeOfNames(write);
  if (write.type === 'set') return names + sizeOfValue(write.value);
  return write.type === 'append' ? names + sizeOfValues(write.values) : 0;
}

export function sizeOfNames({ partition, key }: Address): number {
  return Buffer.byteLength(partition) + Buffer.byteLength(key);
}

export function sizeOfValues(values: readonly StoredValue[]): number {
  return values.reduce((sum, value) => sum + sizeOfValue(value), 0);
}

export function sizeOfValue(value: StoredValue): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : value.byteLength;
}
