import { exitGate, shutExitGate } from '../../src/worker/exit-gate';
import { COUNTERS } from '../../src/worker/messages';

const newCounters = () => new Int32Array(new SharedArrayBuffer(4 * Object.keys(COUNTERS).length));

describe('the gate at the exit', () => {
  it('waits for a call under way no longer than it may, even where the clock of a test stands still', () => {
    const counters = newCounters();
    exitGate(counters).enter();
    const clock = jest.spyOn(performance, 'now').mockReturnValue(0);
    // By itself it would wait for good.
    let looks = 0;
    clock.mockImplementation(() => {
      looks += 1;
      if (looks > 20) throw new Error('It does not stop.');
      return 0;
    });
    try {
      shutExitGate(counters, 5);
    } finally {
      clock.mockRestore();
    }
    expect(Atomics.load(counters, COUNTERS.isShut)).toBe(1);
  });

  it('waits for nobody when no call is under way', () => {
    const counters = newCounters();
    const gate = exitGate(counters);
    gate.enter();
    gate.leave();
    shutExitGate(counters, 60_000);
    expect(Atomics.load(counters, COUNTERS.driverCalls)).toBe(0);
  });
});
