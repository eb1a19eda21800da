import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Folders of the program under test are made in here. */
let scratch: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'recap-bench-test-'));
});
afterEach(async () => {
  await rm(scratch, { recursive: true, force: true });
});

async function run(args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, args, { env: { ...process.env, TMPDIR: scratch } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

function bench(...args: readonly string[]): Promise<Ended> {
  return run([join(__dirname, 'storage/run.mjs'), '--storage', '--quick', '--ms=10', ...args]);
}

/** Runs a module that imports from the benchmark's folder, and reads the JSON that it prints. */
async function evaluate(code: string): Promise<unknown> {
  const module = code.replaceAll("'./", `'${join(__dirname, 'storage')}/`);
  const { stdout, stderr } = await run(['--input-type=module', '--eval', module]);
  expect(stderr).toBe('');
  return stdout === '' ? undefined : JSON.parse(stdout);
}

const linesOf = (text: string): string[] => text.split('\n').map((line) => line.replace(/ +/g, ' '));

describe('the benchmark of storage', () => {
  it('measures each subject at each operation that it has, in memory', async () => {
    const { code, stdout, stderr } = await bench(
      '--backends=memory',
      '--subjects=raw,contract,cache,database',
    );
    expect(stderr).not.toContain('Error');
    expect(code).toBe(0);
    const measured = (operation: string): string[] =>
      linesOf(stdout)
        .filter((line) => line.startsWith(`| ${operation} | 64 |`))
        .map((line) => line.split(' | ')[2]!);
    expect(measured('get')).toEqual(['a Map', 'contract', 'cache', 'database']);
    expect(measured('get of bytes')).toEqual(['a Map', 'contract']);
    expect(measured('set')).toEqual(['a Map', 'contract', 'cache', 'database']);
    expect(measured('set of a new key, for an hour')).toEqual(['cache']);
    expect(measured('append')).toEqual(['a Map', 'contract', 'database']);
    expect(measured('scan of 100 values')).toEqual(['a Map', 'contract']);
    expect(measured('all 1024 keys')).toEqual(['a Map', 'cache', 'database']);
  });

  it('measures files as well, and leaves none behind', async () => {
    const { code, stdout } = await bench('--backends=sqlite', '--subjects=raw,contract', '--callers=2');
    expect(code).toBe(0);
    expect(stdout).toMatch(/\| append \| 2 \| contract \|/);
    expect(await readdir(scratch)).toEqual([]);
  });

  it('fails when what was written is not there afterwards', async () => {
    const { code, stdout } = await bench('--backends=memory', '--subjects=forgetful', '--operations=set');
    expect(stdout).toMatch(/memory: FAILED: .*message:\d+ was set to value \d+, and holds \d+/);
    expect(code).toBe(1);
  });

  it('leaves out, and says so, what this machine does not have', async () => {
    const outcome = await evaluate(`
      import { Places } from './places.mjs';
      import { measureBackend } from './rounds.mjs';
      const missing = { start: async () => ({ missing: 'there is none' }) };
      const places = new Places({ postgres: missing, redis: missing });
      const options = { subjects: ['contract'], operations: ['get'], rounds: 1, ms: 1, places, tell: () => {} };
      const outcomes = [];
      for (const backend of ['postgres', 'redis']) outcomes.push(await measureBackend({ ...options, backend }));
      console.log(JSON.stringify(outcomes));
    `);
    expect(outcome).toEqual([
      { results: [], leftOut: { contract: 'PostgreSQL: there is none' } },
      { results: [], leftOut: { contract: 'Redis: there is none' } },
    ]);
  });

  it('holds gates by the median of what was measured within a round', async () => {
    const verdicts = await evaluate(`
      import { judge } from './verdicts.mjs';
      const result = (subject, operation, ...rates) =>
        ({ subject, operation, callers: 64, rounds: rates.map((perSecond) => ({ perSecond })) });
      const results = [
        result('raw', 'get', 1000, 2000, 1000), result('contract', 'get', 800, 1400, 500),
        result('raw', 'set', 1000, 2000, 1000), result('contract', 'set', 600, 1300, 900),
        result('contract', 'getBytes', 900_000, 1_100_000, 1_200_000),
      ];
      const isMeasured = ({ state }) => state !== 'not measured';
      console.log(JSON.stringify(judge('memory', results).filter(isMeasured)));
    `);
    expect(verdicts).toMatchObject([
      { of: 'contract', against: 'raw', operation: 'get', state: 'held', median: 0.7, least: 0.5, most: 0.8 },
      { of: 'contract', against: 'raw', operation: 'set', state: 'missed', median: 0.65 },
      { of: 'contract', operation: 'getBytes', state: 'held', median: 1_100_000 },
      { of: 'contract', operation: 'get', state: 'missed', median: 800, gate: 150_000 },
    ]);
  });

  it('writes what was measured as a page with its verdicts and a chart, and keeps what was measured before', async () => {
    const write = (backend: string, rate: number): Promise<unknown> =>
      evaluate(`
        import { writeStorageDocument } from './document.mjs';
        const result = (subject, perSecond) => ({ subject, operation: 'get', callers: 64,
          rounds: [{ perSecond, operations: 100, p50: 1, p99: 2, cpuMicros: 3 }] });
        const results = [result('raw', 1000), result('contract', ${rate})];
        const report = { backend: '${backend}', rounds: 1, ms: 1, results, leftOut: { keyv: 'keyv is not installed' } };
        await writeStorageDocument([report], 'a machine', ${JSON.stringify(scratch)});
      `);
    await write('memory', 900);
    await write('sqlite', 600);
    const page = await readFile(join(scratch, 'storage.md'), 'utf8');
    const lines = linesOf(page);
    expect(lines).toContain(
      '| memory | contract against a Map: get, 64 callers | 0.70 | 0.90 (0.90 to 0.90) | held |',
    );
    expect(lines).toContain(
      '| sqlite | contract against better-sqlite3: get, 64 callers | 0.70 | 0.60 (0.60 to 0.60) | missed |',
    );
    expect(lines).toContain('**Not to be cited**: some of it was measured in fewer than 3 rounds.');
    expect(page).toContain('](storage-memory.svg)');
    expect(page).toContain('Without keyv: keyv is not installed');
    const chart = await readFile(join(scratch, 'storage-sqlite.svg'), 'utf8');
    expect(chart).toMatch(/^<svg [^]*>get, contract<[^]*>0\.60<[^]*<\/svg>\n$/);
  });

  it('refuses names that it does not know, and says which there are', async () => {
    const { code, stderr } = await bench('--backends=memory,disk');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /There is no backend "disk". There are: memory, file, sqlite, postgres, redis, mongodb, dynamodb\./,
    );
  });
});
