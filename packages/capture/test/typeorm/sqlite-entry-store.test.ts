import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeEntryStore } from '../../src/testing';
import { createTypeOrmEntryStore } from '../../src/typeorm';

const DAY = 24 * 3_600_000;
let folder = '';
let opened = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recap-store-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describeEntryStore('an SQLite file', async (clock) => {
  opened += 1;
  const path = join(folder, `${opened}`, 'recap.db');
  const store = createTypeOrmEntryStore({ database: { type: 'sqlite', path }, clock, sessionMaxAgeMs: DAY });
  await store.open();
  return store;
});

describeEntryStore('SQLite in memory', async (clock) => {
  const database = { type: 'sqlite', path: ':memory:' } as const;
  const store = createTypeOrmEntryStore({ database, clock, sessionMaxAgeMs: DAY });
  await store.open();
  return store;
});
