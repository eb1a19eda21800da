import fc from 'fast-check';
import { fromByteKey, SortedKeys, toByteKey } from '../src/sorted-keys';

const text = fc.string({ unit: fc.constantFrom('a', 'b', '\0', 'é', '\uFFFF', '\u{1F600}'), maxLength: 4 });
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

describe('SortedKeys', () => {
  it('holds what is added and not deleted, in the order of bytes, whatever the range', () => {
    const steps = fc.array(fc.record({ key: text, isAdded: fc.boolean() }), { maxLength: 60 });
    fc.assert(
      fc.property(
        steps,
        text,
        fc.option(text, { nil: undefined }),
        fc.boolean(),
        (all, from, to, reverse) => {
          const sorted = new SortedKeys();
          const model = new Set<string>();
          for (const { key, isAdded } of all)
            if (!isAdded) {
              model.delete(key);
              sorted.delete(toByteKey(key));
            } else if (!model.has(key)) {
              model.add(key);
              sorted.add(toByteKey(key));
            }
          const range = { from: Buffer.from(from), to: to === undefined ? undefined : Buffer.from(to) };
          const expected = [...model]
            .filter((key) => byBytes(key, from) >= 0 && (to === undefined || byBytes(key, to) < 0))
            .sort(byBytes);
          expect([...sorted.within(range, reverse)].map(fromByteKey)).toEqual(
            reverse ? expected.reverse() : expected,
          );
        },
      ),
    );
  });

  it('holds many, added in any order, beyond one chunk', () => {
    const sorted = new SortedKeys();
    const keys = Array.from({ length: 5_000 }, (_, index) =>
      String((index * 7_919) % 5_000).padStart(4, '0'),
    );
    for (const key of keys) sorted.add(key);
    const all = { from: Buffer.alloc(0), to: undefined };
    expect([...sorted.within(all, false)]).toEqual([...keys].sort());
    for (const key of keys.filter((_, index) => index % 2 === 0)) sorted.delete(key);
    const rest = keys.filter((_, index) => index % 2 === 1).sort();
    expect([...sorted.within(all, true)]).toEqual([...rest].reverse());
    const some = { from: Buffer.from('1'), to: Buffer.from('2') };
    expect([...sorted.within(some, true)]).toEqual(rest.filter((key) => key.startsWith('1')).reverse());
  });
});
