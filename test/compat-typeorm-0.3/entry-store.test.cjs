require('reflect-metadata');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { newEntry } = require('@recap/capture/testing');
// Not a public name: programs reach this store through createRecorder.
const { createTypeOrmEntryStore } = require(
  join(__dirname, 'node_modules/@recap/capture/dist/typeorm/index.js'),
);

describe('the entry store on TypeORM 0.3 and sqlite3', () => {
  let folder;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'recap-entry-store-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([['sqlite3'], [undefined]])('keeps entries in a file over driver %s', async (driver) => {
    const path = join(folder, `${driver}.db`);
    const database = driver === undefined ? { type: 'sqlite', path } : { type: 'sqlite', path, driver };
    const sessionMaxAgeMs = 86_400_000;
    const first = createTypeOrmEntryStore({ database, sessionMaxAgeMs });
    await first.open();
    const entry = newEntry({ owner: 'ann' });
    const [placement] = await first.append([entry]);
    await first.close();

    const second = createTypeOrmEntryStore({ database, sessionMaxAgeMs });
    await second.open();
    const [found] = await second.find({ filter: { owner: 'ann' }, limit: 2, includeBodies: true });
    await second.close();
    expect(found.id).toBe(entry.id);
    expect(found.sessionId).toBe(placement.sessionId);
  });
});
