import { BodyCollector } from '../../src/tap/body-collector';
import { OpenBudget } from '../../src/tap/open-budget';

const kept = (collector: BodyCollector): string | undefined => collector.finish(false)?.bytes?.toString();

describe('a body', () => {
  it('passes over what comes after its record was made, and holds no memory for it', () => {
    const budget = new OpenBudget(100);
    const collector = new BodyCollector(100, budget);
    collector.add('kept');
    expect(kept(collector)).toBe('kept');
    collector.add(Buffer.alloc(90));
    expect([collector.totalBytes, budget.usedBytes]).toEqual([4, 0]);
  });

  it('whose own record is closed to make room ends where room was short', () => {
    const budget = new OpenBudget(10);
    const collector = new BodyCollector(100, budget);
    collector.add('12345678');
    let yielded: string | undefined;
    budget.addStream({
      giveWay: () => {
        yielded = kept(collector);
        return true;
      },
    });
    collector.add('9abcd');
    expect([yielded, budget.usedBytes]).toEqual(['12345678', 0]);
  });

  it('is not full below its cap, nor when nothing of it is kept', () => {
    const collector = new BodyCollector(4, new OpenBudget(4));
    collector.add('1234');
    expect(collector.isFull).toBe(false);
    collector.add('5');
    expect(collector.isFull).toBe(true);
    const other = new BodyCollector(4, new OpenBudget(0));
    other.add('12345');
    expect(other.isFull).toBe(false);
  });
});
