import type { Address, Backend } from '../backend';
import { CopyError } from './copy-error';

/** @param told the first of them */
export function tooLarge(told: readonly Address[], count: number, target: Backend): CopyError {
  const { maxValueBytes } = target.capabilities;
  return new CopyError(
    'VALUE_TOO_LARGE',
    `${count === 1 ? 'An item does' : `${count} items do`} not fit into the ${target.name} backend, whose limit is ${maxValueBytes} bytes (maxValueBytes). Raise it, or leave them out (tooLarge: 'leaveOut').`,
    told.map(({ partition, key }) => ({ partition, key, kind: 'tooLarge' })),
  );
}
