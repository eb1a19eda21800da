import type { SqlDialect, SqlStatement } from '../sql/sql-contract';
import type { SqlStatements } from '../sql/sql-statements';
import { pageColumns } from './postgres-page';

/** How long a statement about several rows waits for one of them; then each is written by itself. */
const GROUP_LOCK_MS = 500;

/** What PostgreSQL does in one round trip where the shared steps take several. */
export function postgresStatements(dialect: SqlDialect, { grow }: SqlStatements) {
  const { table, json, jsonText } = dialect;
  const items = table('items');
  const scan = (order: '' | ' DESC'): string =>
    `SELECT ${pageColumns(dialect, '$6')} FROM ${items}
     WHERE partition = $1 AND key >= $2 AND key < $3 AND (expires_at IS NULL OR expires_at > $4)
     ORDER BY key${order} LIMIT $5`;
  return {
    /** 1 partition, 2 from, 3 to, 4 now, 5 limit, 6 most bytes of a value that comes with the others */
    scanUp: { name: 'recap_scan_up', text: scan('') },
    scanDown: { name: 'recap_scan_down', text: scan(' DESC') },
    /** As `grow`, 7 kinds, 8 json, 9 bytes of the elements. */
    append: {
      name: 'recap_append',
      text: `WITH grown AS (${grow.text}), added AS (
          INSERT INTO ${table('elements')} (list, position, kind, json, bytes)
          SELECT grown.list, grown.length - CAST($6 AS bigint) + element.ordinality - 1,
            element.kind, ${json('element.json')}, element.bytes
          FROM grown, unnest(CAST($7 AS smallint[]), CAST($8 AS text[]), CAST($9 AS bytea[]))
            WITH ORDINALITY AS element (kind, json, bytes, ordinality))
        SELECT length FROM grown`,
    },
    /** As `append`, of one element: the server takes text as it is quicker than out of an array. */
    appendOne: {
      name: 'recap_append_one',
      text: `WITH grown AS (${grow.text}), added AS (
          INSERT INTO ${table('elements')} (list, position, kind, json, bytes)
          SELECT list, length - 1, CAST($7 AS smallint), ${json('$8')}, CAST($9 AS bytea) FROM grown)
        SELECT length FROM grown`,
    },
    /**
     * 1 partitions, 2 keys, 3 now; what is there comes with its place among them. The limit keeps it to one look into
     * the index for each: a plan that was made while the table was small would go on reading all of it.
     */
    getMany: {
      name: 'recap_get_many',
      text: `SELECT asked.ordinality, found.*
        FROM unnest(CAST($1 AS bytea[]), CAST($2 AS bytea[])) WITH ORDINALITY AS asked (partition, key, ordinality)
        CROSS JOIN LATERAL (
          SELECT ${items}.key, ${items}.kind, ${jsonText(`${items}.json`)} AS json, ${items}.bytes,
            ${items}.version, ${items}.expires_at
          FROM ${items}
          WHERE ${items}.partition = asked.partition AND ${items}.key = asked.key
            AND (${items}.expires_at IS NULL OR ${items}.expires_at > $3)
          LIMIT 1) AS found`,
    },
    /**
     * 1 partitions, 2 keys, 3 kinds, 4 json, 5 bytes, 6 versions, 7 expiries; no address twice. A row that another
     * program holds holds up the rest no longer than `GROUP_LOCK_MS`: the setting ends with the statement.
     */
    setMany: {
      name: 'recap_set_many',
      text: `WITH hurry AS MATERIALIZED (SELECT set_config('lock_timeout', '${GROUP_LOCK_MS}', true) AS done)
        INSERT INTO ${items} (partition, key, kind, json, bytes, version, expires_at, length, recent)
        SELECT partition, key, kind, ${json('json')}, bytes, version, expires_at, 0, ''
        FROM hurry CROSS JOIN unnest(CAST($1 AS bytea[]), CAST($2 AS bytea[]), CAST($3 AS smallint[]),
          CAST($4 AS text[]), CAST($5 AS bytea[]), CAST($6 AS text[]), CAST($7 AS bigint[]))
          AS given (partition, key, kind, json, bytes, version, expires_at)
        ORDER BY partition, key
        ON CONFLICT (partition, key) DO UPDATE SET kind = excluded.kind, json = excluded.json, bytes = excluded.bytes,
          version = excluded.version, expires_at = excluded.expires_at, list = NULL, length = 0, recent = ''`,
    },
  } satisfies Record<string, SqlStatement>;
}
