import type { DriverWrite, SetWrite } from './driver';

/** Whether a write sets whatever is there. */
export function isPlainSet(write: DriverWrite): write is SetWrite {
  return write.type === 'set' && !write.ifAbsent && write.ifVersion === undefined;
}
