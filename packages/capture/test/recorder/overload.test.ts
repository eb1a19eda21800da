import fc from 'fast-check';
import { StorageError } from '@recap/storage';
import type { NewEntry } from '../../src/entries/entry-store';
import type { Exchange } from '../../src/exchange';
import { EntryWriter } from '../../src/recorder/entry-writer';
import type { ExchangeSpool, SpoolTicket } from '../../src/recorder/exchange-spool';
import { inProcessPipeline } from '../../src/recorder/in-process-pipeline';
import { overloadSettings, type OverloadSettings } from '../../src/recorder/overload-options';
import { RetryBreaker } from '../../src/recorder/retry-breaker';
import { ShedPolicy } from '../../src/recorder/shed-policy';

const HEADERS = [
  ['Content-Type', 'application/json'],
  ['X-Long', 'x'],
] as const;

function exchange(id: string, owner = 'ann', bodyBytes = 100): Exchange {
  const side = {
    headers: HEADERS,
    body: { bytes: Buffer.alloc(bodyBytes), totalBytes: bodyBytes, isTruncated: false, source: 'wire' },
  };
  return {
    id,
    owner,
    session: { key: owner },
    request: side,
    response: side,
    warnings: [],
  } as unknown as Exchange;
}

/** A spool in memory with room for so many. */
class CountedSpool implements ExchangeSpool {
  readonly held: Exchange[] = [];
  readonly deferred: SpoolTicket[] = [];
  constructor(readonly room: number) {}
  get fill() {
    return this.held.length / this.room;
  }
  get counts() {
    return { spooled: this.held.length, recovered: 0, replayed: 0, corrupt: 0, shed: {} };
  }
  append(held: Exchange): SpoolTicket {
    if (this.held.length >= this.room) throw new StorageError('UNAVAILABLE', 'full');
    this.held.push(held);
    return { record: undefined };
  }
  appendAll(exchanges: readonly Exchange[], onSpooled: () => void) {
    return exchanges.map((exchange) => {
      onSpooled();
      return this.append(exchange);
    });
  }
  done(tickets: readonly SpoolTicket[]) {
    this.held.splice(0, tickets.length);
  }
  defer(ticket: SpoolTicket) {
    this.deferred.push(ticket);
  }
  start() {
    // Nothing is left by others.
  }
  drain = () => Promise.resolve();
  leaveGaps() {
    // Tried elsewhere.
  }
  takeGaps = () => Promise.resolve();
  close = () => Promise.resolve();
}

interface Settings extends OverloadSettings {
  readonly maxExchanges?: number;
  readonly maxBytes?: number;
  readonly batchSize?: number;
  readonly concurrency?: number;
  readonly spool?: ExchangeSpool;
  readonly spoolsAll?: boolean;
}

function openWriter({
  maxExchanges = 100,
  maxBytes = 100_000_000,
  batchSize = 10,
  concurrency = 1,
  spool,
  spoolsAll = false,
  ...overload
}: Settings = {}) {
  const stored: NewEntry[] = [];
  let attempts = 0;
  let answer: () => Promise<void> = () => Promise.resolve();
  const store = {
    open: () => Promise.resolve(),
    append: async (entries: readonly NewEntry[]) => {
      attempts += 1;
      await answer();
      stored.push(...entries);
      return entries.map(({ id }) => ({ entryId: id, sessionId: 's' }));
    },
  };
  const failures: string[] = [];
  const steps: number[] = [];
  const writer = new EntryWriter({
    pipeline: {
      ...inProcessPipeline(store, (each) => Promise.resolve(each as unknown as NewEntry), {
        batchSize,
        maxExchanges,
        maxBytes,
      }),
      concurrency,
    },
    flushIntervalMs: 200,
    onFailure: (_error, where) => failures.push(where),
    onDone: () => undefined,
    onLoss: () => undefined,
    policy: new ShedPolicy({
      settings: overloadSettings({ maxLagMs: false, ...overload }),
      onChange: (step) => steps.push(step),
      now: () => Date.now(),
    }),
    breaker: new RetryBreaker({ now: () => Date.now() }),
    tellsPlaces: () => false,
    spool,
    spoolsAll,
  });
  let added = 0;
  return {
    writer,
    failures,
    steps,
    stored: stored as unknown as Exchange[],
    attempts: () => attempts,
    goAway: () => (answer = () => Promise.reject(new StorageError('UNAVAILABLE', 'away'))),
    hang: () => (answer = () => new Promise(() => undefined)),
    comeBack: () => (answer = () => Promise.resolve()),
    /** Fails, but only after a while. */
    hangThenFail: (ms: number) =>
      (answer = () =>
        new Promise((_resolve, reject) => {
          setTimeout(reject, ms, new StorageError('UNAVAILABLE', 'away'));
        })),
    add: (count: number, owner?: string, bodyBytes?: number) => {
      for (let at = 0; at < count; at += 1) writer.add(exchange(String((added += 1)), owner, bodyBytes));
    },
  };
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

function expectExact({ counts }: EntryWriter): void {
  const { captured, stored, queued, spooled, shed } = counts;
  expect(stored + queued + spooled + sum(shed)).toBe(captured);
}

function expectLosses(
  { counts }: EntryWriter,
  shed: Readonly<Record<string, number>>,
  reduced: EntryWriter['counts']['reduced'] = { bodies: {}, headers: {} },
): void {
  expect({ shed: counts.shed, reduced: counts.reduced }).toEqual({ shed, reduced });
}

const isWhole = ({ request }: Exchange): boolean => request.body?.bytes !== undefined;
const hasHeaders = ({ request }: Exchange): boolean => request.headers.length === HEADERS.length;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('a queue that fills because the store is slow', () => {
  it('is kept from filling up by leaving out bodies, then headers, then exchanges', async () => {
    const { writer, add, hang, comeBack, stored, steps } = openWriter();
    hang();
    add(10);
    await jest.advanceTimersByTimeAsync(200);
    add(110);
    expect(writer.counts).toMatchObject({
      captured: 120,
      queued: 100,
      shed: { queue_full: 20 },
      reduced: { bodies: { backlog: 25 }, headers: { backlog: 10 } },
    });
    expect(steps).toEqual([1, 2]);
    expectExact(writer);
    comeBack();
    expect(stored).toEqual([]);
  });

  it('keeps of an entry what is left: whole, without bodies, or with its content type only', async () => {
    const { writer, add, stored } = openWriter();
    // Within one turn nothing can be stored yet.
    add(100);
    await writer.flush();
    expect(stored.map(isWhole)).toEqual(Array.from({ length: 100 }, (_each, at) => at < 75));
    expect(stored.map(hasHeaders)).toEqual(Array.from({ length: 100 }, (_each, at) => at < 90));
    expect(stored[80]?.response.body).toEqual({
      bytes: undefined,
      totalBytes: 100,
      isTruncated: false,
      omitted: 'overload',
      source: 'wire',
    });
    expect(stored[80]?.warnings).toEqual([]);
    expect(stored[99]?.response.headers).toEqual([['Content-Type', 'application/json']]);
    expect(stored[99]?.warnings).toMatchObject([{ code: 'HEADERS_LEFT_OUT', severity: 'MEDIUM' }]);
  });

  it('takes all again, step by step, once the queue is empty', async () => {
    const { writer, add, stored, steps } = openWriter();
    add(95);
    await writer.flush();
    for (const expected of [[], [1], [1, 0]]) {
      writer.refreshSteps();
      expect(steps).toEqual([1, 2, ...expected]);
      await jest.advanceTimersByTimeAsync(500);
    }
    add(1);
    await writer.flush();
    expect(stored.at(-1)).toMatchObject({ id: '96' });
    expect(stored.slice(-1).map(isWhole)).toEqual([true]);
  });

  it('makes an exchange fit that is too large for what is left', async () => {
    const { writer, add, stored } = openWriter({ maxBytes: 10_000 });
    add(1, 'ann', 50_000);
    expectLosses(writer, {}, { bodies: { backlog: 1 }, headers: { backlog: 1 } });
    await writer.flush();
    expect(stored[0]?.response.body).toMatchObject({ totalBytes: 50_000, omitted: 'overload' });
  });

  it('leaves nothing out, but sheds what comes last, with "newest"', async () => {
    const { writer, add, stored } = openWriter({ shed: 'newest' });
    add(130);
    expectLosses(writer, { queue_full: 30 });
    await writer.flush();
    expect(stored.map(({ id }) => Number(id))).toEqual(Array.from({ length: 100 }, (_each, at) => at + 1));
    expect(stored.every(isWhole)).toBe(true);
  });

  it('leaves nothing out, but sheds what has waited longest, a batch at a time, with "oldest"', async () => {
    const { writer, add, stored } = openWriter({ shed: 'oldest' });
    add(134);
    expect(writer.counts).toMatchObject({ captured: 134, queued: 94, shed: { queue_full: 40 } });
    expectExact(writer);
    await writer.flush();
    // The first ten were being stored already.
    const kept = Array.from({ length: 134 }, (_each, at) => at + 1).filter((id) => id <= 10 || id > 50);
    expect(stored.map(({ id }) => Number(id))).toEqual(kept);
    expect(stored.every(isWhole)).toBe(true);
  });
});

describe('a store that is away', () => {
  it('costs no bodies while they have room: without them no more exchanges would fit', async () => {
    const { writer, add, goAway } = openWriter();
    goAway();
    add(10);
    await jest.advanceTimersByTimeAsync(1_000);
    add(100);
    expectLosses(writer, { queue_full: 10 });
  });

  it('costs bodies first where these fill the queue', async () => {
    const { writer, add, goAway } = openWriter({ maxBytes: 100_000 });
    goAway();
    add(10, 'ann', 2_000);
    await jest.advanceTimersByTimeAsync(1_000);
    add(20, 'ann', 2_000);
    const { reduced, shed, queued } = writer.counts;
    expect({ queued, shed }).toEqual({ queued: 30, shed: {} });
    // 15 whole ones are 75 KiB and more, the others weigh about a kilobyte each.
    expect(reduced.bodies['backlog']).toBeGreaterThanOrEqual(14);
  });

  it('fills the spool before anything is left out', async () => {
    const spool = new CountedSpool(100);
    const { writer, add, goAway } = openWriter({ spool });
    goAway();
    add(10);
    await jest.advanceTimersByTimeAsync(1_000);
    add(165);
    expect(writer.counts).toMatchObject({ queued: 100, spooled: 75 });
    expectLosses(writer, {});
    add(40);
    expect(writer.counts).toMatchObject({
      captured: 215,
      queued: 100,
      spooled: 100,
      shed: { queue_full: 15 },
      reduced: { bodies: { backlog: 25 }, headers: { backlog: 10 } },
    });
    expect(spool.held.filter(isWhole)).toHaveLength(75);
    expectExact(writer);
  });

  it('is tried by one batch about once a second, however many exchanges come, and for however long', async () => {
    const { writer, add, goAway, comeBack, attempts, failures } = openWriter({ maxExchanges: 100_000 });
    goAway();
    for (let tenth = 0; tenth < 3_000; tenth += 1) {
      add(10);
      await jest.advanceTimersByTimeAsync(100);
    }
    // Five minutes: four attempts in the first moments, then one each 1 to 1.6 s.
    expect(attempts()).toBeLessThanOrEqual(305);
    expect(attempts()).toBeGreaterThan(180);
    expect(failures).toHaveLength(attempts());
    const before = attempts();
    comeBack();
    await jest.advanceTimersByTimeAsync(1_700);
    expect(attempts()).toBeGreaterThan(before);
    expect(writer.isFailing).toBe(false);
    await writer.flush();
    expect(writer.counts).toMatchObject({ captured: 30_000, stored: 30_000, queued: 0 });
    expectLosses(writer, {});
  });
});

describe('a store that takes long to fail', () => {
  it('is asked by one batch at a time, each a while after the last one failed', async () => {
    const { add, hangThenFail, attempts } = openWriter({ maxExchanges: 100_000, concurrency: 4 });
    hangThenFail(300);
    for (let tenth = 0; tenth < 600; tenth += 1) {
      add(10);
      await jest.advanceTimersByTimeAsync(100);
    }
    // One minute: four lanes at first, then one attempt each 1.3 to 1.9 s.
    expect(attempts()).toBeLessThanOrEqual(4 + 4 + 60_000 / 1_300);
    expect(attempts()).toBeGreaterThan(60_000 / 2_000);
  });
});

describe('an owner that takes far more than its share', () => {
  it('is shed first, so that the others lose nothing', async () => {
    const { writer, add, stored } = openWriter({ maxExchanges: 1_000, batchSize: 50 });
    // The store takes 50 in 200 ms; 95 of 100 exchanges are of one owner, and come at twice that rate.
    const lost: Record<string, number> = {};
    let others = 0;
    for (let round = 0; round < 200; round += 1) {
      for (let at = 0; at < 100; at += 1) {
        const isNoisy = at % 20 !== 0;
        if (!isNoisy) others += 1;
        const { shed, reduced } = writer.counts;
        const before = sum(shed) + sum(reduced.bodies);
        add(1, isNoisy ? 'noisy' : `owner ${at}`);
        const now = writer.counts;
        const change = sum(now.shed) + sum(now.reduced.bodies) - before;
        if (change > 0)
          lost[isNoisy ? 'noisy' : 'others'] = (lost[isNoisy ? 'noisy' : 'others'] ?? 0) + change;
      }
      jest.setSystemTime(Date.now() + 20);
      if (round % 10 === 9) await writer.flush();
      expectExact(writer);
    }
    expect(lost['others']).toBeUndefined();
    expect(lost['noisy']).toBeGreaterThan(1_000);
    expect(writer.counts.shed).toEqual({ noisy_owner: expect.any(Number) });
    expect(stored.filter(({ owner }) => owner !== 'noisy')).toHaveLength(others);
    expect(stored.filter((each) => each.owner !== 'noisy').every(isWhole)).toBe(true);
  });

  it('is told by its client when it is anonymous', () => {
    const { writer } = openWriter({ maxExchanges: 100, batchSize: 100 });
    const from = (client: string): Exchange =>
      ({ ...exchange(client, 'anonymous'), session: { key: client } }) as unknown as Exchange;
    for (let at = 0; at < 84; at += 1) writer.add(from(at % 12 === 0 ? `client ${at % 5}` : 'flood'));
    const { shed } = writer.counts;
    expect(Object.keys(shed)).toEqual(['noisy_owner']);
    for (let at = 0; at < 10; at += 1) writer.add(from(`client ${at % 5}`));
    expect(writer.counts.shed).toEqual(shed);
  });

  it('may use the whole queue where it is the only one', () => {
    const { writer, add } = openWriter({ maxExchanges: 1_000 });
    add(1_000);
    expect(writer.counts.queued).toBe(1_000);
    expect(writer.counts.shed).toEqual({});
  });
});

describe('exchanges that are spooled before they end', () => {
  it('are kept in memory with what was spooled of them, and counted once', async () => {
    const spool = new CountedSpool(100);
    const { writer, stored } = openWriter({ maxExchanges: 10, batchSize: 10, spool, spoolsAll: true });
    for (let at = 0; at < 99; at += 1) {
      const each = exchange(String(at));
      const [ticket] = writer.hold([each]);
      if (ticket === undefined) throw new Error('not held');
      writer.add(each, { ticket, isCurrent: true });
      expectExact(writer);
    }
    expect(writer.counts).toMatchObject({
      captured: 99,
      spooled: 99,
      queued: 0,
      reduced: { bodies: { backlog: 24 }, headers: { backlog: 9 } },
    });
    await writer.flush();
    expect(stored).toHaveLength(10);
    expect(stored.every(isWhole)).toBe(true);
  });
});

describe('the sums of a writer', () => {
  it('are exact at any moment, whatever the policy and whatever happens', async () => {
    const event = fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        count: fc.integer({ min: 1, max: 30 }),
        owner: fc.nat(3),
      }),
      fc.record({ kind: fc.constantFrom('away', 'back', 'flush', 'pause', 'go on'), ms: fc.nat(2_000) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('stepwise', 'oldest', 'newest'),
        fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
        fc.array(event, { maxLength: 40 }),
        async (shed, room, events) => {
          const spool = room === undefined ? undefined : new CountedSpool(room);
          const rig = openWriter({ shed, maxExchanges: 40, batchSize: 7, ...(spool && { spool }) });
          for (const each of events) {
            if ('count' in each) rig.add(each.count, `owner ${each.owner}`);
            else {
              if (each.kind === 'away') rig.goAway();
              if (each.kind === 'back') rig.comeBack();
              if (each.kind === 'pause') rig.writer.pause('disk_full');
              if (each.kind === 'go on') rig.writer.pause(undefined);
              if (each.kind === 'flush') await rig.writer.flush().catch(() => undefined);
              await jest.advanceTimersByTimeAsync(each.ms);
            }
            expectExact(rig.writer);
          }
          rig.comeBack();
          await rig.writer.flush();
          expectExact(rig.writer);
          const { stored, reduced } = rig.writer.counts;
          expect(rig.stored).toHaveLength(stored);
          const inSpool = spool?.held ?? [];
          const all = [...rig.stored, ...inSpool];
          expect(all.filter((one) => !isWhole(one))).toHaveLength(sum(reduced.bodies));
          expect(all.filter((one) => !hasHeaders(one))).toHaveLength(sum(reduced.headers));
          expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
        },
      ),
      { numRuns: 100 },
    );
  });
});
