import type { StatusRange } from '../entries/entry-filter';
import type { EntrySelection } from '../query/entry-selection';
import type { Paging } from '../query/list-page';
import type { EntryQuery, GapQuery, SessionListQuery, SessionQuery } from '../query/query-service';
import { parseInstant } from './instants';
import { parseMetadataFilters } from './metadata-filters';
import type { EntryQueryInput, GapListInput, SessionListInput, SessionQueryInput } from './request-schemas';

/** From the wire's words, already validated, to the query service's. */
export function toEntryQuery(input: EntryQueryInput): EntryQuery {
  return {
    ...toSessionListQuery(input),
    ...metadataOf(input.metadata_filters),
    storageType: input.storage_type,
    path: input.path === undefined ? undefined : toPath(input.path),
    isUnmatched: input.unmatched,
    methods: toList(input.method)?.map((method) => method.toUpperCase()),
    statuses: toList(input.status)?.map(toStatusRange),
    outcomes: toList(input.outcome),
    minDurationMs: input.min_duration_ms,
    maxDurationMs: input.max_duration_ms,
    traceId: input.trace_id,
    includeData: input.include_data,
  };
}

export function toSessionListQuery(input: SessionListInput): SessionListQuery {
  return {
    endpoint: input.endpoint,
    createdFrom: input.start_date === undefined ? undefined : parseInstant(input.start_date, 'start'),
    createdBefore: input.end_date === undefined ? undefined : parseInstant(input.end_date, 'end'),
    sessionId: input.session_id,
    ownerId: input.owner_id,
    ...toPaging(input),
  };
}

export function toSessionQuery(input: SessionQueryInput): SessionQuery {
  return {
    ...toSessionListQuery(input),
    ...metadataOf(input.metadata_filters),
    storageType: input.storage_type,
    statuses: toList(input.status)?.map(toStatusRange),
    entriesPerSession: input.entries_per_session,
    includeData: input.include_data,
  };
}

export function toGapQuery(input: GapListInput): GapQuery {
  return {
    from: input.start_date === undefined ? undefined : parseInstant(input.start_date, 'start'),
    before: input.end_date === undefined ? undefined : parseInstant(input.end_date, 'end'),
    ...toPaging(input),
  };
}

function toPaging(input: GapListInput): Paging {
  return {
    page: input.page,
    pageSize: input.page_size,
    cursor: input.cursor,
    includeTotal: input.include_total,
  };
}

function metadataOf(value: unknown): Pick<EntrySelection, 'metadata' | 'metadataSessionId'> {
  if (value === undefined) return {};
  const { filters, sessionId } = parseMetadataFilters(value, (path, message) => {
    throw new Error(`metadata_filters.${path.join('.')} ${message} although it was validated`);
  });
  return { metadata: filters, metadataSessionId: sessionId };
}

function toPath(path: string): { equals: string } | { prefix: string } {
  return path.endsWith('/*') ? { prefix: path.slice(0, -1) } : { equals: path };
}

function toStatusRange(status: number | string): StatusRange {
  if (typeof status === 'number') return { from: status, to: status };
  const from = Number(status.charAt(0)) * 100;
  return { from, to: from + 99 };
}

function toList<T extends string | number>(value: T | T[] | undefined): T[] | undefined {
  if (value === undefined) return undefined;
  return Array.isArray(value) ? value : [value];
}
