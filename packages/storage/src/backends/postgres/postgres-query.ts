import { isWellFormed } from '../../well-formed';
import type { DriverScan } from '../../driver';
import type { JsonCondition, JsonFilter, JsonScalar } from '../../json-filter';
import type { SqlDialect, SqlQuery, SqlValue } from '../sql/sql-contract';
import { KIND } from '../sql/sql-statements';
import { toKey } from '../sql/sql-rows';
import { mostTogether, pageColumns } from './postgres-page';

/**
 * Finds all that match and perhaps more: JSON that is kept as bytes always, and where jsonb's own rules are wider.
 * Equality is containment, which the GIN index answers.
 */
export function postgresQuery(
  dialect: SqlDialect,
  partition: string,
  filter: JsonFilter,
  { from, to = Buffer.of(0xff), limit }: DriverScan,
  now: number,
): SqlQuery {
  const values: SqlValue[] = [toKey(partition), from, to, now, limit + 1, mostTogether(limit)];
  const parameter = (value: SqlValue): string => `$${values.push(value)}`;
  const conditions = filter.map((condition) => toSql(condition, dialect, parameter));
  const text = `SELECT ${pageColumns(dialect, '$6')}
    FROM ${dialect.table('items')}
    WHERE partition = $1 AND key >= $2 AND key < $3 AND (expires_at IS NULL OR expires_at > $4)
      AND kind IN (${KIND.json}, ${KIND.jsonAsBytes})
      AND (kind = ${KIND.jsonAsBytes} OR (${['true', ...conditions].join(' AND ')}))
    ORDER BY key LIMIT $5`;
  return { statement: { name: '', text }, values };
}

type Parameter = (value: SqlValue) => string;

const isText = (text: string): boolean => isWellFormed(text) && !text.includes('\0');

function toSql(condition: JsonCondition, dialect: SqlDialect, parameter: Parameter): string {
  const { path } = condition;
  const isReachable = path.every(isText);
  // To jsonb, digits in a path also lead into arrays, and an empty path to the value itself.
  if ('exists' in condition) {
    if (!isReachable) return String(!condition.exists);
    if (condition.exists) return `json #> ${parameter(path)}::text[] IS NOT NULL`;
    return path.some((name) => /^-?\d+$/.test(name)) ? 'true' : `json #> ${parameter(path)}::text[] IS NULL`;
  }
  if (!isReachable) return 'false';
  const contains = (value: JsonScalar): string => {
    if (typeof value === 'string' && !isText(value)) return 'false';
    const json = JSON.stringify(path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value));
    return `json @> ${dialect.json(parameter(json))}`;
  };
  if ('equals' in condition) return contains(condition.equals);
  if ('in' in condition) return `(${['false', ...condition.in.map(contains)].join(' OR ')})`;
  const comparisons = [
    ['>', condition.gt],
    ['>=', condition.gte],
    ['<', condition.lt],
    ['<=', condition.lte],
  ] as const;
  return comparisons
    .map(([operator, bound]) => {
      if (bound === undefined || (typeof bound === 'string' && !isText(bound))) return 'true';
      const at = parameter(path);
      const isNumber = typeof bound === 'number';
      const found = isNumber ? `(json #>> ${at}::text[])::numeric` : `(json #>> ${at}::text[]) COLLATE "C"`;
      const given = isNumber ? `${parameter(String(bound))}::numeric` : `${parameter(bound)}::text`;
      // A CASE, since AND promises no order, and text that is no number cannot be cast.
      return `(CASE WHEN jsonb_typeof(json #> ${at}::text[]) = '${typeof bound}' THEN ${found} ${operator} ${given} ELSE false END)`;
    })
    .join(' AND ');
}
