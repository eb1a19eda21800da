import type { Address } from '../backend';
import { StorageError, type StorageErrorCode } from '../errors';
import { addressText } from './address-text';

/**
 * What is not as it should be.
 *
 * - `missing`: the source has it, the target has not.
 * - `extra`: the other way round.
 * - `changed`: their versions are different: somebody wrote it on one side.
 * - `damaged`: of the same version, but not of the same type, content or expiry.
 * - `tooLarge`: it does not fit into the target.
 */
export interface Difference extends Address {
  readonly kind: 'missing' | 'extra' | 'changed' | 'damaged' | 'tooLarge';
}

/** Lines of a message. */
const MOST_LINES = 10;

/** A copy that did not come to its end, or not to the right one; `differences` are the first 100 that matter. */
export class CopyError extends StorageError {
  /** Partitions are those of the source. */
  readonly differences: readonly Difference[];

  constructor(code: StorageErrorCode, message: string, differences: readonly Difference[]) {
    const lines = differences.slice(0, MOST_LINES).map((each) => `\n  ${each.kind}: ${addressText(each)}`);
    const more = differences.length > MOST_LINES ? '\n  …' : '';
    super(code, `${message}${lines.join('')}${more}`);
    this.differences = differences;
  }
}
