import { Client } from 'pg';
import { postgresDatabase, type TestDatabase } from './rig/databases';
import { examine } from './rig/examine';
import { isLong, report } from './rig/figures';
import { newFolders } from './rig/folders';
import { startFaultProxy, type FaultProxy } from './rig/fault-proxy';
import { startHost, type Host } from './rig/start-host';
import { startLoad, type Load } from './rig/start-load';
import { until } from './rig/until';

jest.setTimeout(isLong ? 600_000 : 120_000);

const postgres = process.env['RECAP_TEST_POSTGRES_URL'];
const newFolder = newFolders();
/** Two that write, two that read. */
const POOL = 4;
/** For a machine that has other things to do as well. */
const SLACK_MS = 2_000;

interface Rig {
  readonly database: TestDatabase & { readonly url: URL };
  readonly proxy: FaultProxy;
  readonly host: Host;
  readonly load: Load;
}

/** A host that reaches its database through a proxy; whatever is done to that, nothing is lost and nobody notices. */
async function throughProxy(
  title: string,
  options: object,
  fault: (rig: Rig) => Promise<Readonly<Record<string, number>>>,
): Promise<void> {
  if (postgres === undefined) throw new Error('There is no server.');
  const database = await postgresDatabase(postgres, newFolder());
  const proxy = await startFaultProxy(database.url);
  try {
    const host = await startHost({
      database: { type: 'postgres', url: proxy.url },
      options: { spool: database.spool, ...options },
      log: database.log,
    });
    await host.tell('ready');
    const load = startLoad();
    const figures = await fault({ database, proxy, host, load });
    proxy.toxics = {};
    const ledger = await load.stop();
    const told = await until(
      'all is stored',
      () => host.tell('flush'),
      ({ error }) => error === undefined,
    );
    await host.end();
    const { breaches, lost, stored } = await examine(database, ledger);
    report(title, { answered: ledger.answered.length, stored, lost: lost.length, ...figures });
    expect(breaches).toEqual([]);
    expect(lost).toEqual([]);
    expect(told).toMatchObject({ captured: stored, stored, queued: 0, spooled: 0, shed: {} });
    expect(proxy.mostOpen).toBeLessThanOrEqual(POOL);
  } finally {
    await proxy.close();
    await database.remove();
  }
}

/** Until so much more is stored. */
async function stores(host: Host, more: number): Promise<void> {
  const { stored: before } = await host.tell('stats');
  await until(
    `${more} more are stored`,
    () => host.tell('stats'),
    ({ stored }) => stored >= before + more,
    60_000,
  );
}

describe('a recorder whose PostgreSQL is far', () => {
  if (postgres === undefined) {
    it('is not tried, since RECAP_TEST_POSTGRES_URL names no server', () => {
      console.warn('SKIPPED: faults of the network.');
      expect(process.env['CI']).not.toBe('1');
    });
    return;
  }

  it('bridges answers that take 2 s each, with no more connections than its pool has', () =>
    throughProxy('latency of 2 s', {}, async ({ proxy, host, load }) => {
      load.start({ port: host.port, prefix: 'latency', perSecond: 60 });
      await stores(host, 100);
      proxy.toxics = { latency: { latencyMs: 2_000, jitterMs: 500 } };
      await stores(host, isLong ? 2_000 : 1);
      const { queued } = await host.tell('stats');
      expect(proxy.reached.latency).toBeGreaterThanOrEqual(5);
      return { 'held answers': proxy.reached.latency, 'queued then': queued };
    }));

  it('ends each call to a black hole with a time-out, gives its connection up, and goes on when there is a way again', () =>
    throughProxy('black hole', {}, async ({ proxy, host, load }) => {
      load.start({ port: host.port, prefix: 'hole', perSecond: 200 });
      await stores(host, 100);
      const { failures } = await host.tell('stats');
      const { opened } = proxy;
      proxy.toxics = { timeout: true };
      const begunAt = performance.now();
      await until(
        'a call ends',
        () => host.tell('stats'),
        (now) => now.failures.length > failures.length,
        60_000,
      );
      const endedMs = performance.now() - begunAt;
      expect(proxy.reached.timeout).toBeGreaterThan(0);
      // Twice, so that the next attempt finds the hole as well.
      await until(
        'another ends',
        () => host.tell('stats'),
        (now) => now.failures.length > failures.length + 1,
        60_000,
      );
      proxy.toxics = {};
      const resumedAt = performance.now();
      await stores(host, 1);
      const resumedMs = performance.now() - resumedAt;
      expect(proxy.opened).toBeGreaterThan(opened);
      expect(endedMs).toBeLessThan(5_000 + SLACK_MS);
      expect(resumedMs).toBeLessThan(10_000 + SLACK_MS);
      return { 'call ended after ms': Math.round(endedMs), 'resumed after ms': Math.round(resumedMs) };
    }));

  it.each(['before', 'after'] as const)(
    'stores each exchange once when connections are reset %s their COMMIT is done',
    (moment) =>
      throughProxy(`reset ${moment} COMMIT`, { flushIntervalMs: 20 }, async ({ proxy, host, load }) => {
        load.start({ port: host.port, prefix: moment, perSecond: 300 });
        await stores(host, 50);
        proxy.toxics = { resetPeer: { at: 'COMMIT', moment, every: 3 } };
        const resets = isLong ? 500 : 10;
        await until(
          'connections are reset',
          () => proxy.reached.resetPeer,
          (count) => count >= resets,
          300_000,
        );
        return { resets: proxy.reached.resetPeer };
      }),
  );

  it('understands answers that come in packets of 1 to 7 bytes, at 10 kB/s', () =>
    throughProxy('slicer and bandwidth', {}, async ({ proxy, host, load }) => {
      load.start({ port: host.port, prefix: 'slices', perSecond: 20 });
      await stores(host, 5);
      proxy.toxics = { slicer: { maxBytes: 7 }, bandwidth: { bytesPerSecond: 10_000 } };
      await stores(host, isLong ? 100 : 3);
      expect(proxy.reached.slicer).toBeGreaterThan(500);
      return { packets: proxy.reached.slicer };
    }));

  // Once the wait for other batches had set the limit for all that came after it in the transaction.
  it('gives up within seconds what waits for a lock of another, and stores it when that lets go', () =>
    throughProxy('table locked by another', { maxQueuedExchanges: 50 }, async ({ database, host, load }) => {
      load.start({ port: host.port, prefix: 'lock', perSecond: 300 });
      await stores(host, 50);
      const other = new Client({ connectionString: database.url.href });
      await other.connect();
      try {
        await other.query('BEGIN');
        await other.query('LOCK TABLE recap_entries IN EXCLUSIVE MODE');
        // 55P03: lock not available.
        const told = await until(
          'writes give up, and the spool takes what the queue has no room for',
          () => host.tell('stats'),
          ({ failures, spooled }) => spooled > 100 && failures.some((failure) => failure.includes('55P03')),
        );
        return { spooled: told.spooled };
      } finally {
        await other.end();
      }
    }));
});
