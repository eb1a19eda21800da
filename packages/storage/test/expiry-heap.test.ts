import fc from 'fast-check';
import { ExpiryHeap, type Expiring } from '../src/expiry-heap';

describe('ExpiryHeap', () => {
  it('gives what has expired, soonest first, and nothing that has not', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 })),
        fc.integer({ min: 0, max: 20 }),
        (instants, now) => {
          const heap = new ExpiryHeap<Expiring>();
          for (const expiresAt of instants) heap.add({ expiresAt });
          expect([...heap.expired(now)]).toHaveLength(instants.filter((at) => at <= now).length);
          const taken: (number | undefined)[] = [];
          for (let item = heap.take(now); item !== undefined; item = heap.take(now))
            taken.push(item.expiresAt);
          expect(taken).toEqual(instants.filter((at) => at <= now).sort((a, b) => a - b));
          expect(heap.size).toBe(instants.filter((at) => at > now).length);
        },
      ),
    );
  });

  it('passes over what has got another expiry, or none', () => {
    const heap = new ExpiryHeap<Expiring>();
    const items: { expiresAt: number | undefined }[] = [
      { expiresAt: 1 },
      { expiresAt: 2 },
      { expiresAt: undefined },
    ];
    for (const item of items) heap.add(item);
    items[0]!.expiresAt = 3;
    heap.add(items[0]!);
    items[1]!.expiresAt = undefined;
    expect(heap.take(2)).toBeUndefined();
    expect(heap.take(3)).toBe(items[0]);
    heap.compact(items);
    expect(heap.size).toBe(1);
  });
});
