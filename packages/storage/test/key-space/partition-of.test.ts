import { partitionOf, PARTITIONS } from '../../src/key-space/partition-of';

describe('the partition of a key', () => {
  it('never changes, since everything stored would be lost from sight', () => {
    const keys = ['a', 'session:123', 'messages:789', '\0', 'é', '\u{1F600}', 'x'.repeat(1_024)];
    expect(keys.map(partitionOf)).toMatchInlineSnapshot(`
     [
       45,
       20,
       17,
       11,
       15,
       6,
       5,
     ]
    `);
  });

  it.each([
    ['numbers', (index: number) => `session:${index}`],
    ['padded numbers', (index: number) => `user:${String(index).padStart(8, '0')}:messages`],
    ['single characters', (index: number) => String.fromCharCode(0x4e00 + index)],
  ])('is one of 64 that share keys evenly: %s', (_, key) => {
    const counts = new Array<number>(PARTITIONS).fill(0);
    for (let index = 0; index < 6_400; index += 1) counts[partitionOf(key(index))]! += 1;
    expect(Math.min(...counts)).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(160);
  });
});
