import { EncodedQueue, type EncodedBatch } from '../../src/worker/encoded-queue';
import { ExchangeDecoder } from '../../src/worker/exchange-decoder';
import type { Exchange } from '../../src/exchange';
import { exchangeWith } from './arbitrary-exchange';

const LIMITS = { batchSize: 3, maxExchanges: 10, maxBytes: 10_000_000 };

function exchange(id: string, bodyBytes = 0): Exchange {
  const body = {
    bytes: Buffer.alloc(bodyBytes),
    totalBytes: bodyBytes,
    isTruncated: false,
    source: 'wire' as const,
  };
  return exchangeWith({ id, request: { headers: [], body }, response: { headers: [], body: undefined } });
}

function idsOf({ memory, from, size }: EncodedBatch): string[] {
  const decoder = new ExchangeDecoder(memory, from);
  return Array.from({ length: size }, () => decoder.next().id);
}

describe('EncodedQueue', () => {
  it('gives out full batches first, then what there is, in the order of arrival', () => {
    const queue = new EncodedQueue(LIMITS, () => true);
    for (const id of ['a', 'b', 'c', 'd']) queue.offer(exchange(id));
    expect(queue.length).toBe(4);
    expect(queue.hasFullBatch).toBe(true);
    const batches = [queue.take(), queue.take()].map((batch) => (batch ? idsOf(batch) : []));
    expect(batches).toEqual([['a', 'b', 'c'], ['d']]);
    expect(queue.take()).toBeUndefined();
    expect(queue.length).toBe(0);
  });

  it('refuses what is beyond its limits until batches that were taken are done with', () => {
    const queue = new EncodedQueue(LIMITS, () => true);
    for (let index = 0; index < 10; index += 1) expect(queue.offer(exchange(String(index)))).toBe(true);
    expect(queue.offer(exchange('refused'))).toBe(false);
    const batch = queue.take();
    expect(queue.offer(exchange('refused'))).toBe(false);
    if (batch !== undefined) queue.release(batch);
    expect(queue.offer(exchange('taken'))).toBe(true);
    expect(queue.offer(exchange('large', 11_000_000))).toBe(false);
  });

  it('ends a batch at half a MiB, and takes one that is larger than a block whole', () => {
    const queue = new EncodedQueue({ ...LIMITS, batchSize: 100 }, () => true);
    queue.offer(exchange('large', 2_000_000));
    expect(queue.hasFullBatch).toBe(true);
    const batch = queue.take();
    const first = batch && (new ExchangeDecoder(batch.memory).next() as Exchange);
    expect(first?.request.body?.bytes?.length).toBe(2_000_000);
  });

  it('writes into memory again that a batch has given back, unless that may still be read', () => {
    for (const mayReuse of [true, false]) {
      const queue = new EncodedQueue(LIMITS, () => mayReuse);
      queue.offer(exchange('first'));
      const first = queue.take();
      if (first !== undefined) queue.release(first);
      queue.offer(exchange('second'));
      expect(queue.take()?.memory === first?.memory).toBe(mayReuse);
    }
  });
});
