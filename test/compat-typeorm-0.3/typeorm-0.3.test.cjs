require('reflect-metadata');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { DataSource, EntitySchema } = require('typeorm');

const Note = new EntitySchema({
  name: 'note',
  columns: { id: { type: 'integer', primary: true, generated: true }, text: { type: 'text' } },
});

describe('TypeORM 0.3 on sqlite3', () => {
  let folder;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'recap-typeorm-0.3-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('comes from the lockfile of this folder', () => {
    const nodeModules = join(__dirname, 'node_modules');
    for (const name of [
      'typeorm',
      'sqlite3',
      'reflect-metadata',
      '@recap/storage',
      '@recap/capture/package.json',
    ]) {
      expect(require.resolve(name).startsWith(nodeModules)).toBe(true);
    }
    const { version } = JSON.parse(readFileSync(join(nodeModules, 'typeorm/package.json'), 'utf8'));
    expect(version).toMatch(/^0\.3\./);
    expect(() => require('better-sqlite3')).toThrow('Cannot find module');
  });

  it('writes to a file and reads it back', async () => {
    const options = {
      type: 'sqlite',
      database: join(folder, 'notes.db'),
      entities: [Note],
      synchronize: true,
    };
    const first = await new DataSource(options).initialize();
    await first.getRepository(Note).save({ text: "it's 100 %" });
    await first.destroy();
    const second = await new DataSource(options).initialize();
    await expect(second.getRepository(Note).find()).resolves.toEqual([{ id: 1, text: "it's 100 %" }]);
    await second.destroy();
  });
});
