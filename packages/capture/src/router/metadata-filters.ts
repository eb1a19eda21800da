import type { MetadataCondition, MetadataScalar } from '../entries/entry-filter';
import type { MetadataFilter } from '../query/entry-selection';

const MAX_FILTERS = 16;
const MAX_KEY_PARTS = 32;
const MAX_LIST = 100;
const MAX_TEXT = 2048;
const KEY_PART = /^[\p{L}\p{N}_-]{1,64}$/u;

/** Told of each wrong place; `path` leads from `metadata_filters` to it. */
export type ReportProblem = (path: readonly string[], message: string) => void;

export interface ParsedMetadataFilters {
  readonly filters: readonly MetadataFilter[];
  /** A filter on `session_id`, which is the entry's session and not metadata. */
  readonly sessionId: string | undefined;
}

/**
 * Reads `metadata_filters`. Keys are data: `__proto__` is a key like any other, which is why the object
 * is walked here by its own keys and not by a schema.
 */
export function parseMetadataFilters(value: unknown, report: ReportProblem): ParsedMetadataFilters {
  const filters: MetadataFilter[] = [];
  let sessionId: string | undefined;
  if (!isObject(value)) {
    report([], 'must be an object of filters');
    return { filters, sessionId };
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_FILTERS) report([], `holds ${entries.length} filters; at most ${MAX_FILTERS}`);
  for (const [key, wanted] of entries) {
    if (key === 'session_id') {
      sessionId = parseSessionId(wanted, report);
      continue;
    }
    const path = key.split('.');
    if (path.length > MAX_KEY_PARTS || !path.every((part) => KEY_PART.test(part))) {
      report([key], 'is no key: letters, digits, _ and -, up to 64 of them, joined by dots');
      continue;
    }
    filters.push({ key, conditions: parseConditions(key, path, wanted, report) });
  }
  return { filters, sessionId };
}

function parseSessionId(wanted: unknown, report: ReportProblem): string | undefined {
  const id = isObject(wanted) && Object.keys(wanted).join() === 'eq' ? wanted['eq'] : wanted;
  if (typeof id === 'string' && id !== '' && id.length <= MAX_TEXT) return id;
  report(['session_id'], 'must be one session id');
  return undefined;
}

function parseConditions(
  key: string,
  path: readonly string[],
  wanted: unknown,
  report: ReportProblem,
): MetadataCondition[] {
  if (isScalar(wanted)) return [{ path, operator: 'eq', value: wanted }];
  if (!isObject(wanted)) {
    report([key], 'must be a scalar or an object of operators (a list goes into "in" or "contains")');
    return [];
  }
  const operators = Object.entries(wanted);
  if (operators.length === 0) report([key], 'names no operator');
  return operators.flatMap(([operator, operand]) => {
    const condition = toCondition(path, operator, operand);
    if (typeof condition !== 'string') return [condition];
    report([key, operator], condition);
    return [];
  });
}

/** A condition, or what is wrong with it. */
function toCondition(
  path: readonly string[],
  operator: string,
  operand: unknown,
): MetadataCondition | string {
  switch (operator) {
    case 'eq':
    case 'ne':
    case 'contains':
      return isScalar(operand)
        ? { path, operator, value: operand }
        : 'must be a string, number, boolean or null';
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return isScalar(operand) && (typeof operand === 'string' || typeof operand === 'number')
        ? { path, operator, value: operand }
        : 'must be a string or a number';
    case 'in':
      return Array.isArray(operand) && operand.length <= MAX_LIST && operand.every(isScalar)
        ? { path, operator, value: operand }
        : `must be a list of at most ${MAX_LIST} strings, numbers, booleans or nulls`;
    case 'exists':
      return typeof operand === 'boolean' ? { path, operator, value: operand } : 'must be true or false';
    default:
      return 'is no operator; there are eq, ne, gt, gte, lt, lte, in, exists and contains';
  }
}

function isScalar(value: unknown): value is MetadataScalar {
  if (typeof value === 'string') return value.length <= MAX_TEXT;
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'boolean' || value === null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
