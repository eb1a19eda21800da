import { join } from 'node:path';
import type { BatchOutcome } from '../../src/recorder/batch-processor';
import { EncodedQueue, type EncodedBatch } from '../../src/worker/encoded-queue';
import type { WorkerSpec } from '../../src/worker/messages';
import { WorkerLink, type WorkerLinkOptions } from '../../src/worker/worker-link';
import { exchangeWith } from './arbitrary-exchange';

const links: WorkerLink[] = [];
afterEach(async () => {
  for (const link of links.splice(0)) await link.close();
});

/** @param script see scripted-worker.cjs */
function openLink(script: string, options: Partial<WorkerLinkOptions> = {}) {
  const deaths: Error[] = [];
  const tainted: SharedArrayBuffer[] = [];
  const shared = new SharedArrayBuffer(4);
  const link = new WorkerLink({
    spec: { entries: { script, shared } } as unknown as WorkerSpec,
    file: join(__dirname, 'scripted-worker.cjs'),
    onDeath: (error) => deaths.push(error),
    onSlowOperation: () => undefined,
    onFailure: () => undefined,
    onTainted: (memory) => tainted.push(memory),
    ...options,
  });
  links.push(link);
  return { link, deaths, tainted, shared };
}

function batchesOf(count: number, batchSize: number): EncodedBatch[] {
  const queue = new EncodedQueue({ batchSize, maxExchanges: 1_000, maxBytes: 1e9 }, () => true);
  for (let index = 0; index < count; index += 1) queue.offer(exchangeWith({ id: `exchange-${index}` }));
  const batches: EncodedBatch[] = [];
  for (let batch = queue.take(); batch !== undefined; batch = queue.take()) batches.push(batch);
  return batches;
}

const processAll = (link: WorkerLink, batches: readonly EncodedBatch[]): Promise<BatchOutcome[]> =>
  Promise.all(batches.map((batch) => link.process(batch, false)));
const sum = (outcomes: readonly BatchOutcome[], key: 'stored' | 'poison'): number =>
  outcomes.reduce((total, outcome) => total + outcome[key], 0);

describe('WorkerLink', () => {
  it('passes calls on and their results back, and errors with their code', async () => {
    const { link } = openLink('well');
    await expect(link.call('count', [{ owner: 'a' }, 5])).resolves.toEqual({
      name: 'count',
      args: [{ owner: 'a' }, 5],
      born: 1,
    });
    await expect(link.call('sizes', [])).rejects.toMatchObject({ name: 'StorageError', code: 'UNAVAILABLE' });
  });

  it('does what a dead worker had not done with the next one, once', async () => {
    const { link, deaths } = openLink('dies once');
    const outcomes = await processAll(link, batchesOf(12, 3));
    expect(outcomes.map(({ stored }) => stored)).toEqual([3, 3, 3, 3]);
    expect(deaths).toHaveLength(1);
  });

  it('finds the exchange that kills workers and stores all others', async () => {
    const { link, deaths } = openLink('dies of number 5');
    const outcomes = await processAll(link, batchesOf(16, 4));
    expect(sum(outcomes, 'stored')).toBe(15);
    expect(sum(outcomes, 'poison')).toBe(1);
    expect(outcomes[1]?.failures).toMatchObject([{ where: 'worker' }]);
    expect(outcomes[1]?.lost).toEqual([{ id: 'exchange-5', reason: 'poison' }]);
    expect(deaths.length).toBeGreaterThan(1);
  });

  it('leaves a worker that hangs alone and goes on with another, without writing into memory the first may read', async () => {
    const { link, deaths, tainted } = openLink('hangs once', { heartbeatCheckMs: 5 });
    const [batch] = batchesOf(2, 2);
    if (batch === undefined) throw new Error('There is no batch.');
    await expect(link.process(batch, false)).resolves.toMatchObject({ stored: 2 });
    expect(deaths).toHaveLength(1);
    expect(tainted).toEqual([batch.memory]);
  });

  it('makes a call again that a worker died of, once, unless it deletes', async () => {
    const { link, deaths } = openLink('dies at ping once');
    await expect(link.call('ping', [])).resolves.toMatchObject({ born: 2 });
    const always = openLink('dies at ping');
    await expect(always.link.call('ping', [])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect([deaths.length, always.deaths.length]).toEqual([1, 2]);
    const deleting = openLink('dies at remove');
    await expect(deleting.link.call('remove', [])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(deleting.link.call('open', [])).resolves.toMatchObject({ born: 2 });
  });

  it('gives work back when no worker can be started, and says what to do', async () => {
    const { link, deaths } = openLink('cannot start');
    await expect(processAll(link, batchesOf(1, 1))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('worker: false') as string,
    });
    expect(deaths.length).toBeGreaterThan(1);
  });

  it('gives a batch back when the store is away', async () => {
    const { link } = openLink('store is away');
    await expect(processAll(link, batchesOf(2, 2))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('waits at the end of the program until what it hands over is done', async () => {
    const { link } = openLink('well');
    await link.call('open', []);
    const startedAt = performance.now();
    let done: Promise<BatchOutcome[]> | undefined;
    const begin = (): void => {
      done = processAll(link, batchesOf(9, 3));
    };
    expect(link.handOver(begin, 60_000)).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(30_000);
    expect(sum((await done) ?? [], 'stored')).toBe(9);
  });

  it('lets the worker out of its driver before the program exits', async () => {
    const { link, shared } = openLink('is in its driver');
    await processAll(link, batchesOf(1, 1));
    link.standStill(60_000);
    expect(new Int32Array(shared)[0]).toBe(77);
  });

  it('goes on when the program does, although it was told that it exits', async () => {
    const { link, deaths } = openLink('goes through the gate');
    await link.call('open', []);
    link.standStill();
    expect(await processAll(link, batchesOf(1, 1))).toMatchObject([{ stored: 1 }]);
    expect(deaths).toEqual([]);
  });

  it('refuses calls after it was closed', async () => {
    const { link } = openLink('well');
    await link.call('open', []);
    await link.close();
    await expect(link.call('count', [])).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
