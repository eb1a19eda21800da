import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { KEYS } from '../values.mjs';
import { makeBackend } from './recap.mjs';

const statement = (name, text) => (values) => ({ name, text, values });
/** Visible at the instant `$n`. */
const live = (n) => `(recap_items.expires_at IS NULL OR recap_items.expires_at > $${n})`;
const GET = statement(
  'get',
  `SELECT json, version, expires_at FROM recap_items WHERE partition = $1 AND key = $2 AND ${live(3)}`,
);
const SET = statement(
  'set',
  `INSERT INTO recap_items (partition, key, kind, json, version, expires_at, length, recent)
   VALUES ($1, $2, 1, $3, $4, $5, 0, '')
   ON CONFLICT (partition, key) DO UPDATE SET kind = 1, json = excluded.json, bytes = NULL,
     version = excluded.version, expires_at = excluded.expires_at, list = NULL, length = 0, recent = ''`,
);
/** A list knows its last versions, of which none is appended twice. */
const APPEND = statement(
  'append',
  `WITH list AS (
     INSERT INTO recap_items (partition, key, kind, version, list, length, recent)
     VALUES ($1, $2, 4, $3, $4, 1, ' ' || $3 || ' ')
     ON CONFLICT (partition, key) DO UPDATE SET length = recap_items.length + 1, version = excluded.version,
       recent = substr(' ' || excluded.version || recap_items.recent, 1, 521)
     WHERE recap_items.kind = 4 AND ${live(6)} AND position(excluded.recent IN recap_items.recent) = 0
     RETURNING list, length),
   added AS (
     INSERT INTO recap_elements (list, position, kind, json) SELECT list, length - 1, 1, $5 FROM list)
   SELECT length FROM list`,
);
const SCAN = statement(
  'scan',
  `SELECT key, json, version, expires_at FROM recap_items WHERE partition = $1 AND key >= $2 AND ${live(4)}
   ORDER BY key LIMIT $3`,
);
const ALL_KEYS = statement('keys', 'SELECT key FROM recap_items WHERE partition = $1 ORDER BY key');
const COUNT = 'SELECT count(*)::int AS count FROM recap_items WHERE partition = $1';
const LAST = `SELECT item.length, element.json FROM recap_items AS item
  JOIN recap_elements AS element ON element.list = item.list AND element.position = item.length - 1
  WHERE item.partition = $1 AND item.key = $2`;
const DROP = 'DELETE FROM recap_items WHERE partition = $1 AND key = $2';

const VALUES = Buffer.from('messages');
const LISTS = Buffer.from('lists');

/** `pg` by hand, on tables and indexes like those of the backend: as many round trips, prepared statements, ten connections. */
export async function openSubject(_kind, place) {
  const backend = makeBackend(place);
  await backend.open();
  await backend.close();

  const pool = new pg.Pool({ connectionString: place.url, max: 10 });
  const keyOf = (id) => Buffer.from(KEYS[id]);
  const listKey = (list) => Buffer.from(`list:${list}`);
  let lists = 0;
  const rows = async (query) => (await pool.query(query)).rows;
  return {
    get: async (id) => (await rows(GET([VALUES, keyOf(id), Date.now()])))[0]?.json,
    set: (id, value) => rows(SET([VALUES, keyOf(id), JSON.stringify(value), randomUUID(), null])),
    append: async (list, value) => {
      const [id, text] = [`list ${lists}/${list}`, JSON.stringify(value)];
      const values = [LISTS, listKey(list), randomUUID(), id, text, Date.now()];
      return Number((await rows(APPEND(values)))[0].length);
    },
    list: async (list) => {
      const [{ length, json }] = await rows({ text: LAST, values: [LISTS, listKey(list)] });
      return { length: Number(length), last: json };
    },
    drop: async (list) => {
      // As for the backend, the elements are left to be swept; the next list of this name has another id.
      await rows({ text: DROP, values: [LISTS, listKey(list)] });
      lists += 1;
    },
    scan: async (from, limit) => {
      const found = await rows(SCAN([VALUES, keyOf(from), limit, Date.now()]));
      const items = found.map(({ key, json, version }) => ({ key: key.toString(), value: json, version }));
      return items.map(({ value }) => value);
    },
    keys: async () => (await rows(ALL_KEYS([VALUES]))).map(({ key }) => key.toString()),
    count: async () => (await rows({ text: COUNT, values: [VALUES] }))[0].count,
    close: () => pool.end(),
  };
}
