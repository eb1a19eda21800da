import { StorageError } from './errors';
import { isWellFormed } from './well-formed';
import type { JsonValue } from './json-value';

export type JsonScalar = string | number | boolean | null;

/**
 * A condition on what a path of member names leads to; a path that leads nowhere meets none but `exists: false`.
 * Types are told apart; strings are ordered by their UTF-8 bytes, and numbers and strings never compare.
 */
export type JsonCondition = { readonly path: readonly string[] } & (
  | { readonly equals: JsonScalar }
  | { readonly in: readonly JsonScalar[] }
  | {
      readonly gt?: number | string;
      readonly gte?: number | string;
      readonly lt?: number | string;
      readonly lte?: number | string;
    }
  | { readonly exists: boolean }
);

/** All of them must hold; none at all matches every JSON value. */
export type JsonFilter = readonly JsonCondition[];

/** The meaning of a filter, which every engine's own way of finding is held to. */
export function matchesFilter(value: JsonValue, filter: JsonFilter): boolean {
  return filter.every((condition) => meets(valueAt(value, condition.path), condition));
}

function valueAt(value: JsonValue, path: readonly string[]): JsonValue | undefined {
  let found: JsonValue | undefined = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return undefined;
    if (!Object.hasOwn(found, name)) return undefined;
    found = (found as { readonly [name: string]: JsonValue })[name];
  }
  return found;
}

function meets(found: JsonValue | undefined, condition: JsonCondition): boolean {
  if ('exists' in condition) return condition.exists === (found !== undefined);
  if (found === undefined) return false;
  if ('equals' in condition) return found === condition.equals;
  if ('in' in condition) return condition.in.some((one) => one === found);
  const { gt, gte, lt, lte } = condition;
  const holds = (bound: number | string | undefined, test: (order: number) => boolean): boolean => {
    if (bound === undefined) return true;
    if (typeof found === 'number' && typeof bound === 'number') return test(found - bound);
    if (typeof found === 'string' && typeof bound === 'string')
      return test(Buffer.compare(Buffer.from(found), Buffer.from(bound)));
    return false;
  };
  return (
    (typeof found === 'number' || typeof found === 'string') &&
    holds(gt, (order) => order > 0) &&
    holds(gte, (order) => order >= 0) &&
    holds(lt, (order) => order < 0) &&
    holds(lte, (order) => order <= 0)
  );
}

/** @throws {StorageError} `ARGUMENT_INVALID` */
export function checkFilter(filter: JsonFilter): void {
  const valid = Array.isArray(filter) && filter.length <= 20 && filter.every(isCondition);
  if (valid) return;
  throw new StorageError(
    'ARGUMENT_INVALID',
    'A filter is a list of at most 20 conditions { path: [...names], equals | in | gt, gte, lt, lte | exists }.',
  );
}

const OPERATORS: readonly string[] = ['equals', 'in', 'gt', 'gte', 'lt', 'lte', 'exists'];

function isCondition(condition: unknown): boolean {
  if (typeof condition !== 'object' || condition === null) return false;
  const { path, ...rest } = condition as Record<string, unknown>;
  const isPath =
    Array.isArray(path) &&
    path.length <= 20 &&
    path.every((name) => typeof name === 'string' && isWellFormed(name));
  const names = Object.keys(rest);
  if (!isPath || names.length === 0 || names.some((name) => !OPERATORS.includes(name))) return false;
  if (names.length > 1 && names.some((name) => ['equals', 'in', 'exists'].includes(name))) return false;
  return names.every((name) => isOperand(name, rest[name]));
}

function isOperand(name: string, operand: unknown): boolean {
  if (name === 'exists') return typeof operand === 'boolean';
  if (name === 'in') return Array.isArray(operand) && operand.length <= 100 && operand.every(isScalar);
  return (
    isScalar(operand) && (name === 'equals' || typeof operand === 'number' || typeof operand === 'string')
  );
}

function isScalar(value: unknown): value is JsonScalar {
  if (typeof value === 'number') return Number.isFinite(value);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}
