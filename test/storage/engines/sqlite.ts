import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteBackend } from '@recap/storage';
import type { FakeClock } from '@recap/storage/testing';
import Database from 'better-sqlite3';
import type { Engine } from '../describe-on';

const server = async (): Promise<string> => {
  const database = new Database(':memory:');
  const { version } = database.prepare('SELECT sqlite_version() AS version').get() as { version: string };
  database.close();
  return `SQLite ${version}`;
};

let folder = '';
const inFile = async (clock: FakeClock) => {
  const backend = createSqliteBackend({ path: join(folder, 'items.db'), clock, sweepIntervalMs: 0 });
  await backend.open();
  return backend;
};

export const sqlite: Engine = {
  name: 'sqlite',
  open: async (clock) => {
    await rm(folder, { recursive: true, force: true });
    folder = await mkdtemp(join(tmpdir(), 'recap-storage-'));
    return inFile(clock);
  },
  another: inFile,
  server,
  end: () => rm(folder, { recursive: true, force: true }),
};

export const sqliteInMemory: Engine = {
  name: 'sqlite in memory',
  open: async (clock) => {
    const backend = createSqliteBackend({ path: ':memory:', clock, sweepIntervalMs: 0 });
    await backend.open();
    return backend;
  },
  server,
};
