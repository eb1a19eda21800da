/*
 * How long the entry store on SQLite holds the program's thread, with many rows. Each step says how long it
 * took, the longest stretch in which the event loop could do nothing else, and what it did.
 *
 *   RECAP_BENCH_ROWS=300000 node --import <a TypeScript loader> test/bench/store-slices.ts
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newEntry } from '../../packages/capture/src/testing/new-entry';
import { createTypeOrmEntryStore } from '../../packages/capture/src/typeorm/typeorm-entry-store';
import type { NewEntry } from '../../packages/capture/src/entries/entry-store';

const ROWS = Number(process.env['RECAP_BENCH_ROWS'] ?? 300_000);
const EXPIRED = Math.floor(ROWS / 6);
const BATCH = 200;
const START = Date.UTC(2026, 0, 1);
const BODY = Buffer.from(JSON.stringify({ text: 'lorem ipsum dolor '.repeat(55) }));

/** The longest time between two turns of the event loop. */
class StretchMeter {
  #longest = 0;
  #last = performance.now();
  #isRunning = true;

  constructor() {
    this.#tick();
  }

  read(): number {
    const longest = Math.max(this.#longest, performance.now() - this.#last);
    this.#longest = 0;
    return longest;
  }

  stop(): void {
    this.#isRunning = false;
  }

  #tick(): void {
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
    if (this.#isRunning) setImmediate(() => this.#tick());
  }
}

function entryAt(index: number): NewEntry {
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

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'recap-bench-'));
  let now = START - 1;
  const store = createTypeOrmEntryStore({
    database: { type: 'sqlite', path: join(folder, 'recap.db') },
    clock: { now: () => now },
    sessionMaxAgeMs: 24 * 3_600_000,
  });
  await store.open();
  const meter = new StretchMeter();

  async function step(name: string, work: () => Promise<unknown>): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    meter.read();
    const startedAt = performance.now();
    const did = await work();
    const tookMs = performance.now() - startedAt;
    console.log(
      `${name.padEnd(34)} ${tookMs.toFixed(0).padStart(7)} ms   longest stretch ${meter.read().toFixed(1).padStart(6)} ms   ${JSON.stringify(did)}`,
    );
  }

  let appendMs = 0;
  await step(`append ${ROWS} rows`, async () => {
    for (let at = 0; at < ROWS; at += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, ROWS - at) }, (_, index) => entryAt(at + index));
      const startedAt = performance.now();
      await store.append(batch);
      appendMs += performance.now() - startedAt;
    }
    return { microsPerRow: Number(((appendMs / ROWS) * 1000).toFixed(1)) };
  });

  const metadata = [{ path: ['model'], operator: 'eq', value: 'rare' } as const];
  const tokens = [{ path: ['usage', 'tokens'], operator: 'gte', value: 4_000 } as const];
  const find = async (query: Parameters<typeof store.find>[0]): Promise<number> =>
    (await store.find(query)).length;
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
  now = START + 1;
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
  await store.close();
  await rm(folder, { recursive: true });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
