import type { EntryFilter, MetadataCondition, StatusRange } from '../entries/entry-filter';
import type { NormalizeEndpoint } from '../entries/endpoint-key';
import type { StorageType } from '../entries/storage-type';
import type { Outcome } from '../exchange';

/** What a caller asks for, checked and parsed but not yet bound to an owner. */
export interface EntrySelection {
  readonly storageType?: StorageType | undefined;
  /** As the caller wrote it. */
  readonly endpoint?: string | undefined;
  readonly path?: { readonly equals: string } | { readonly prefix: string } | undefined;
  readonly isUnmatched?: boolean | undefined;
  readonly methods?: readonly string[] | undefined;
  readonly statuses?: readonly StatusRange[] | undefined;
  readonly outcomes?: readonly Outcome[] | undefined;
  /** Inclusive, ms since the epoch. */
  readonly createdFrom?: number | undefined;
  /** Exclusive, ms since the epoch. */
  readonly createdBefore?: number | undefined;
  readonly minDurationMs?: number | undefined;
  readonly maxDurationMs?: number | undefined;
  readonly traceId?: string | undefined;
  readonly sessionId?: string | undefined;
  /** Owner to look at; another's only for an admin. */
  readonly ownerId?: string | undefined;
  /** One list per key of `metadata_filters`. */
  readonly metadata?: readonly MetadataFilter[] | undefined;
  /** A `session_id` among the metadata filters; {@link EntrySelection.sessionId} wins over it. */
  readonly metadataSessionId?: string | undefined;
}

export interface MetadataFilter {
  /** The key as the caller wrote it. */
  readonly key: string;
  readonly conditions: readonly MetadataCondition[];
}

/** One given filter under the name the caller knows it by. */
export interface FilterStep {
  readonly name: string;
  readonly filter: EntryFilter;
}

/** The given filters, one by one, in the order of the documentation; the owner is not among them. */
export function filterSteps(selection: EntrySelection, normalize: NormalizeEndpoint): FilterStep[] {
  const steps: FilterStep[] = [];
  const add = <T>(name: string, value: T | undefined, toFilter: (value: T) => EntryFilter): void => {
    if (value !== undefined) steps.push({ name, filter: toFilter(value) });
  };
  add('storage_type', selection.storageType, (storageType) => ({ storageType }));
  add('endpoint', selection.endpoint, (endpoint) => ({ endpointKey: normalize(endpoint) }));
  add('path', selection.path, (path) => ({ path }));
  add('unmatched', selection.isUnmatched, (isUnmatched) => ({ isUnmatched }));
  add('method', selection.methods, (methods) => ({ methods }));
  add('status', selection.statuses, (statuses) => ({ statuses }));
  add('outcome', selection.outcomes, (outcomes) => ({ outcomes }));
  add('start_date', selection.createdFrom, (createdFrom) => ({ createdFrom }));
  add('end_date', selection.createdBefore, (createdBefore) => ({ createdBefore }));
  add('min_duration_ms', selection.minDurationMs, (minDurationMs) => ({ minDurationMs }));
  add('max_duration_ms', selection.maxDurationMs, (maxDurationMs) => ({ maxDurationMs }));
  add('trace_id', selection.traceId, (traceId) => ({ traceId }));
  const sessionName = selection.sessionId === undefined ? 'metadata_filters.session_id' : 'session_id';
  add(sessionName, selection.sessionId ?? selection.metadataSessionId, (sessionId) => ({ sessionId }));
  for (const { key, conditions } of selection.metadata ?? []) {
    steps.push({ name: `metadata_filters.${key}`, filter: { metadata: conditions } });
  }
  return steps;
}

/** All of the filters at once. No two steps set the same field, except metadata, which adds up. */
export function combine(base: EntryFilter, steps: readonly FilterStep[]): EntryFilter {
  const metadata = steps.flatMap(({ filter }) => filter.metadata ?? []);
  const combined: EntryFilter = steps.reduce((all, { filter }) => ({ ...all, ...filter }), base);
  return metadata.length > 0 ? { ...combined, metadata } : combined;
}
