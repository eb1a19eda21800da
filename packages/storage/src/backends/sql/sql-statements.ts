import type { SqlDialect, SqlStatement } from './sql-contract';

/** What `kind` says of a row. */
export const KIND = { json: 1, bytes: 2, jsonAsBytes: 3, list: 4 } as const;

/** Room for the last eight versions of 64 characters. One that is cut has no space behind it, and is none any more. */
const RECENT_CHARACTERS = 8 * 65 + 1;

export type SqlStatements = ReturnType<typeof sqlStatements>;

/**
 * Of `items`: (partition, key), kind, json, bytes, version, expires_at, list, length, recent. A list's elements are
 * in `elements`: (list, position), kind, json, bytes, under an id that is new with each list; when an item stops
 * being that list, a trigger notes the id in `dropped_lists`, and sweeping removes the elements in small steps.
 * `recent` holds the versions of the last appends, each between spaces.
 */
export function sqlStatements({ table, json, jsonText, lacks, skipLocked }: SqlDialect) {
  const items = table('items');
  const elements = table('elements');
  const dropped = table('dropped_lists');
  const live = (now: string, row = items): string =>
    `(${row}.expires_at IS NULL OR ${row}.expires_at > ${now})`;
  const here = `${items}.partition = $1 AND ${items}.key = $2`;
  const content = `${items}.kind, ${jsonText(`${items}.json`)} AS json, ${items}.bytes, ${items}.version, ${items}.expires_at`;
  const keys = (order: '' | ' DESC'): string =>
    `SELECT ${items}.key FROM ${items}
     WHERE partition = $1 AND key >= $2 AND key < $3 AND ${live('$4')}
     ORDER BY key${order} LIMIT $5`;
  const insert = `INSERT INTO ${items} (partition, key, kind, json, bytes, version, expires_at, length, recent)
    VALUES ($1, $2, $3, ${json('$4')}, $5, $6, $7, 0, '')`;
  const replace = `kind = excluded.kind, json = excluded.json, bytes = excluded.bytes, version = excluded.version,
    expires_at = excluded.expires_at, list = NULL, length = 0, recent = ''`;
  const index = (parameter: string): string =>
    `CASE WHEN CAST(${parameter} AS bigint) < 0 THEN ${items}.length + CAST(${parameter} AS bigint) ELSE CAST(${parameter} AS bigint) END`;

  const texts = {
    /** 1 partition, 2 key, 3 now */
    get: `SELECT ${content} FROM ${items} WHERE ${here} AND ${live('$3')}`,
    /** 1 partition, 2 from, 3 to, 4 now, 5 limit */
    keysUp: keys(''),
    keysDown: keys(' DESC'),
    /** 1 from, 2 to, 3 now, 4 limit. From each name it goes on to the next by the index, past all of the name's keys. */
    partitions: `WITH RECURSIVE named (partition) AS (
        SELECT first.partition FROM (
          SELECT partition FROM ${items} WHERE partition >= $1 AND partition < $2 AND ${live('$3')}
          ORDER BY partition LIMIT 1) AS first
        UNION ALL
        SELECT (SELECT ${items}.partition FROM ${items}
          WHERE ${items}.partition > named.partition AND ${items}.partition < $2 AND ${live('$3')}
          ORDER BY ${items}.partition LIMIT 1)
        FROM named WHERE named.partition IS NOT NULL)
      SELECT partition FROM named WHERE partition IS NOT NULL LIMIT $4`,
    /** 1 partition, 2 key, 3 kind, 4 json, 5 bytes, 6 version, 7 expires_at */
    set: `${insert} ON CONFLICT (partition, key) DO UPDATE SET ${replace}`,
    /** As `set`, 8 now; answers whether it wrote. */
    setIfAbsent: `${insert} ON CONFLICT (partition, key) DO UPDATE SET ${replace}
      WHERE ${items}.expires_at <= $8 OR ${items}.version = excluded.version
      RETURNING 1 AS written`,
    /** As `set`, 8 now, 9 the version to be replaced; answers whether it wrote. */
    setIfVersion: `UPDATE ${items} SET kind = $3, json = ${json('$4')}, bytes = $5, version = $6, expires_at = $7,
        list = NULL, length = 0, recent = ''
      WHERE ${here} AND ${live('$8')} AND version IN ($6, $9)
      RETURNING 1 AS written`,
    /** 1 partition, 2 key; answers the expiry of what it deleted. */
    delete: `DELETE FROM ${items} WHERE ${here} RETURNING expires_at`,
    /** As `delete`, 3 version. */
    deleteIfVersion: `DELETE FROM ${items} WHERE ${here} AND version = $3 RETURNING expires_at`,
    /** 1 partition, 2 key, 3 now */
    look: `SELECT kind, length, recent FROM ${items} WHERE ${here} AND ${live('$3')}`,
    /** 1 partition, 2 key, 3 now, 4 version, 5 expires_at, 6 how many; answers the list and its new length. */
    grow: `UPDATE ${items} SET length = length + CAST($6 AS bigint), version = $4,
        expires_at = COALESCE(CAST($5 AS bigint), expires_at),
        recent = substr(' ' || $4 || recent, 1, ${RECENT_CHARACTERS})
      WHERE ${here} AND ${live('$3')} AND kind = ${KIND.list} AND ${lacks('recent', "' ' || $4 || ' '")}
      RETURNING list, length`,
    /** As `grow`, where nothing visible is; 7 an id for the list. */
    begin: `INSERT INTO ${items} (partition, key, kind, version, expires_at, list, length, recent)
      VALUES ($1, $2, ${KIND.list}, $4, $5, $7, $6, ' ' || $4 || ' ')
      ON CONFLICT (partition, key) DO UPDATE SET kind = excluded.kind, json = NULL, bytes = NULL,
        version = excluded.version, expires_at = excluded.expires_at, list = excluded.list,
        length = excluded.length, recent = excluded.recent
      WHERE ${items}.expires_at <= $3
      RETURNING list, length`,
    /** 1 list, 2 position, 3 kind, 4 json, 5 bytes */
    addElement: `INSERT INTO ${elements} (list, position, kind, json, bytes) VALUES ($1, $2, $3, ${json('$4')}, $5)`,
    /** 1 partition, 2 key, 3 now, 4 start, 5 end; a row without a position where there is no such element. */
    range: `SELECT ${items}.kind AS item_kind, ${elements}.position, ${elements}.kind,
        ${jsonText(`${elements}.json`)} AS json, ${elements}.bytes
      FROM ${items} LEFT JOIN ${elements} ON ${elements}.list = ${items}.list
        AND ${elements}.position >= ${index('$4')} AND ${elements}.position <= ${index('$5')}
      WHERE ${here} AND ${live('$3')}
      ORDER BY ${elements}.position`,
    /**
     * 1 now, 2 limit. Picked once, and not again for each row that is compared, which would delete more than the limit.
     * The instant is looked at again on the row itself, which may have been written meanwhile.
     */
    sweepItems: `WITH picked AS MATERIALIZED (
        SELECT partition, key FROM ${items} WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 ${skipLocked})
      DELETE FROM ${items} WHERE expires_at <= $1 AND (partition, key) IN (SELECT partition, key FROM picked)
      RETURNING 1 AS swept`,
    /** 1 limit */
    sweepElements: `WITH picked AS MATERIALIZED (
        SELECT ${elements}.list, ${elements}.position FROM ${dropped} JOIN ${elements} ON ${elements}.list = ${dropped}.list
        LIMIT $1)
      DELETE FROM ${elements} WHERE (list, position) IN (SELECT list, position FROM picked)
      RETURNING 1 AS swept`,
    sweepDropped: `DELETE FROM ${dropped}
      WHERE NOT EXISTS (SELECT 1 FROM ${elements} WHERE ${elements}.list = ${dropped}.list)`,
    /** 1 now, 2 the number to stop at */
    count: `SELECT count(*) AS items FROM (SELECT 1 FROM ${items} WHERE ${live('$1')} LIMIT $2) AS counted`,
  };
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, { name: `recap_${name}`, text }]),
  ) as { readonly [name in keyof typeof texts]: SqlStatement };
}
