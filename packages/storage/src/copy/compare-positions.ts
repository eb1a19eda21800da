import { compareKeys } from '../key-space/compare-keys';
import type { Position } from './piece-source';

/** The order in which a copy goes through what it copies. */
export function comparePositions(one: Position, other: Position): number {
  return compareKeys(one.partition, other.partition) || compareKeys(one.key, other.key);
}
