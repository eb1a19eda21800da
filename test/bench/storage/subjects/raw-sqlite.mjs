import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';
import { KEYS } from '../values.mjs';
import { makeBackend } from './recap.mjs';

const VALUES = Buffer.from('messages');
const LISTS = Buffer.from('lists');
const LIVE = '(expires_at IS NULL OR expires_at > ?)';

/**
 * `better-sqlite3` by hand, on tables and indexes like those of the backend: prepared statements, a log that is synced
 * before a write is answered, and one transaction for what is written in one turn of the event loop.
 */
export async function openSubject(_kind, place) {
  const backend = makeBackend(place);
  await backend.open();
  await backend.close();

  const database = new Database(place.path);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  const inOneTransaction = groupByTurn(database);
  const prepare = (text) => database.prepare(text);
  const get = prepare(
    `SELECT json, version, expires_at FROM recap_items WHERE partition = ? AND key = ? AND ${LIVE}`,
  );
  const set = prepare(
    `INSERT INTO recap_items (partition, key, kind, json, version, expires_at, length, recent)
     VALUES (?, ?, 1, ?, ?, ?, 0, '')
     ON CONFLICT (partition, key) DO UPDATE SET kind = 1, json = excluded.json, bytes = NULL,
       version = excluded.version, expires_at = excluded.expires_at, list = NULL, length = 0, recent = ''`,
  );
  // A list knows its last versions, of which none is appended twice.
  const grow = prepare(
    `INSERT INTO recap_items (partition, key, kind, version, list, length, recent)
     VALUES ($partition, $key, 4, $version, $list, 1, ' ' || $version || ' ')
     ON CONFLICT (partition, key) DO UPDATE SET length = length + 1, version = excluded.version,
       recent = substr(' ' || excluded.version || recent, 1, 521)
     WHERE kind = 4 AND (expires_at IS NULL OR expires_at > $now) AND instr(recent, excluded.recent) = 0
     RETURNING length`,
  ).pluck();
  const add = prepare('INSERT INTO recap_elements (list, position, kind, json) VALUES (?, ?, 1, ?)');
  const scan = prepare(
    `SELECT CAST(key AS TEXT) AS name, json, version, expires_at FROM recap_items
     WHERE partition = ? AND key >= ? AND ${LIVE} ORDER BY key LIMIT ?`,
  );
  const allKeys = prepare(
    'SELECT CAST(key AS TEXT) FROM recap_items WHERE partition = ? ORDER BY key',
  ).pluck();
  const count = prepare('SELECT count(*) FROM recap_items WHERE partition = ?').pluck();
  const elements = prepare('SELECT json FROM recap_elements WHERE list = ? ORDER BY position').pluck();
  const drop = prepare('DELETE FROM recap_items WHERE partition = ? AND key = ?');
  const dropElements = prepare('DELETE FROM recap_elements WHERE list = ?');

  const keyOf = (id) => Buffer.from(KEYS[id]);
  const listKey = (list) => Buffer.from(`list:${list}`);
  return {
    get: async (id) => {
      const row = get.get(VALUES, keyOf(id), Date.now());
      return row === undefined ? undefined : JSON.parse(row.json);
    },
    set: (id, value) => {
      const text = JSON.stringify(value);
      return inOneTransaction(() => set.run(VALUES, keyOf(id), text, randomUUID(), null));
    },
    append: (list, value) => {
      const [id, text] = [`list ${list}`, JSON.stringify(value)];
      return inOneTransaction(() => {
        const [key, version, now] = [listKey(list), randomUUID(), Date.now()];
        const length = grow.get({ partition: LISTS, key, version, list: id, now });
        add.run(id, length - 1, text);
        return length;
      });
    },
    list: async (list) => {
      const { length, [length - 1]: last } = elements.all(`list ${list}`);
      return { length, last: JSON.parse(last) };
    },
    drop: async (list) => {
      drop.run(LISTS, listKey(list));
      dropElements.run(`list ${list}`);
    },
    scan: async (from, limit) => {
      const items = scan
        .all(VALUES, keyOf(from), Date.now(), limit)
        .map(({ name, json, version }) => ({ key: name, value: JSON.parse(json), version }));
      return items.map(({ value }) => value);
    },
    keys: async () => allKeys.all(VALUES),
    count: async () => count.get(VALUES),
    close: async () => database.close(),
  };
}

function groupByTurn(database) {
  let waiting = [];
  const writeAll = database.transaction((writes) => writes.map(({ write }) => write()));
  const commit = () => {
    const writes = waiting;
    waiting = [];
    try {
      const answers = writeAll.immediate(writes);
      writes.forEach(({ resolve }, index) => resolve(answers[index]));
    } catch (error) {
      for (const { reject } of writes) reject(error);
    }
  };
  return (write) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ write, resolve, reject }) === 1) setImmediate(commit);
    });
}
