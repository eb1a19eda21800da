import type { PageOptions, ScanOptions } from './backend';
import { toByteRange } from './byte-range';
import { checkCount, checkName, checkNames, checkObject, checkRange, checkText } from './check-arguments';
import type { DriverScan } from './driver';

export const MAX_PAGE = 1_000;
const PAGE = ['limit', 'after'];
const SCAN = [...PAGE, 'range', 'reverse'];
const RANGE = ['gt', 'gte', 'lt', 'lte', 'prefix'];

/** @throws {StorageError} `KEY_INVALID`, `ARGUMENT_INVALID` */
export function toDriverScan(partition: string, options: ScanOptions): DriverScan {
  checkName(partition, 'partition');
  const { limit, after } = toPageRequest(options, SCAN);
  const { range = {}, reverse = false } = options;
  checkObject(range, 'range');
  checkNames(range, RANGE, 'A range');
  checkRange(range);
  return { ...toByteRange(range, after, reverse), limit, reverse };
}

/** @throws {StorageError} `ARGUMENT_INVALID` */
export function toPageRequest(
  options: PageOptions,
  names = PAGE,
): { limit: number; after: string | undefined } {
  checkObject(options, 'options');
  checkNames(options, names, 'A page');
  const { limit = 100, after } = options;
  checkCount(limit, 'limit', MAX_PAGE);
  checkText(after, 'after');
  return { limit, after };
}
