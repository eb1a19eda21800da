import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';
import { KEYS } from '../values.mjs';
import { makeBackend } from './recap.mjs';

const VALUES = Buffer.from('messages');
const LISTS = Buffer.from('lists');

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
  const get = prepare('SELECT json FROM recap_items WHERE partition = ? AND key = ?').pluck();
  const set = prepare(
    `INSERT INTO recap_items (partition, key, kind, json, version, length, recent) VALUES (?, ?, 1, ?, ?, 0, '')
     ON CONFLICT (partition, key) DO UPDATE SET json = excluded.json, version = excluded.version`,
  );
  const grow = prepare(
    `INSERT INTO recap_items (partition, key, kind, version, list, length, recent) VALUES (?, ?, 4, ?, ?, 1, '')
     ON CONFLICT (partition, key) DO UPDATE SET length = length + 1, version = excluded.version
     RETURNING length`,
  ).pluck();
  const add = prepare('INSERT INTO recap_elements (list, position, kind, json) VALUES (?, ?, 1, ?)');
  const scan = prepare(
    'SELECT json FROM recap_items WHERE partition = ? AND key >= ? ORDER BY key LIMIT ?',
  ).pluck();
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
      const text = get.get(VALUES, keyOf(id));
      return text === undefined ? undefined : JSON.parse(text);
    },
    set: (id, value) => {
      const text = JSON.stringify(value);
      return inOneTransaction(() => set.run(VALUES, keyOf(id), text, randomUUID()));
    },
    append: (list, value) => {
      const [id, text] = [`list ${list}`, JSON.stringify(value)];
      return inOneTransaction(() => {
        const length = grow.get(LISTS, listKey(list), randomUUID(), id);
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
    scan: async (from, limit) => scan.all(VALUES, keyOf(from), limit).map((text) => JSON.parse(text)),
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
