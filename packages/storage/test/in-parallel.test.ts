import { inParallel } from '../src/in-parallel';

describe('work in parallel', () => {
  it('keeps the order of its inputs, and so many under way at once', async () => {
    let [underWay, most] = [0, 0];
    const found = await inParallel([5, 1, 4, 2, 3], 2, async (input) => {
      most = Math.max(most, (underWay += 1));
      for (let turn = 0; turn < input; turn += 1) await Promise.resolve();
      underWay -= 1;
      return input * 10;
    });
    expect([found, most]).toEqual([[50, 10, 40, 20, 30], 2]);
  });

  it('begins nothing more once something has failed', async () => {
    const begun: number[] = [];
    const work = inParallel([0, 1, 2, 3, 4, 5], 2, async (input) => {
      begun.push(input);
      await Promise.resolve();
      if (input === 1) throw new Error('It failed.');
    });
    await expect(work).rejects.toThrow('It failed.');
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect(begun).toEqual([0, 1, 2]);
  });
});
