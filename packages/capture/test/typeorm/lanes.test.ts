import { Lanes } from '../../src/typeorm/lanes';

function pending(): { promise: Promise<void>; end: () => void } {
  let end: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => (end = resolve));
  return { promise, end };
}

describe('Lanes', () => {
  it('runs at most its number at once, the others in their order', async () => {
    const lanes = new Lanes(2);
    const gates = [pending(), pending(), pending(), pending()];
    const started: number[] = [];
    const all = gates.map((gate, at) =>
      lanes.run(async () => {
        started.push(at);
        await gate.promise;
      }),
    );
    await Promise.resolve();
    expect(started).toEqual([0, 1]);
    gates[1]?.end();
    await all[1];
    expect(started).toEqual([0, 1, 2]);
    for (const gate of gates) gate.end();
    await Promise.all(all);
    expect(started).toEqual([0, 1, 2, 3]);
  });

  it('frees a lane whose work failed', async () => {
    const lanes = new Lanes(1);
    await expect(lanes.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await lanes.run(() => Promise.resolve('next'))).toBe('next');
  });

  it('gives up waiting after its time, and serves those behind', async () => {
    jest.useFakeTimers();
    const lanes = new Lanes(1, 1_000);
    const gate = pending();
    const first = lanes.run(() => gate.promise);
    const late = lanes.run(() => Promise.resolve('late'));
    const refused = expect(late).rejects.toMatchObject({ code: 'POOL_EXHAUSTED' });
    await jest.advanceTimersByTimeAsync(600);
    const behind = lanes.run(() => Promise.resolve('behind'));
    await jest.advanceTimersByTimeAsync(400);
    await refused;
    gate.end();
    await first;
    expect(await behind).toBe('behind');
    jest.useRealTimers();
  });

  it('drains when nothing runs and nothing waits', async () => {
    const lanes = new Lanes(1);
    await lanes.drain();
    const gate = pending();
    let ended = 0;
    const work = [0, 1].map(() => lanes.run(() => gate.promise.then(() => void (ended += 1))));
    const drained = lanes.drain().then(() => expect(ended).toBe(2));
    gate.end();
    await Promise.all([...work, drained]);
  });
});
