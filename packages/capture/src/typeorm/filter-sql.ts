import type { EntryFilter } from '../entries/entry-filter';
import { metadataSql } from './metadata-sql';
import { isAnyOf, type Dialect, type SqlFragment } from './sql-database';
import { storableKey, storableText } from './storable-text';

/** Beyond what a `Date` can be; keeps numbers from outside within a bigint. */
const MAX_INSTANT = 8.64e15;

export const wholeInstant = (at: number): number =>
  Math.min(Math.max(Math.ceil(at), -MAX_INSTANT), MAX_INSTANT);

/** A filter as conditions, each named after the field that it comes from. */
export interface FilterCondition extends SqlFragment {
  readonly field: keyof EntryFilter | 'expiry';
}

/** Fields with an index of their own. */
export const INDEXED_FIELDS: ReadonlySet<string> = new Set([
  'owner',
  'endpointKey',
  'sessionId',
  'traceId',
  'createdFrom',
  'createdBefore',
]);

/** Conditions for a filter and for not having expired at `now`. */
export function filterSql(dialect: Dialect, filter: EntryFilter, now: number): FilterCondition[] {
  const conditions: FilterCondition[] = [];
  const add = (field: FilterCondition['field'], sql: string, ...values: unknown[]): void => {
    conditions.push({ field, sql, values });
  };
  const addList = (field: keyof EntryFilter, column: string, wanted: readonly string[]): void => {
    const { sql, values } = isAnyOf(dialect, column, wanted.map(storableText));
    add(field, sql, ...values);
  };

  if (filter.owner !== undefined) add('owner', 'owner = ?', storableKey(filter.owner));
  if (filter.endpointKey !== undefined)
    add('endpointKey', 'endpoint_key = ?', storableKey(filter.endpointKey));
  if (filter.sessionId !== undefined) add('sessionId', 'session_id = ?', storableKey(filter.sessionId));
  if (filter.traceId !== undefined) add('traceId', 'trace_id = ?', storableKey(filter.traceId));
  if (filter.createdFrom !== undefined)
    add('createdFrom', 'created_at >= ?', wholeInstant(filter.createdFrom));
  if (filter.createdBefore !== undefined)
    add('createdBefore', 'created_at < ?', wholeInstant(filter.createdBefore));

  if (filter.storageType === 'both') add('storageType', "type = 'both'");
  else if (filter.storageType !== undefined) add('storageType', "type IN (?, 'both')", filter.storageType);
  if (filter.isUnmatched !== undefined)
    add('isUnmatched', `endpoint_key IS ${filter.isUnmatched ? '' : 'NOT '}NULL`);
  if (filter.path !== undefined) {
    if ('equals' in filter.path) add('path', 'path = ?', storableText(filter.path.equals));
    else addPrefix(filter.path.prefix);
  }
  if (filter.methods !== undefined) addList('methods', 'method', filter.methods);
  if (filter.outcomes !== undefined) addList('outcomes', 'outcome', filter.outcomes);
  if (filter.statuses !== undefined) {
    // A double on PostgreSQL, since a number from outside may not fit into an integer.
    const bound = dialect === 'postgres' ? '?::float8' : '?';
    const range = `(status >= ${bound} AND status <= ${bound})`;
    const ranges = filter.statuses.map(() => range).join(' OR ');
    add(
      'statuses',
      filter.statuses.length === 0 ? '1 = 0' : `(${ranges})`,
      ...filter.statuses.flatMap(({ from, to }) => [from, to]),
    );
  }
  if (filter.minDurationMs !== undefined) add('minDurationMs', 'duration_ms >= ?', filter.minDurationMs);
  if (filter.maxDurationMs !== undefined) add('maxDurationMs', 'duration_ms <= ?', filter.maxDurationMs);
  add('expiry', '(expires_at IS NULL OR expires_at > ?)', Math.floor(now));
  for (const condition of filter.metadata ?? []) {
    const { sql, values } = metadataSql(dialect, condition);
    add('metadata', sql, ...values);
  }
  return conditions;

  function addPrefix(prefix: string): void {
    const text = storableText(prefix);
    if (dialect === 'postgres') add('path', 'starts_with(path, ?)', text);
    else add('path', 'substr(path, 1, length(?)) = ?', text, text);
  }
}

/** True when an empty list makes a filter impossible to meet. */
export function matchesNothing(filter: EntryFilter): boolean {
  return (
    filter.methods?.length === 0 ||
    filter.statuses?.length === 0 ||
    filter.outcomes?.length === 0 ||
    (filter.metadata ?? []).some(({ operator, value }) => operator === 'in' && value.length === 0)
  );
}

/** True when rows of all owners and endpoints have to be read one by one for this filter. */
export function isUnindexed(conditions: readonly FilterCondition[]): boolean {
  const fields = conditions.map(({ field }) => field).filter((field) => field !== 'expiry');
  const isNarrowed = ['owner', 'endpointKey', 'sessionId', 'traceId'].some((field) =>
    fields.some((other) => other === field),
  );
  return !isNarrowed && fields.some((field) => !INDEXED_FIELDS.has(field));
}
