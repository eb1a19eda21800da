/** Between looks at the clock, for what takes about as long as looking. */
const FEW = 1;
const MANY = 64;

/**
 * Lets so many callers work side by side, each awaiting one operation after the other.
 *
 * @param {(caller: number, turn: number) => Promise<void>} operate
 * @param {{ callers: number, ms: number, most: number, isQuick: boolean }} options `most` operations of all callers
 *   together; `isQuick` looks at one of 64 operations only
 * @returns {Promise<{ operations: number, perSecond: number, latencies: number[] }>} in ms, of those that were looked at
 */
export async function run(operate, { callers, ms, most, isQuick }) {
  const every = isQuick ? MANY : FEW;
  const share = Math.ceil(most / callers);
  const latencies = [];
  let operations = 0;
  const startedAt = performance.now();
  const endsAt = startedAt + ms;

  const call = async (caller) => {
    let turn = 0;
    for (let now = startedAt; now < endsAt && turn < share;) {
      const last = Math.min(turn + every - 1, share - 1);
      while (turn < last) await operate(caller, turn++);
      const before = performance.now();
      await operate(caller, turn++);
      now = performance.now();
      latencies.push(now - before);
    }
    operations += turn;
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  return { operations, perSecond: (operations / (performance.now() - startedAt)) * 1_000, latencies };
}
