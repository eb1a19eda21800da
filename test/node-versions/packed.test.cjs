const { execFile } = require('node:child_process');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { promisify } = require('node:util');
const { describeEntryStore } = require('@recap/capture/testing');
// Not a public name: programs reach this store through createRecorder.
const { createTypeOrmEntryStore } = require(
  join(__dirname, 'node_modules/@recap/capture/dist/typeorm/index.js'),
);

const folder = mkdtempSync(join(tmpdir(), 'recap-node-versions-'));
let places = 0;
const newPlace = () => join(folder, String((places += 1)));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sourceOf = (name) => require.resolve(name).startsWith(join(__dirname, 'node_modules'));

describe('a program on this Node', () => {
  it('has the packages as they are published, and SQLite without a compiler', () => {
    expect(['@recap/capture', '@recap/storage', 'better-sqlite3-napi'].map(sourceOf)).toEqual([
      true,
      true,
      true,
    ]);
    expect(process.versions.node).not.toMatch(/^20\./);
  });

  it.each(
    ['express', 'koa'].flatMap((framework) => [
      [framework, { durability: 'buffered' }],
      [framework, { durability: 'spooled' }],
      // A busy machine may take long to open the database.
      [framework, { durability: 'strict', strictTimeoutMs: 60_000 }],
      [framework, { codec: 'zstd' }],
    ]),
  )('records %s with %j in a worker thread', async (framework, options) => {
    const path = join(newPlace(), 'recap.db');
    const all = JSON.stringify({ ...options, worker: true, database: { type: 'sqlite', path } });
    const program = join(__dirname, 'program.mjs');
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, framework, all], {
      cwd: folder,
    });
    expect(stderr).toBe('');
    const body = { text: 'x'.repeat(4_000), password: '[REDACTED]' };
    expect(JSON.parse(stdout)).toMatchObject({
      version: process.version,
      isEcho: true,
      worker: true,
      internalErrors: 0,
      items: [{ method: 'POST', status: 200, outcome: 'completed', data: { request: body, response: body } }],
    });
  });
});

describeEntryStore('an SQLite file', async (clock) => {
  const database = { type: 'sqlite', path: join(newPlace(), 'recap.db') };
  const store = createTypeOrmEntryStore({ database, clock, sessionMaxAgeMs: 24 * 3_600_000 });
  await store.open();
  return store;
});
