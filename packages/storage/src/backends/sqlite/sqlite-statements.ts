import type { SqlStatement } from '../sql/sql-contract';

const statement = (name: string, text: string): SqlStatement => ({ name: `sqlite_${name}`, text });

/** As text, which costs less than bytes; by another name, since rows are ordered by the bytes. */
export const KEY = 'CAST(key AS TEXT) AS name';

/** Several of these are read in one go; anything larger by itself. */
const SMALL_BYTES = 16_384;
const small = (column: string): string =>
  `CASE WHEN octet_length(${column}) <= ${SMALL_BYTES} THEN ${column} END AS ${column}`;

const FROM_RANGE = 'FROM recap_items WHERE partition = $1 AND key >= $2 AND key < $3';
const scan = (order: '' | ' DESC'): string =>
  `SELECT ${KEY}, kind, ${small('json')}, ${small('bytes')}, version, expires_at
   ${FROM_RANGE} ORDER BY key${order} LIMIT $4`;
const keys = (order: '' | ' DESC'): string => `SELECT ${KEY}, expires_at ${FROM_RANGE} ORDER BY key${order}`;

/**
 * What SQLite does in other steps than an engine on a server: a row at a time, expired ones too, since a statement that
 * looks for something far away cannot be interrupted.
 */
export const SQLITE_STATEMENTS = {
  /** 1 partition, 2 key */
  get: statement(
    'get',
    'SELECT kind, json, bytes, version, expires_at FROM recap_items WHERE partition = $1 AND key = $2',
  ),
  /** 1 partition, 2 from, 3 to, 4 limit; a value that is large is left out. */
  scanUp: statement('scan_up', scan('')),
  scanDown: statement('scan_down', scan(' DESC')),
  /** 1 partition, 2 from, 3 to; without values */
  keysUp: statement('keys_up', keys('')),
  keysDown: statement('keys_down', keys(' DESC')),
  /** 1 from, 2 to */
  nextPartition: statement(
    'next_partition',
    'SELECT partition FROM recap_items WHERE partition >= $1 AND partition < $2 ORDER BY partition LIMIT 1',
  ),
  /** 1 partition, 2 key */
  list: statement(
    'list',
    'SELECT kind, list, length, expires_at FROM recap_items WHERE partition = $1 AND key = $2',
  ),
  /** 1 list, 2 first, 3 last */
  elements: statement(
    'elements',
    `SELECT position, kind, json, bytes FROM recap_elements
     WHERE list = $1 AND position >= $2 AND position <= $3 ORDER BY position`,
  ),
  /** 1 id */
  all: statement('all', 'SELECT id, expires_at FROM recap_items WHERE id > $1 ORDER BY id'),
  /** 1 now */
  sweepItem: statement(
    'sweep_item',
    `DELETE FROM recap_items WHERE id =
       (SELECT id FROM recap_items WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1)
     RETURNING 1 AS swept`,
  ),
  droppedList: statement('dropped_list', 'SELECT list FROM recap_dropped_lists LIMIT 1'),
  /** 1 list */
  sweepElement: statement(
    'sweep_element',
    `DELETE FROM recap_elements WHERE rowid =
       (SELECT rowid FROM recap_elements WHERE list = $1 ORDER BY position LIMIT 1)
     RETURNING 1 AS swept`,
  ),
  /** 1 list */
  forgetList: statement('forget_list', 'DELETE FROM recap_dropped_lists WHERE list = $1'),
} as const;
