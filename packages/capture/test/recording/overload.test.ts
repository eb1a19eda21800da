import { createServer, request as send, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { StorageError } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import express from 'express';
import type { GapRecord } from '../../src/entries/gap';
import { storageMiddleware } from '../../src/express';
import type { RecorderCore } from '../../src/recorder/recorder-core';
import type { RecorderOptions } from '../../src/recorder/recorder-options';
import { createMemoryEntryStore } from '../../src/testing';
import { idle, openRecorder } from './open-recorder';

/** Posts so many bodies, one after another, to a program that echoes them. */
async function post(recorder: RecorderCore, count: number, owner = () => 'ann'): Promise<void> {
  const app = express();
  app.use(storageMiddleware({ recorder, owner }));
  app.use(express.json());
  app.post('/echo', (req, res) => res.json(req.body));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (let at = 0; at < count; at += 1) {
    const request = send({
      port,
      host: '127.0.0.1',
      path: '/echo',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    request.end(JSON.stringify({ at, text: 'x'.repeat(100) }));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    let body = '';
    for await (const chunk of response) body += String(chunk);
    expect(JSON.parse(body)).toMatchObject({ at });
  }
  await idle(recorder);
  server.close();
  await once(server, 'close');
}

function openLimited(options: RecorderOptions = {}) {
  const store = createMemoryEntryStore({ clock: new FakeClock() });
  const append = store.append.bind(store);
  let isAway = false;
  const opened = openRecorder(
    { maxQueuedExchanges: 20, flushIntervalMs: 3_600_000, ...options },
    {
      ...store,
      append: (entries) =>
        isAway ? Promise.reject(new StorageError('UNAVAILABLE', 'The database is away.')) : append(entries),
    },
  );
  return {
    ...opened,
    goAway: () => (isAway = true),
    comeBack: () => (isAway = false),
  };
}

const gapsOf = (recorder: RecorderCore) => recorder.store.findGaps({ range: {}, limit: 100 });

describe('a recorder that cannot keep up', () => {
  it('answers as ever, keeps less, says so in its counters and in each entry, and remembers when', async () => {
    const { recorder, entries, clock } = openLimited();
    await recorder.ready();
    await post(recorder, 25);
    expect(recorder.stats()).toMatchObject({
      captured: 25,
      queued: 20,
      shed: { queue_full: 5 },
      reduced: { bodies: { backlog: 5 }, headers: { backlog: 2 } },
      leavingOut: 'headers',
    });
    expect(recorder.isDegraded()).toBe(true);
    const found = await entries();
    expect(found.map(({ requestState, requestDetails }) => requestDetails.reason ?? requestState)).toEqual([
      ...Array<string>(15).fill('captured'),
      ...Array<string>(5).fill('overload'),
    ]);
    expect(found.at(-1)).toMatchObject({
      requestContentType: 'application/json',
      requestHeaders: [['content-type', 'application/json']],
      requestOriginalBytes: found[10]?.requestOriginalBytes,
      responseState: 'not_captured',
      warnings: [{ code: 'HEADERS_LEFT_OUT' }],
    });
    const gaps = await gapsOf(recorder);
    expect(gaps.map(({ missing, exchanges, reasons }) => [missing, exchanges, reasons]).sort()).toEqual([
      ['bodies', 5, { backlog: 5 }],
      ['exchanges', 5, { queue_full: 5 }],
      ['headers', 2, { backlog: 2 }],
    ]);
    expect(gaps[0]).toMatchObject({ endedAt: clock.now(), expiresAt: clock.now() + 30 * 86_400_000 });
    await recorder.close();
  });

  it('collects no bodies while they are left out', async () => {
    const { recorder, store } = openLimited({ maxQueuedExchanges: 100 });
    await recorder.ready();
    recorder.overload.policy.refresh(0.8, 0.8);
    expect(recorder.budget.reserve(1)).toBe(false);
    await post(recorder, 1);
    expect(recorder.budget.usedBytes).toBe(0);
    await recorder.flush();
    const [found] = await store.find({ filter: {}, limit: 1, includeBodies: true });
    expect(found).toMatchObject({ requestState: 'not_captured', requestDetails: { reason: 'overload' } });
    expect(recorder.stats().reduced).toEqual({ bodies: { backlog: 1 }, headers: {} });
    await recorder.close();
  });

  it('takes its steps back when nothing comes any more', async () => {
    const { recorder } = openLimited();
    recorder.overload.policy.refresh(0.95, 0.95);
    expect(recorder.stats().leavingOut).toBe('headers');
    while (recorder.stats().leavingOut !== null) await wait(20);
    expect(recorder.budget.refusal).toBeUndefined();
    await recorder.close();
  });

  it('does not even ask whose an exchange is of which nothing is kept', async () => {
    const owner = jest.fn(() => 'ann');
    const { recorder } = openLimited();
    jest.spyOn(recorder.overload.policy, 'step', 'get').mockReturnValue(3);
    await post(recorder, 2, owner);
    expect(owner).not.toHaveBeenCalled();
    expect(recorder.stats()).toMatchObject({ captured: 2, queued: 0, leavingOut: 'exchanges' });
    expect(recorder.stats().shed).toEqual({ lag: 2 });
    await recorder.close();
  });

  it('counts bodies that were let go since too many exchanges were open', async () => {
    const { recorder } = openLimited({ maxOpenBytes: 50 });
    await post(recorder, 2);
    expect(recorder.stats().reduced).toEqual({ bodies: { open_budget: 2 }, headers: {} });
    await recorder.flush();
    expect(await gapsOf(recorder)).toMatchObject([{ missing: 'bodies', reasons: { open_budget: 2 } }]);
    await recorder.close();
  });

  it('stores the gaps of a time without a store when it is back, and of its end when it closes', async () => {
    const { recorder, store, goAway, comeBack } = openLimited();
    await recorder.ready();
    goAway();
    await post(recorder, 22);
    await recorder.flush().catch(() => undefined);
    expect(recorder.stats()).toMatchObject({ queued: 20, stored: 0 });
    expect(recorder.stats().shed).toEqual({ queue_full: 2 });
    comeBack();
    await recorder.flush();
    expect(await store.sumGaps({})).toMatchObject({ gaps: 3, exchanges: 2, bodies: 5 });
    const saved: GapRecord[] = [];
    const save = store.saveGaps.bind(store);
    recorder.store.saveGaps = async (gaps) => {
      saved.push(...gaps);
      await save(gaps);
    };
    goAway();
    await post(recorder, 3);
    await recorder.close({ timeoutMs: 50 });
    expect(recorder.stats().shed).toEqual({ queue_full: 2, closed: 3 });
    const last = saved.filter(({ missing }) => missing === 'exchanges').at(-1);
    expect(last).toMatchObject({ exchanges: 5, reasons: { queue_full: 2, closed: 3 } });
  });

  it.each([Infinity, NaN, -1, '5', null])(
    'stores what is queued before it closes, given %p for its time',
    async (timeoutMs) => {
      const { recorder, goAway, comeBack } = openLimited();
      await recorder.ready();
      goAway();
      await post(recorder, 1);
      const closing = recorder.close({ timeoutMs: timeoutMs as number });
      // Its first attempt fails, and the second comes later than a timer that fires at once.
      for (let turn = 0; turn < 1_000 && recorder.stats().internalErrors === 0; turn += 1) await nextTurn();
      comeBack();
      await closing;
      expect(recorder.stats()).toMatchObject({ captured: 1, stored: 1, shed: {} });
    },
  );

  it('is ready by itself when a database comes that was away at first, though nothing more is recorded', async () => {
    const store = createMemoryEntryStore({ clock: new FakeClock() });
    let isAway = true;
    const { recorder } = openRecorder(
      { maxQueuedExchanges: 2, flushIntervalMs: 5 },
      {
        ...store,
        open: () => (isAway ? Promise.reject(new StorageError('UNAVAILABLE', 'away')) : store.open()),
      },
    );
    await post(recorder, 4);
    isAway = false;
    while (recorder.stats().stored < 2 || !recorder.isOpen) await wait(20);
    while ((await store.sumGaps({})).exchanges < 2) await wait(20);
    expect(await store.sumGaps({})).toMatchObject({ exchanges: 2, bodies: 0 });
    await recorder.close();
  });

  it('does not open a database that is away again and again, one time for each exchange', async () => {
    const store = createMemoryEntryStore({});
    let attempts = 0;
    const { recorder, failures } = openRecorder(
      { flushIntervalMs: 3_600_000 },
      {
        ...store,
        open: () => {
          attempts += 1;
          return Promise.reject(new StorageError('UNAVAILABLE', 'away'));
        },
      },
    );
    await post(recorder, 100);
    // One a moment after the other at first, but not a hundred.
    expect(attempts).toBeLessThan(20);
    expect(failures.length).toBe(attempts);
    expect(recorder.stats()).toMatchObject({ captured: 100, queued: 100 });
    // Nor does a query wait for what is not being tried.
    let isReady: boolean | undefined;
    jest.spyOn(recorder.overload.breaker, 'mayTry', 'get').mockReturnValue(false);
    void Promise.resolve(recorder.isReady()).then((answer) => (isReady = answer));
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    expect(isReady).toBe(false);
    await recorder.close({ timeoutMs: 1 });
  });
});
