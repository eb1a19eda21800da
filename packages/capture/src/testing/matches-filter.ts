import type { EntryFilter, MetadataCondition, MetadataScalar } from '../entries/entry-filter';
import type { EntryRecord } from '../entries/entry-record';
import { storableKey, storableText } from '../typeorm/storable-text';

/** Order of text in every store: by its UTF-8 bytes, which is by code points. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Whether an entry meets a filter: the meaning of `EntryFilter` in plain JavaScript, which databases are held against. */
export function matchesFilter(entry: EntryRecord, filter: EntryFilter): boolean {
  const { path } = filter;
  return (
    equals(filter.owner, entry.owner) &&
    (filter.storageType === undefined ||
      entry.type === filter.storageType ||
      (entry.type === 'both' && filter.storageType !== 'both')) &&
    equals(filter.endpointKey, entry.endpointKey) &&
    (path === undefined ||
      (entry.path !== null &&
        ('equals' in path
          ? entry.path === storableText(path.equals)
          : entry.path.startsWith(storableText(path.prefix))))) &&
    (filter.isUnmatched === undefined || (entry.endpointKey === null) === filter.isUnmatched) &&
    isOneOf(filter.methods, entry.method) &&
    (filter.statuses === undefined ||
      filter.statuses.some(
        ({ from, to }) => entry.status !== null && entry.status >= from && entry.status <= to,
      )) &&
    isOneOf(filter.outcomes, entry.outcome) &&
    (filter.createdFrom === undefined || entry.createdAt >= filter.createdFrom) &&
    (filter.createdBefore === undefined || entry.createdAt < filter.createdBefore) &&
    (filter.minDurationMs === undefined || entry.durationMs >= filter.minDurationMs) &&
    (filter.maxDurationMs === undefined || entry.durationMs <= filter.maxDurationMs) &&
    equals(filter.traceId, entry.traceId) &&
    equals(filter.sessionId, entry.sessionId) &&
    (filter.metadata ?? []).every((condition) => meetsCondition(entry.metadata, condition))
  );
}

function equals(wanted: string | undefined, value: string | null): boolean {
  return wanted === undefined || (value !== null && value === storableKey(wanted));
}

function isOneOf(wanted: readonly string[] | undefined, value: string | null): boolean {
  return wanted === undefined || (value !== null && wanted.map(storableText).includes(value));
}

/** Whether metadata meets one condition. */
export function meetsCondition(
  metadata: Readonly<Record<string, unknown>>,
  condition: MetadataCondition,
): boolean {
  const value = valueAt(metadata, condition.path);
  if (condition.operator === 'exists') return (value !== undefined) === condition.value;
  if (value === undefined) return false;
  switch (condition.operator) {
    case 'eq':
      return value === storable(condition.value);
    case 'ne':
      return value !== storable(condition.value);
    case 'in':
      return condition.value.some((wanted) => value === storable(wanted));
    case 'contains': {
      const wanted = storable(condition.value);
      if (Array.isArray(value)) return value.includes(wanted);
      return typeof value === 'string' && typeof wanted === 'string' && value.includes(wanted);
    }
    default:
      return holdsOrder(condition.operator, value, storable(condition.value));
  }
}

function storable(value: MetadataScalar): MetadataScalar {
  return typeof value === 'string' ? storableText(value) : value;
}

function holdsOrder(operator: 'gt' | 'gte' | 'lt' | 'lte', value: unknown, wanted: unknown): boolean {
  let order: number;
  if (typeof value === 'number' && typeof wanted === 'number') order = value - wanted;
  else if (typeof value === 'string' && typeof wanted === 'string') order = compareText(value, wanted);
  else return false;
  if (operator === 'gt') return order > 0;
  if (operator === 'gte') return order >= 0;
  return operator === 'lt' ? order < 0 : order <= 0;
}

function valueAt(metadata: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  let value: unknown = metadata;
  for (const key of path.map(storableText)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
