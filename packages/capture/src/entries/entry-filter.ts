import type { Outcome } from '../exchange';
import type { StorageType } from './storage-type';

export type MetadataScalar = string | number | boolean | null;

/**
 * One condition on one metadata key. `path` is split at its dots and traverses objects only, never
 * the elements of an array. Types are told apart: `1`, `"1"`, `true`, `null` and a missing key all differ.
 *
 * - `eq`, `ne`: scalar. `ne` is met by a value that is there and differs; a missing key never meets it.
 * - `gt gte lt lte`: a number against numbers, or a string against strings (compared by UTF-8 bytes).
 * - `in`: equal to one of a list of scalars; an empty list is met by nothing.
 * - `exists`: true, the key is there (`null` counts); false, it is missing.
 * - `contains`: a string within a string, or a scalar that is an element of an array.
 */
export type MetadataCondition =
  | {
      readonly path: readonly string[];
      readonly operator: 'eq' | 'ne' | 'contains';
      readonly value: MetadataScalar;
    }
  | {
      readonly path: readonly string[];
      readonly operator: 'gt' | 'gte' | 'lt' | 'lte';
      readonly value: string | number;
    }
  | { readonly path: readonly string[]; readonly operator: 'in'; readonly value: readonly MetadataScalar[] }
  | { readonly path: readonly string[]; readonly operator: 'exists'; readonly value: boolean };

/** Inclusive range of HTTP statuses; a single status has `from === to`. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Which entries. Every field that is given must hold; an empty list is met by nothing. The store adds
 * no condition of its own but expiry, and ignores none.
 */
export interface EntryFilter {
  /** The owner whose entries may be seen. Only the query service leaves it out, for an admin. */
  readonly owner?: string;
  /** `request` also finds `both`, `response` also finds `both`; `both` finds only `both`. */
  readonly storageType?: StorageType;
  readonly endpointKey?: string;
  /** Exact concrete path, or all that start with `prefix` (literal text). */
  readonly path?: { readonly equals: string } | { readonly prefix: string };
  /** True: only requests that no route took. False: only those one did. */
  readonly isUnmatched?: boolean;
  readonly methods?: readonly string[];
  readonly statuses?: readonly StatusRange[];
  readonly outcomes?: readonly Outcome[];
  /** Inclusive, ms since the epoch. */
  readonly createdFrom?: number;
  /** Exclusive, ms since the epoch. */
  readonly createdBefore?: number;
  readonly minDurationMs?: number;
  readonly maxDurationMs?: number;
  readonly traceId?: string;
  readonly sessionId?: string;
  readonly metadata?: readonly MetadataCondition[];
}
