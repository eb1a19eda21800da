require('reflect-metadata');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { describeEntryStore, newEntry } = require('@recap/capture/testing');
// Not a public name: programs reach this store through createRecorder.
const { createTypeOrmEntryStore } = require(
  join(__dirname, 'node_modules/@recap/capture/dist/typeorm/index.js'),
);

const sessionMaxAgeMs = 24 * 3_600_000;
const folder = mkdtempSync(join(tmpdir(), 'recap-typeorm-0.3-'));
let opened = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeEntryStore('an SQLite file over TypeORM 0.3 and sqlite3', async (clock) => {
  opened += 1;
  const database = { type: 'sqlite', driver: 'sqlite3', path: join(folder, String(opened), 'recap.db') };
  const store = createTypeOrmEntryStore({ database, clock, sessionMaxAgeMs });
  await store.open();
  return store;
});

describe('an SQLite file over TypeORM 0.3', () => {
  it('opens with sqlite3 when better-sqlite3 is absent, and keeps what is in it', async () => {
    const database = { type: 'sqlite', path: join(folder, 'kept', 'recap.db') };
    const first = createTypeOrmEntryStore({ database, sessionMaxAgeMs });
    await first.open();
    const entry = newEntry({ owner: 'ann' });
    const [placement] = await first.append([entry]);
    await first.close();

    const second = createTypeOrmEntryStore({ database, sessionMaxAgeMs });
    await second.open();
    const found = await second.find({ filter: { owner: 'ann' }, limit: 2, includeBodies: true });
    await second.close();
    expect(found.map(({ id, sessionId }) => ({ id, sessionId }))).toEqual([
      { id: entry.id, sessionId: placement.sessionId },
    ]);
  });
});
