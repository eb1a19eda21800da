// How long Recap holds the program's thread, with many rows: `npm run bench -- --stretches [--rows=300000]`.
// Each step says how long it took, and the longest stretch in which the event loop could do nothing else: all of
// it, and the part in which this thread was at work (on Linux; the rest is waiting for a disk, or for a core that
// other programs have). First with the worker, then without. Fails when with the worker a stretch of work is
// longer than 20 ms.
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRecorder } from '@recap/capture';
import { newEntry } from '@recap/capture/testing';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '300000' }, stretches: { type: 'boolean' } },
});
const ROWS = Number(values.rows);
const EXPIRED = Math.floor(ROWS / 6);
const BATCH = 200;
const START = Date.now() - ROWS * 50;
const GATE_MS = 20;
const BODY = Buffer.from(JSON.stringify({ text: 'lorem ipsum dolor '.repeat(55) }));

/** The main thread's account at the kernel. */
const SCHEDSTAT = `/proc/self/task/${process.pid}/schedstat`;
const hasSchedstat = existsSync(SCHEDSTAT);

/** Ms that this thread has worked, without what other programs took of the core; where the kernel does not say, ms that have passed. */
function workedMs() {
  return hasSchedstat ? Number(readFileSync(SCHEDSTAT, 'latin1').split(' ')[0]) / 1e6 : performance.now();
}

/** The longest time between two turns of the event loop, a millisecond apart: all of it, and that spent at work. */
class StretchMeter {
  #longest = { passed: 0, worked: 0 };
  #last = { passed: performance.now(), worked: workedMs() };
  #timer = setInterval(() => this.#note(), 1);

  read() {
    this.#note();
    const longest = this.#longest;
    this.#longest = { passed: 0, worked: 0 };
    return longest;
  }

  stop() {
    clearInterval(this.#timer);
  }

  #note() {
    const now = { passed: performance.now(), worked: workedMs() };
    for (const key of ['passed', 'worked']) {
      this.#longest[key] = Math.max(this.#longest[key], now[key] - this.#last[key]);
    }
    this.#last = now;
  }
}

function entryAt(index) {
  const owner = `user-${index % 997}`;
  return newEntry({
    owner,
    createdAt: START + index * 50,
    endpoint: `/endpoint-${index % 40}/:id`,
    status: index % 50 === 0 ? 500 : 200,
    metadata: { model: index % 1_000 === 0 ? 'rare' : 'common', usage: { tokens: index % 4_096 } },
    expiresAt: index < EXPIRED ? START : START * 2,
    responseBody: BODY,
    session: { key: owner, group: undefined, timeoutMs: 30 * 60_000 },
  });
}

async function run(worker) {
  console.log(`\n${worker ? 'With' : 'Without'} a worker, ${ROWS} rows:`);
  const folder = await mkdtemp(join(tmpdir(), 'recap-bench-'));
  const recorder = createRecorder({
    database: { type: 'sqlite', path: join(folder, 'recap.db') },
    worker,
    sweepIntervalMs: 86_400_000,
    maxDatabaseBytes: 'unlimited',
  });
  const { store } = recorder;
  await recorder.ready();
  const meter = new StretchMeter();
  let longest = 0;

  async function step(name, work) {
    await new Promise((resolve) => setImmediate(resolve));
    meter.read();
    const startedAt = performance.now();
    const did = await work();
    const tookMs = performance.now() - startedAt;
    const { passed, worked } = meter.read();
    longest = Math.max(longest, worked);
    console.log(
      `${name.padEnd(34)} ${tookMs.toFixed(0).padStart(7)} ms   longest stretch ${passed.toFixed(1).padStart(6)} ms, at work ${worked.toFixed(1).padStart(5)} ms   ${JSON.stringify(did)}`,
    );
  }

  await step(`append`, async () => {
    for (let at = 0; at < ROWS; at += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, ROWS - at) }, (_, index) => entryAt(at + index));
      await store.append(batch);
    }
    return ROWS;
  });

  const metadata = [{ path: ['model'], operator: 'eq', value: 'rare' }];
  const tokens = [{ path: ['usage', 'tokens'], operator: 'gte', value: 4_000 }];
  const find = async (query) => (await store.find(query)).length;
  await step('count all', () => store.count({}, 10_000));
  await step('count of an owner', () => store.count({ owner: 'user-5' }, 10_000));
  await step('count by status', () => store.count({ statuses: [{ from: 500, to: 599 }] }, 10_000));
  await step('count by metadata', () => store.count({ metadata }, 10_000));
  await step('count by metadata number', () => store.count({ metadata: tokens }, 10_000));
  await step('count by path prefix, none', () => store.count({ path: { prefix: '/none' } }, 10_000));
  await step('find, page of 21', () => find({ filter: {}, limit: 21, includeBodies: true }));
  await step('find by metadata, page of 21', () =>
    find({ filter: { metadata }, limit: 21, includeBodies: true }),
  );
  await step('find of an owner, offset 200', () =>
    find({ filter: { owner: 'user-7' }, limit: 21, offset: 200, includeBodies: true }),
  );
  await step('find, offset 10,000', () =>
    find({ filter: {}, limit: 100, offset: 10_000, includeBodies: true }),
  );
  await step(
    'sessions, page of 21',
    async () => (await store.findSessions({ filter: {}, limit: 21 })).length,
  );
  await step(
    'sessions by metadata',
    async () => (await store.findSessions({ filter: { metadata }, limit: 21 })).length,
  );
  await step('count sessions, none match', () => store.countSessions({ methods: ['PUT'] }, 10_000));
  await step('sizes', () => store.sizes());
  await step(`sweep ${EXPIRED} rows`, async () => {
    let deleted = 0;
    for (let hasMore = true; hasMore;) {
      const swept = await store.sweep(1_000);
      deleted += swept.deletedEntries;
      ({ hasMore } = swept);
    }
    return deleted;
  });
  const { databaseBytes } = await store.sizes();
  await step('evict a tenth', () => store.evictOldest(databaseBytes * 0.9));
  meter.stop();
  await recorder.close();
  await rm(folder, { recursive: true });
  return longest;
}

const withWorker = await run(true);
const without = await run(false);
console.log(
  `\nLongest stretch of work: ${withWorker.toFixed(1)} ms with a worker (gate: ${GATE_MS}), ${without.toFixed(1)} ms without.`,
);
if (withWorker > GATE_MS) process.exitCode = 1;
