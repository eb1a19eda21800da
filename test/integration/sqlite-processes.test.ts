import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteBackend } from '@recap/storage';
import Database from 'better-sqlite3';

interface Report {
  readonly key?: string;
  readonly length?: number;
  readonly count?: number;
  readonly isDone?: boolean;
}

/** A process that writes, and what it said was answered. */
class Writer {
  readonly reports: Report[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;

  constructor(path: string, name: string) {
    this.#child = fork(join(__dirname, 'sqlite-writer.mjs'), [path, name], { execArgv: [] });
    this.#child.on('message', (report: Report) => this.reports.push(report));
    this.#ended = once(this.#child, 'exit');
  }

  async hasReported(count: number): Promise<void> {
    while (this.reports.length < count) {
      if (this.#child.exitCode !== null) throw new Error('The writer ended too early.');
      await once(this.#child, 'message');
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async stop(): Promise<void> {
    this.#child.send('stop');
    const [code] = await this.#ended;
    expect(code).toBe(0);
    expect(this.reports.at(-1)).toEqual({ isDone: true });
  }
}

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recap-sqlite-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Everything that was answered is there, once. */
async function expectAll(path: string, writers: readonly Writer[], isWhole: boolean): Promise<void> {
  const backend = createSqliteBackend({ path, sweepIntervalMs: 0 });
  await backend.open();
  const reports = writers.flatMap((writer) => writer.reports);
  const keys = reports.flatMap(({ key }) => (key === undefined ? [] : [{ partition: 'values', key }]));
  for (let from = 0; from < keys.length; from += 500) {
    const asked = keys.slice(from, from + 500);
    const found = await backend.getMany(asked);
    expect(asked.filter((_, index) => found[index] === undefined)).toEqual([]);
  }
  const lengths = reports.flatMap(({ length }) => (length === undefined ? [] : [length]));
  expect(new Set(lengths).size).toBe(lengths.length);
  const list = await backend.range({ partition: 'shared', key: 'list' });
  expect(list.length).toBeGreaterThanOrEqual(Math.max(...lengths));
  for (let index = 0; index < list.length; index += 2) expect(list[index]).toBe(list[index + 1]);
  const counts = reports.flatMap(({ count }) => (count === undefined ? [] : [count]));
  expect(new Set(counts).size).toBe(counts.length);
  const counter = (await backend.get({ partition: 'shared', key: 'counter' }))?.value;
  expect(counter).toBeGreaterThanOrEqual(Math.max(...counts));
  if (isWhole) {
    expect(list).toHaveLength(2 * lengths.length);
    expect(counter).toBe(counts.length);
  }
  await backend.close();
  const database = new Database(path);
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  database.close();
}

describe('an SQLite file that several processes use', () => {
  it('keeps what each was answered, and lets conditions and appends of all of them count', async () => {
    const path = join(folder, 'items.db');
    const writers = ['a', 'b', 'c'].map((name) => new Writer(path, name));
    await Promise.all(writers.map((writer) => writer.hasReported(300)));
    await Promise.all(writers.map((writer) => writer.stop()));
    await expectAll(path, writers, true);
  });

  it('loses nothing that was answered when they are killed in the middle of it', async () => {
    const path = join(folder, 'items.db');
    const writers: Writer[] = [];
    for (let round = 0; round < 4; round += 1) {
      const pair = [new Writer(path, `a${round}`), new Writer(path, `b${round}`)];
      writers.push(...pair);
      await pair[0]!.hasReported(50 * (round + 1));
      await pair[0]!.kill();
      // The other goes on, without waiting for the dead one's locks.
      await pair[1]!.hasReported(pair[1]!.reports.length + 50);
      await pair[1]!.kill();
      await expectAll(path, writers, false);
    }
  });
});
