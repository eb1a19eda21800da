import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { startProxy } from './proxy';
import { Database, killAll, startProgram, sum } from './recording-program';
import { temporaryFolder } from './rig';

interface GapRow {
  readonly missing: string;
  readonly exchanges: number | string;
  readonly reasons: string;
}

const folder = temporaryFolder();

afterEach(killAll);

type Program = Awaited<ReturnType<typeof startProgram>>;

async function post(program: Program, index: number): Promise<void> {
  const { status } = await program.post(`/echo/${index}`, { index, text: 'text '.repeat(20) });
  expect(status).toBe(200);
}

/** What gaps say, in the form of the counters. */
function inGaps(rows: readonly GapRow[]): Record<string, Record<string, number>> {
  const total: Record<string, Record<string, number>> = { exchanges: {}, bodies: {}, headers: {} };
  for (const { missing, exchanges, reasons } of rows) {
    const parsed = JSON.parse(reasons) as Record<string, number>;
    expect(sum(parsed)).toBe(Number(exchanges));
    const counts = (total[missing] ??= {});
    for (const [reason, count] of Object.entries(parsed)) counts[reason] = (counts[reason] ?? 0) + count;
  }
  return total;
}

const ALL_GAPS = 'SELECT missing, exchanges, reasons FROM recap_gaps';

function gapsIn(path: string): Record<string, Record<string, number>> {
  const database = new Database(path);
  const rows = database.prepare(ALL_GAPS).all() as GapRow[];
  database.close();
  return inGaps(rows);
}

describe('a program that has more to record than its SQLite file takes', () => {
  it('keeps less by steps, and stores what it kept and what is missing', async () => {
    const path = join(folder(), 'steps.db');
    const program = await startProgram({ type: 'sqlite', path }, { spool: false, maxQueuedExchanges: 40 });
    await program.tell('ready');
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    for (let index = 0; index < 60; index += 1) await post(program, index);
    const told = await program.tell('stats');
    expect(told).toMatchObject({ captured: 60, stored: 0, queued: 40 });
    expect(told.shed).toEqual({ queue_full: 20 });
    other.exec('ROLLBACK');
    other.close();
    await program.until(({ stored }) => stored === 40);
    const { shed, reduced } = await program.tell('flush');
    expect(gapsIn(path)).toEqual({ exchanges: shed, ...reduced });
    await program.tell('close');
  });

  it('leaves the gaps that it cannot store to the next one', async () => {
    const path = join(folder(), 'left.db');
    const spool = { minFreeDiskBytes: Number.MAX_SAFE_INTEGER };
    const first = await startProgram({ type: 'sqlite', path }, { maxQueuedExchanges: 5, spool });
    await first.tell('ready');
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    for (let index = 0; index < 12; index += 1) await post(first, index);
    const { shed, reduced } = await first.tell('close');
    expect(shed).toEqual({ queue_full: 7, closed: 5 });
    other.exec('ROLLBACK');
    other.close();
    expect(gapsIn(path).exchanges).toEqual({});
    const second = await startProgram({ type: 'sqlite', path }, {});
    await second.tell('ready');
    const left = async (): Promise<string[]> =>
      (await readdir(`${path}-spool`)).filter((name) => name.startsWith('gaps-'));
    while ((await left()).length > 0) await wait(20);
    expect(gapsIn(path)).toEqual({ exchanges: shed, ...reduced });
  });
});

const postgres = process.env['RECAP_TEST_POSTGRES_URL'];

describe('a program whose PostgreSQL server goes away', () => {
  if (postgres === undefined) {
    it('is not tried, since RECAP_TEST_POSTGRES_URL names no server', () => {
      console.warn('SKIPPED: a program whose PostgreSQL server goes away.');
      expect(process.env['CI']).not.toBe('1');
    });
    return;
  }

  it.each([
    ['before it is opened for the first time', false],
    ['while it is recorded into', true],
  ])('%s: asks for it about once a second, and stores within 2 s of its return', async (_when, isOpened) => {
    const name = `overload_${String(isOpened)}_${process.pid}`;
    const admin = new Client({ connectionString: postgres });
    await admin.connect();
    await admin.query(`CREATE DATABASE ${name}`);
    const direct = Object.assign(new URL(postgres), { pathname: `/${name}` });
    const first = await startProxy(direct);
    const url = Object.assign(new URL(direct), { hostname: '127.0.0.1', port: String(first.port) }).href;
    const reader = new Client({ connectionString: direct.href });
    let again: Awaited<ReturnType<typeof startProxy>> | undefined;
    try {
      const program = await startProgram({ type: 'postgres', url }, { spool: false, maxQueuedExchanges: 50 });
      let posted = 0;
      if (isOpened) {
        await post(program, (posted += 1));
        await program.tell('flush');
      }
      await first.close();
      const awayAt = performance.now();
      await post(program, (posted += 1));
      // Exchanges come all the time, and must not make it ask more often.
      const away = await program.until(({ failures }) => failures.length > 0);
      while (performance.now() - awayAt < 6_000) {
        await post(program, (posted += 1));
        await wait(20);
      }
      const late = await program.tell('stats');
      const tried = late.failures.length - away.failures.length;
      // The first ones are close together, and opening counts beside writing.
      expect(tried).toBeLessThanOrEqual(20);
      expect(tried).toBeGreaterThanOrEqual(3);
      expect(late.queued).toBe(50);
      expect(late.shed).toEqual({ queue_full: posted - 50 - (isOpened ? 1 : 0) });
      again = await startProxy(direct, first.port);
      const backAt = performance.now();
      await program.until(({ stored }) => stored > (isOpened ? 1 : 0));
      // Within 2 s of an idle machine; a busy one is given as much again.
      expect(performance.now() - backAt).toBeLessThan(4_000);
      const { shed, reduced } = await program.tell('flush');
      expect(shed).toEqual(late.shed);
      await reader.connect();
      const { rows } = await reader.query<GapRow>(ALL_GAPS);
      expect(inGaps(rows)).toEqual({ exchanges: shed, ...reduced });
      await program.tell('close');
    } finally {
      await again?.close();
      await reader.end();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    }
  });
});
