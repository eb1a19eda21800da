import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './example-program';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'recap-example-storage-'));
const example = join(root, 'examples/storage');
const { RECAP_TEST_POSTGRES_URL, RECAP_TEST_REDIS_URL } = process.env;
const unique = `example_${process.pid}`;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the example prints after one line of its configuration was replaced. */
async function printed(half?: 'cache' | 'database', settings?: string): Promise<string> {
  const lines = readFileSync(join(example, 'storage.yml'), 'utf8').split('\n');
  const changed = lines.map((line) => (half && line.startsWith(`${half}:`) ? `${half}: ${settings}` : line));
  expect(changed.filter((line, index) => line !== lines[index])).toHaveLength(half === undefined ? 0 : 1);
  const path = join(folder, 'storage.yml');
  writeFileSync(path, changed.join('\n'));
  const program = spawn(process.execPath, [join(example, 'storage.mjs'), path], { cwd: folder });
  let output = '';
  let errors = '';
  program.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  program.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = (await once(program, 'close')) as [number | null];
  expect([code, errors]).toEqual([0, '']);
  return output;
}

const EXPECTED = `session:123: {"user":456,"cart":["kettle"]}
user:456: {"name":"Ann"}
messages:789, their number: 25
messages:789, the last ten: ${JSON.stringify(Array.from({ length: 10 }, (_, index) => `Message ${16 + index}`))}
session:abc, from the database: "abc"
session:abc, warm again: true
session:def, read by 100 at once: 100
the keys of sessions: ["session:abc","session:def"]
healthy: {"cache":true,"database":true,"overall":true}
`;

describe('the example for storage', () => {
  it('runs as it is, in memory', async () => {
    expect(await printed()).toBe(EXPECTED);
  });

  it('prints the same on SQLite, twice, with one line changed', async () => {
    const path = join(folder, 'kept/storage.db');
    expect(await printed('database', `{ type: sqlite, path: ${path} }`)).toBe(EXPECTED);
    expect(await printed('database', `{ type: sqlite, path: ${path} }`)).toBe(EXPECTED);
  });

  it('prints the same on files, twice, and leaves them to be read', async () => {
    const path = join(folder, 'kept/files');
    for (let runs = 0; runs < 2; runs += 1)
      expect(await printed('database', `{ type: file, path: ${path} }`)).toBe(EXPECTED);
    const files = (readdirSync(path, { recursive: true }) as string[]).filter((name) =>
      name.startsWith('values/'),
    );
    const [user] = files.filter((name) => name.endsWith('@user%3a456.json'));
    expect(JSON.parse(readFileSync(join(path, user!), 'utf8'))).toMatchObject({ value: { name: 'Ann' } });
    const [messages] = files.filter((name) => name.endsWith('@messages%3a789.jsonl'));
    expect(readFileSync(join(path, messages!), 'utf8')).toContain('"content":"Message 25"');
  });

  (RECAP_TEST_POSTGRES_URL === undefined ? it.skip : it)('prints the same on PostgreSQL', async () => {
    const settings = `{ type: postgres, url: $RECAP_TEST_POSTGRES_URL, keyPrefix: '${unique}:' }`;
    expect(await printed('database', settings)).toBe(EXPECTED);
  });

  (RECAP_TEST_REDIS_URL === undefined ? it.skip : it).each(['cache', 'database'] as const)(
    'prints the same with Redis as its %s',
    async (half) => {
      const settings = `{ type: redis, url: $RECAP_TEST_REDIS_URL, keyPrefix: '${unique}:' }`;
      expect(await printed(half, settings)).toBe(EXPECTED);
    },
  );
});
