import type { JsonCondition, JsonFilter } from '../../json-filter';
import { isWellFormed } from '../../well-formed';
import type { SqlStatement, SqlValue } from '../sql/sql-contract';
import { KIND } from '../sql/sql-statements';
import { KEY } from './sqlite-statements';

export interface SqliteQuery {
  readonly statement: SqlStatement;
  /** Behind partition, from and to. */
  readonly values: readonly SqlValue[];
}

/**
 * Goes through a partition, and brings the JSON of what matches and perhaps of more: numbers are compared by SQLite's
 * own reading of them, and strings that it takes for others are left to the caller.
 */
export function sqliteQuery(filter: JsonFilter): SqliteQuery {
  const values: SqlValue[] = [];
  const parameter = (value: SqlValue): string => `$${values.push(value) + 3}`;
  const conditions = filter.map((condition) => toSql(condition, parameter));
  const matches = [`kind = ${KIND.json}`, ...conditions].join(' AND ');
  const text = `SELECT ${KEY}, kind, CASE WHEN ${matches} THEN json END AS json, version, expires_at
    FROM recap_items WHERE partition = $1 AND key >= $2 AND key < $3 ORDER BY key`;
  return { statement: { name: '', text }, values };
}

type Parameter = (value: SqlValue) => string;

function toSql(condition: JsonCondition, parameter: Parameter): string {
  const path = toPath(condition.path);
  if (path === undefined) return 'true';
  const at = parameter(path);
  if ('exists' in condition) return `json_type(json, ${at}) IS ${condition.exists ? 'NOT NULL' : 'NULL'}`;
  // As JSON text, which has been made by the same writer on both sides.
  if ('equals' in condition) return `json -> ${at} = ${parameter(JSON.stringify(condition.equals))}`;
  if ('in' in condition)
    return `json -> ${at} IN (${condition.in.map((one) => parameter(JSON.stringify(one))).join(', ')})`;
  const { gt, gte, lt, lte } = condition;
  const lower = [gt, gte].filter((bound) => bound !== undefined);
  const upper = [lt, lte].filter((bound) => bound !== undefined);
  return [
    ...lower.map((bound) => compare(at, '>=', bound, parameter)),
    ...upper.map((bound) => compare(at, '<=', bound, parameter)),
  ].join(' AND ');
}

function compare(at: string, operator: '>=' | '<=', bound: number | string, parameter: Parameter): string {
  if (typeof bound === 'number') {
    // What is read may be off in its last bits.
    const slack = Math.abs(bound) * 1e-14 * (operator === '>=' ? -1 : 1);
    return `(json_type(json, ${at}) IN ('integer', 'real') AND json ->> ${at} ${operator} ${parameter(bound + slack)})`;
  }
  const isText = `json_type(json, ${at}) = 'text'`;
  if (!isSafe(bound)) return isText;
  // Half a surrogate pair, which is escaped as \udXXX, has an order of its own in SQLite.
  return `(${isText} AND (json ->> ${at} ${operator} ${parameter(bound)} OR instr(json -> ${at}, '\\ud') > 0))`;
}

const isSafe = (text: string): boolean => !text.includes('\0') && isWellFormed(text);

/** @returns `undefined` for names that would need escapes in a path */
function toPath(names: readonly string[]): string | undefined {
  if (names.some((name) => name === '' || /["\\\p{Cc}]/u.test(name))) return undefined;
  return ['$', ...names.map((name) => `."${name}"`)].join('');
}
