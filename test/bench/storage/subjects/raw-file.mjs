import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KEYS } from '../values.mjs';

/**
 * Files by hand, as durable: a value is written to a file beside it, synced, renamed, and the folder synced; a list is a
 * file of lines that is synced after each. There is no order of keys but that of sorted file names.
 */
export async function openSubject(_kind, { path }) {
  const values = join(path, 'values');
  const lists = join(path, 'lists');
  for (const folder of [values, lists]) await mkdir(folder, { recursive: true });
  const fileOf = (id) => join(values, `${KEYS[id]}.json`);
  const listOf = (list) => join(lists, `${list}.jsonl`);
  const lengths = new Map();
  let names = 0;

  async function synced(file, work) {
    try {
      await work(file);
      await file.datasync();
    } finally {
      await file.close();
    }
  }
  async function syncFolder(folder) {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
  const parse = async (name) => JSON.parse(await readFile(join(values, name), 'utf8'));
  const sortedNames = async () => (await readdir(values)).filter((name) => name.endsWith('.json')).sort();

  return {
    get: async (id) => {
      try {
        return JSON.parse(await readFile(fileOf(id), 'utf8'));
      } catch (error) {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      }
    },
    set: async (id, value) => {
      const temporary = join(values, `${names++}.tmp`);
      await synced(await open(temporary, 'wx'), (file) => file.writeFile(JSON.stringify(value)));
      await rename(temporary, fileOf(id));
      await syncFolder(values);
    },
    append: async (list, value) => {
      const isNew = !lengths.has(list);
      const length = (lengths.get(list) ?? 0) + 1;
      lengths.set(list, length);
      await synced(await open(listOf(list), 'a'), (file) => file.appendFile(`${JSON.stringify(value)}\n`));
      if (isNew) await syncFolder(lists);
      return length;
    },
    list: async (list) => {
      const lines = (await readFile(listOf(list), 'utf8')).trimEnd().split('\n');
      return { length: lines.length, last: JSON.parse(lines.at(-1)) };
    },
    drop: async (list) => {
      lengths.delete(list);
      await rm(listOf(list), { force: true });
    },
    scan: async (from, limit) => {
      const sorted = await sortedNames();
      const first = sorted.findIndex((name) => name >= `${KEYS[from]}.json`);
      return Promise.all(sorted.slice(first, first + limit).map(parse));
    },
    keys: async () => (await sortedNames()).map((name) => name.slice(0, -'.json'.length)),
    count: async () => (await sortedNames()).length,
    close: async () => undefined,
  };
}
