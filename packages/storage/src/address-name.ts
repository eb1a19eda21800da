import type { Address } from './backend';

/** One text for partition and key: no two addresses have the same. */
export function addressName({ partition, key }: Address): string {
  return `${partition.length}:${partition}${key}`;
}
