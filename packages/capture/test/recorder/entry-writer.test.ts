import { setImmediate as nextTurn } from 'node:timers/promises';
import { StorageError } from '@recap/storage';
import type { NewEntry } from '../../src/entries/entry-store';
import type { Exchange } from '../../src/exchange';
import type { BatchOutcome } from '../../src/recorder/batch-processor';
import type { QueuedExchange } from '../../src/recorder/exchange-queue';
import { EntryWriter } from '../../src/recorder/entry-writer';
import type { ExchangeSpool, SpoolTicket } from '../../src/recorder/exchange-spool';
import { inProcessPipeline } from '../../src/recorder/in-process-pipeline';
import { overloadSettings } from '../../src/recorder/overload-options';
import { RetryBreaker } from '../../src/recorder/retry-breaker';
import { ShedPolicy } from '../../src/recorder/shed-policy';

/** A store whose answers to `append` a test decides; nothing else of it is called. */
class ScriptedStore {
  readonly appended: string[][] = [];
  answer: (entries: readonly NewEntry[]) => Promise<void> = () => Promise.resolve();

  open(): Promise<void> {
    return Promise.resolve();
  }

  async append(entries: readonly NewEntry[]) {
    await this.answer(entries);
    this.appended.push(entries.map(({ id }) => id));
    return entries.map(({ id }) => ({ entryId: id, sessionId: 's' }));
  }
}

function exchange(id: string, bodyBytes = 0): Exchange {
  return {
    id,
    request: { headers: [], body: bodyBytes === 0 ? undefined : { bytes: Buffer.alloc(bodyBytes) } },
    response: { headers: [], body: undefined },
  } as unknown as Exchange;
}

interface Settings {
  readonly prepare?: (queued: QueuedExchange) => Promise<NewEntry>;
  readonly onDone?: (outcome: BatchOutcome) => void;
  readonly batchSize?: number;
  readonly maxExchanges?: number;
  readonly maxBytes?: number;
  readonly spool?: ExchangeSpool;
  readonly spoolsAll?: boolean;
  readonly commitTimeoutMs?: number;
}

function openWriter({
  prepare = ({ id }) => Promise.resolve({ id } as unknown as NewEntry),
  onDone = () => undefined,
  batchSize = 10,
  maxExchanges = 50,
  maxBytes = 1_000_000,
  spool,
  spoolsAll = false,
  commitTimeoutMs,
}: Settings = {}) {
  const store = new ScriptedStore();
  const failures: string[] = [];
  const writer = new EntryWriter({
    pipeline: inProcessPipeline(store, prepare, {
      batchSize,
      maxExchanges,
      maxBytes,
    }),
    flushIntervalMs: 3_600_000,
    onFailure: (_error, where) => failures.push(where),
    onDone,
    onLoss: () => undefined,
    policy: new ShedPolicy({
      settings: overloadSettings({ shed: 'newest', maxLagMs: false }),
      onChange: () => undefined,
    }),
    breaker: new RetryBreaker(),
    tellsPlaces: () => false,
    spool,
    spoolsAll,
    commitTimeoutMs,
  });
  return { writer, store, failures };
}

/** Takes everything, and keeps only the names. */
class ListedSpool implements ExchangeSpool {
  readonly ids = new Set<string>();
  readonly fill = 0;
  get counts() {
    return { spooled: this.ids.size, recovered: 0, replayed: 0, corrupt: 0, shed: {} };
  }
  append({ id }: Exchange): SpoolTicket {
    this.ids.add(id);
    return { record: undefined };
  }
  appendAll(exchanges: readonly Exchange[], onSpooled: () => void): (SpoolTicket | undefined)[] {
    return exchanges.map((exchange) => {
      onSpooled();
      return this.append(exchange);
    });
  }
  done(tickets: readonly SpoolTicket[]): void {
    throw new Error(`${tickets.length} were not stored.`);
  }
  defer(): void {
    // It is to be read back when the store is there again.
  }
  start(): void {
    // Nothing was left by anybody.
  }
  drain(): Promise<void> {
    return Promise.reject(new StorageError('UNAVAILABLE', 'away'));
  }
  leaveGaps(): void {
    // They are not looked at here.
  }
  takeGaps(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

function total({ queued, stored, spooled, shed }: EntryWriter['counts']): number {
  return queued + stored + spooled + Object.values(shed).reduce((sum, count) => sum + count, 0);
}

const unavailable = () => Promise.reject(new StorageError('UNAVAILABLE', 'away'));

describe('EntryWriter', () => {
  it('writes batches, in the order in which exchanges ended', async () => {
    const { writer, store } = openWriter();
    for (let index = 0; index < 25; index += 1) writer.add(exchange(String(index)));
    await writer.flush();
    expect(store.appended.flat()).toEqual(Array.from({ length: 25 }, (_each, index) => String(index)));
    expect(store.appended.map((batch) => batch.length)).toEqual([10, 10, 5]);
    expect(writer.counts).toMatchObject({ captured: 25, queued: 0, stored: 25, shed: {} });
  });

  it('starts by itself when a batch is full', async () => {
    const { writer, store } = openWriter();
    const written = new Promise<void>((resolve) => {
      store.answer = () => {
        resolve();
        return Promise.resolve();
      };
    });
    for (let index = 0; index < 10; index += 1) writer.add(exchange(String(index)));
    await written;
    await writer.flush();
    expect(writer.counts.stored).toBe(10);
  });

  it('sheds what the queue has no room for, in number and in bytes, and counts it', async () => {
    const { writer } = openWriter({ maxExchanges: 3, maxBytes: 10_000, batchSize: 100 });
    for (let index = 0; index < 5; index += 1) writer.add(exchange(String(index)));
    expect(writer.counts).toMatchObject({ captured: 5, queued: 3, shed: { queue_full: 2 } });
    await writer.flush();
    writer.add(exchange('large', 20_000));
    expect(writer.counts).toMatchObject({ captured: 6, stored: 3, queued: 0, shed: { queue_full: 3 } });
  });

  it('keeps everything queued while the store is away, and writes it when it is back', async () => {
    const { writer, store, failures } = openWriter();
    store.answer = unavailable;
    for (let index = 0; index < 12; index += 1) writer.add(exchange(String(index)));
    await expect(writer.flush()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(writer.isFailing).toBe(true);
    expect(writer.counts).toMatchObject({ captured: 12, queued: 12, stored: 0, shed: {} });
    expect(failures.length).toBeGreaterThan(0);
    store.answer = () => Promise.resolve();
    await writer.flush();
    expect(writer.isFailing).toBe(false);
    expect(writer.counts).toMatchObject({ captured: 12, queued: 0, stored: 12, shed: {} });
    expect(new Set(store.appended.flat()).size).toBe(12);
  });

  it('finds the one entry that the store refuses and stores the others', async () => {
    const { writer, store } = openWriter();
    store.answer = (entries) =>
      entries.some(({ id }) => id === '3') ? Promise.reject(new Error('refused')) : Promise.resolve();
    for (let index = 0; index < 9; index += 1) writer.add(exchange(String(index)));
    await writer.flush();
    expect(store.appended.flat().sort()).toEqual(['0', '1', '2', '4', '5', '6', '7', '8']);
    expect(writer.counts).toMatchObject({ captured: 9, queued: 0, stored: 8, shed: { poison: 1 } });
  });

  it('sheds an exchange that cannot be prepared and goes on with the next', async () => {
    const { writer } = openWriter({
      prepare: ({ id }) =>
        id === 'bad' ? Promise.reject(new Error('bug')) : Promise.resolve({ id } as unknown as NewEntry),
    });
    for (const id of ['a', 'bad', 'b']) writer.add(exchange(id));
    await writer.flush();
    expect(writer.counts).toMatchObject({ captured: 3, queued: 0, stored: 2, shed: { internal_error: 1 } });
  });

  it('does not count or write twice when what listens to it fails', async () => {
    const { writer, store, failures } = openWriter({
      onDone: () => {
        throw new Error('listener');
      },
    });
    writer.add(exchange('a'));
    await writer.flush();
    expect(store.appended).toEqual([['a']]);
    expect(writer.counts).toMatchObject({ stored: 1, queued: 0 });
    expect(failures).toEqual(['stored']);
  });

  it('sheds while it is paused and takes again afterwards', async () => {
    const { writer } = openWriter();
    writer.pause('disk_full');
    writer.add(exchange('a'));
    writer.pause(undefined);
    writer.add(exchange('b'));
    await writer.flush();
    expect(writer.counts).toMatchObject({ captured: 2, queued: 0, stored: 1, shed: { disk_full: 1 } });
  });

  it('writes what is queued when it closes, and sheds what comes later', async () => {
    const { writer } = openWriter();
    writer.add(exchange('a'));
    await writer.close(1_000);
    writer.add(exchange('late'));
    expect(writer.counts).toMatchObject({ captured: 2, queued: 0, stored: 1, shed: { closed: 1 } });
  });

  it.each(['hangs', 'is away'])(
    'leaves to the spool what it could not write when it closes while the store %s',
    async (state) => {
      const spool = new ListedSpool();
      const { writer, store } = openWriter({ spool, batchSize: 2 });
      store.answer = state === 'hangs' ? () => new Promise(() => undefined) : unavailable;
      for (const id of ['a', 'b', 'c']) writer.add(exchange(id));
      const closing = writer.close(20);
      writer.add(exchange('late'));
      expect(total(writer.counts)).toBe(4);
      await closing;
      expect([...spool.ids].sort()).toEqual(['a', 'b', 'c', 'late']);
      expect(writer.counts).toMatchObject({ captured: 4, queued: 0, stored: 0, spooled: 4, shed: {} });
    },
  );

  it('stores an exchange as it ended when that cannot be spooled in place of what was', async () => {
    const spool = new ListedSpool();
    const done: SpoolTicket[] = [];
    spool.done = (tickets) => {
      done.push(...tickets);
      spool.ids.clear();
    };
    spool.drain = () => Promise.resolve();
    const { appendAll } = spool;
    spool.appendAll = (exchanges, onSpooled) =>
      appendAll.call(spool, exchanges, onSpooled).map(() => ({ record: Buffer.from('then') }));
    const prepared: QueuedExchange[] = [];
    const { writer, failures } = openWriter({
      spool,
      spoolsAll: true,
      prepare: (queued) => {
        prepared.push(queued);
        return Promise.resolve({ id: queued.id } as unknown as NewEntry);
      },
    });
    const [ticket] = writer.hold([exchange('a')]);
    spool.append = () => {
      throw new StorageError('UNAVAILABLE', 'full');
    };
    const ended = exchange('a');
    writer.add(ended, ticket && { ticket, isCurrent: false });
    await writer.flush();
    expect(prepared).toEqual([ended]);
    expect(done).toEqual([ticket]);
    expect(failures).toEqual(['spool']);
    expect(writer.counts).toMatchObject({ captured: 1, queued: 0, stored: 1, spooled: 0 });
  });

  it('leaves to the spool at the end of the program what nobody took over', () => {
    const spool = new ListedSpool();
    // The program of a test goes on.
    spool.done = () => undefined;
    const { writer, store } = openWriter({ spool, batchSize: 2 });
    store.answer = () => new Promise(() => undefined);
    for (const id of ['a', 'b', 'c']) writer.add(exchange(id));
    writer.handOver(1_000);
    expect([...spool.ids].sort()).toEqual(['a', 'b', 'c']);
  });

  // A program that emits 'exit' itself had all that was queued by then counted as nothing, and the queue's room taken for good.
  it.each([undefined, 1_000])(
    'goes on when a program does that said it exits (waits for commits: %p)',
    async (commitTimeoutMs) => {
      const spool = new ListedSpool();
      spool.append = ({ id }) => {
        spool.ids.add(id);
        return { record: Buffer.from(id) };
      };
      spool.done = (tickets) => {
        for (const { record } of tickets) spool.ids.delete(String(record));
      };
      spool.drain = () => Promise.resolve();
      const { writer, store } = openWriter({
        spool,
        batchSize: 2,
        ...(commitTimeoutMs && { commitTimeoutMs }),
      });
      for (const id of ['a', 'b', 'c', 'd', 'e']) writer.add(exchange(id));
      writer.handOver(1_000);
      expect(spool.ids.size).toBe(5);
      expect(total(writer.counts)).toBe(5);
      await nextTurn();
      expect(total(writer.counts)).toBe(5);
      await writer.flush();
      expect(writer.counts).toMatchObject({ captured: 5, queued: 0, stored: 5, spooled: 0, shed: {} });
      expect(store.appended.flat().sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    },
  );

  // A program that emits 'exit' and then exits had the rest spooled twice, which took the time and the room of others.
  it('spools at the end of the program once what is handed over twice', async () => {
    const spool = new ListedSpool();
    const spooled: string[] = [];
    let done = 0;
    spool.append = ({ id }) => {
      spooled.push(id);
      return { record: undefined };
    };
    spool.done = (tickets) => (done += tickets.length);
    const { writer, store } = openWriter({ spool });
    store.answer = () => new Promise(() => undefined);
    for (const id of ['a', 'b']) writer.add(exchange(id));
    writer.handOver(1_000);
    writer.add(exchange('c'));
    writer.handOver(1_000);
    expect(spooled).toEqual(['a', 'b', 'c']);
    await nextTurn();
    expect(done).toBe(3);
    expect(writer.counts).toMatchObject({ captured: 3, queued: 3 });
    writer.handOver(1_000);
    expect(spooled.slice(3).sort()).toEqual(['a', 'b', 'c']);
  });

  it('waits for nothing, when it closes, that is spooled and not over', async () => {
    const spool = new ListedSpool();
    let drained = 0;
    spool.drain = () => {
      drained += 1;
      return Promise.resolve();
    };
    const { writer } = openWriter({ spool });
    const [ticket] = writer.hold([exchange('a')]);
    expect(ticket).toBeDefined();
    expect(writer.hasWork).toBe(false);
    await writer.close(1_000);
    expect(drained).toBe(0);
    writer.add(exchange('a'), ticket && { ticket, isCurrent: true });
    expect(writer.counts).toMatchObject({ captured: 1, queued: 0, spooled: 1, shed: {} });
  });

  it('keeps its sums equal for whoever is told that a part of what is held could not be spooled', () => {
    const spool = new ListedSpool();
    const { writer } = openWriter({ spool });
    const sums: number[] = [];
    const { appendAll } = spool;
    spool.appendAll = (exchanges, onSpooled) => {
      const first = appendAll.call(spool, exchanges.slice(0, 1), onSpooled);
      sums.push(writer.counts.captured, total(writer.counts));
      return [...first, undefined];
    };
    writer.hold([exchange('a'), exchange('b')]);
    expect(sums).toEqual([1, 1]);
    expect(writer.counts).toMatchObject({ captured: 1, spooled: 1 });
  });

  it('spools what is held while it closes', async () => {
    const spool = new ListedSpool();
    const { writer, store } = openWriter({ spool });
    store.answer = () => new Promise(() => undefined);
    writer.add(exchange('a'));
    const closing = writer.close(20);
    expect(writer.hold([exchange('b')])).toEqual([expect.anything()]);
    expect(total(writer.counts)).toBe(2);
    await closing;
    expect([...spool.ids].sort()).toEqual(['a', 'b']);
    expect(writer.counts).toMatchObject({ captured: 2, queued: 0, spooled: 2, shed: {} });
  });

  it('gives up at the deadline when the store hangs, and counts what is lost', async () => {
    const { writer, store } = openWriter();
    store.answer = () => new Promise(() => undefined);
    writer.add(exchange('a'));
    writer.add(exchange('b'));
    await writer.close(20);
    expect(writer.counts).toMatchObject({ captured: 2, queued: 0, stored: 0, shed: { closed: 2 } });
  });

  it('keeps its sums equal at any moment, whatever fails', async () => {
    const { writer, store } = openWriter({ maxExchanges: 20 });
    let calls = 0;
    store.answer = async (entries) => {
      calls += 1;
      expect(total(writer.counts)).toBe(writer.counts.captured);
      await Promise.resolve();
      if (calls % 3 === 0) throw new StorageError('UNAVAILABLE', 'away');
      if (entries.some(({ id }) => Number(id) % 7 === 0)) throw new Error('refused');
    };
    for (let round = 0; round < 10; round += 1) {
      for (let index = 0; index < 15; index += 1) writer.add(exchange(String(round * 15 + index)));
      await writer.flush().catch(() => undefined);
      expect(total(writer.counts)).toBe(writer.counts.captured);
    }
    store.answer = () => Promise.resolve();
    await writer.flush();
    expect(writer.counts.queued).toBe(0);
    expect(total(writer.counts)).toBe(150);
    expect(new Set(store.appended.flat()).size).toBe(store.appended.flat().length);
  });
});
