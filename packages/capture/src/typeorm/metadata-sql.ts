import { StorageError } from '@recap/storage';
import type { MetadataCondition, MetadataScalar } from '../entries/entry-filter';
import type { Dialect, SqlFragment } from './sql-database';
import { storableText } from './storable-text';

/** SQLite joins 64 tables at most, and a path with keys that cannot stand in a JSON path takes one each. */
const MAX_UNSAFE_PATH = 32;
const COMPARISONS = { gt: '>', gte: '>=', lt: '<', lte: '<=' };
const NEVER: SqlFragment = { sql: '1 = 0', values: [] };

/** A condition on metadata as SQL. Keys and values are bound, never part of the text. */
export function metadataSql(dialect: Dialect, condition: MetadataCondition): SqlFragment {
  const path = condition.path.map(storableText);
  return dialect === 'postgres' ? postgresSql(path, condition) : sqliteSql(path, condition);
}

/** A scalar as JSON text. Infinity, which JSON cannot say, becomes a number beyond every double. */
function jsonOf(value: MetadataScalar): string {
  if (value === Infinity) return '9e999';
  if (value === -Infinity) return '-9e999';
  return JSON.stringify(typeof value === 'string' ? storableText(value) : value);
}

const isNan = (value: unknown): boolean => typeof value === 'number' && Number.isNaN(value);

/* PostgreSQL: `v` is the value at the path. A strict path does not look into arrays; being silent, it finds nothing instead of failing. */

function postgresSql(path: readonly string[], condition: MetadataCondition): SqlFragment {
  const jsonPath = `strict $${path.map((key) => `.${JSON.stringify(key)}`).join('')}`;
  const test = postgresTest(condition);
  return {
    sql: `(SELECT ${test.sql} FROM jsonb_path_query_first(metadata::jsonb, ?::jsonpath, '{}', true) AS v)`,
    values: [...test.values, jsonPath],
  };
}

function postgresTest(condition: MetadataCondition): SqlFragment {
  const { operator, value } = condition;
  switch (operator) {
    case 'exists':
      return { sql: value ? 'v IS NOT NULL' : 'v IS NULL', values: [] };
    case 'eq':
      return isNan(value) ? NEVER : { sql: 'v = ?::jsonb', values: [jsonOf(value)] };
    case 'ne':
      if (isNan(value)) return { sql: 'v IS NOT NULL', values: [] };
      return { sql: 'v <> ?::jsonb', values: [jsonOf(value)] };
    case 'in': {
      const list = `[${value
        .filter((item) => !isNan(item))
        .map(jsonOf)
        .join(',')}]`;
      return { sql: 'v IS NOT NULL AND ?::jsonb @> jsonb_build_array(v)', values: [list] };
    }
    case 'contains': {
      const isElement = `jsonb_typeof(v) = 'array' AND v @> jsonb_build_array(?::jsonb)`;
      if (isNan(value)) return NEVER;
      if (typeof value !== 'string') return { sql: isElement, values: [jsonOf(value)] };
      return {
        sql: `(${isElement}) OR (jsonb_typeof(v) = 'string' AND strpos(v #>> '{}', ?) > 0)`,
        values: [jsonOf(value), storableText(value)],
      };
    }
    default:
      if (isNan(value)) return NEVER;
      if (typeof value === 'number') {
        const sql = `jsonb_typeof(v) = 'number' AND v ${COMPARISONS[operator]} ?::jsonb`;
        return { sql, values: [jsonOf(value)] };
      }
      return {
        sql: `jsonb_typeof(v) = 'string' AND (v #>> '{}') COLLATE "C" ${COMPARISONS[operator]} ?`,
        values: [storableText(value)],
      };
  }
}

/* SQLite: the value at the path as two expressions, its JSON type and its SQL value. */

interface SqliteValue {
  readonly type: SqlFragment;
  readonly value: SqlFragment;
}

function sqliteSql(path: readonly string[], condition: MetadataCondition): SqlFragment {
  const at = sqliteValue(path);
  const { operator, value } = condition;
  switch (operator) {
    case 'exists':
      return { sql: `${at.type.sql} IS ${value ? 'NOT ' : ''}NULL`, values: at.type.values };
    case 'eq':
      return equalTo(at, value);
    case 'ne': {
      const equal = equalTo(at, value);
      return {
        sql: `(${at.type.sql} IS NOT NULL AND NOT (${equal.sql}))`,
        values: [...at.type.values, ...equal.values],
      };
    }
    case 'in':
      return oneOf(at, value);
    case 'contains':
      return containing(at, value);
    default: {
      if (isNan(value)) return NEVER;
      const isText = typeof value === 'string';
      return {
        sql: `(${at.type.sql} ${isText ? IS_TEXT : IS_NUMBER} AND ${at.value.sql} ${COMPARISONS[operator]} ${isText ? '?' : NUMBER})`,
        values: [...at.type.values, ...at.value.values, isText ? storableText(value) : jsonOf(value)],
      };
    }
  }
}

const IS_TEXT = "= 'text'";
const IS_NUMBER = "IN ('integer', 'real')";
/** Read by SQLite's own JSON reader, so that both sides of a comparison were converted alike. */
const NUMBER = "json_extract(?, '$')";

function equalTo({ type, value }: SqliteValue, wanted: MetadataScalar): SqlFragment {
  if (isNan(wanted)) return NEVER;
  if (wanted === null || typeof wanted === 'boolean') {
    return { sql: `${type.sql} = ?`, values: [...type.values, String(wanted)] };
  }
  const isText = typeof wanted === 'string';
  return {
    sql: `(${type.sql} ${isText ? IS_TEXT : IS_NUMBER} AND ${value.sql} = ${isText ? '?' : NUMBER})`,
    values: [...type.values, ...value.values, isText ? storableText(wanted) : jsonOf(wanted)],
  };
}

function oneOf({ type, value }: SqliteValue, wanted: readonly MetadataScalar[]): SqlFragment {
  const among = (isOfType: string, items: readonly MetadataScalar[]): SqlFragment => ({
    sql: `(${type.sql} ${isOfType} AND ${value.sql} IN (SELECT value FROM json_each(?)))`,
    values: [...type.values, ...value.values, `[${items.map(jsonOf).join(',')}]`],
  });
  const words = wanted.filter((item) => item === null || typeof item === 'boolean').map(String);
  const parts = [
    among(
      IS_TEXT,
      wanted.filter((item) => typeof item === 'string'),
    ),
    among(
      IS_NUMBER,
      wanted.filter((item) => typeof item === 'number' && !isNan(item)),
    ),
    {
      sql: `${type.sql} IN (SELECT value FROM json_each(?))`,
      values: [...type.values, JSON.stringify(words)],
    },
  ];
  return {
    sql: `(${parts.map(({ sql }) => sql).join(' OR ')})`,
    values: parts.flatMap(({ values }) => values),
  };
}

function containing(at: SqliteValue, wanted: MetadataScalar): SqlFragment {
  const { type, value } = at;
  const element = equalTo(
    { type: { sql: 'item.type', values: [] }, value: { sql: 'item.value', values: [] } },
    wanted,
  );
  // CASE rather than AND: what is not an array must never be read as JSON, whatever order the planner takes.
  const isElement: SqlFragment = {
    sql: `EXISTS (SELECT 1 FROM json_each(CASE ${type.sql} WHEN 'array' THEN ${value.sql} ELSE '[]' END) AS item WHERE ${element.sql})`,
    values: [...type.values, ...value.values, ...element.values],
  };
  if (typeof wanted !== 'string') return isElement;
  return {
    sql: `(${isElement.sql} OR (${type.sql} ${IS_TEXT} AND instr(${value.sql}, ?) > 0))`,
    values: [...isElement.values, ...type.values, ...value.values, storableText(wanted)],
  };
}

function sqliteValue(path: readonly string[]): SqliteValue {
  // SQLite's JSON paths have no escapes within the quotes of a label.
  if (path.every((key) => /^[^"\\\p{Control}]+$/u.test(key))) {
    const jsonPath = `$${path.map((key) => `."${key}"`).join('')}`;
    return {
      type: { sql: 'json_type(metadata, ?)', values: [jsonPath] },
      value: { sql: 'json_extract(metadata, ?)', values: [jsonPath] },
    };
  }
  if (path.length > MAX_UNSAFE_PATH) {
    throw new StorageError('CONFIG_INVALID', `A metadata path of ${path.length} keys is too long.`);
  }
  const last = `e${path.length}`;
  const tables = path.map((_key, index) =>
    index === 0
      ? 'json_each(metadata) AS e1'
      : `json_each(CASE e${index}.type WHEN 'object' THEN e${index}.value ELSE '{}' END) AS e${index + 1}`,
  );
  const keys = path.map((_key, index) => `e${index + 1}.key = ?`).join(' AND ');
  const from = `FROM ${tables.join(', ')} WHERE ${keys}`;
  return {
    type: { sql: `(SELECT ${last}.type ${from})`, values: path },
    value: { sql: `(SELECT ${last}.value ${from})`, values: path },
  };
}
