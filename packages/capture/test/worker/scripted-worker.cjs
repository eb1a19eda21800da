// A worker whose behaviour a test decides: workerData.script names it. It speaks the messages of the real one.
const { parentPort, workerData } = require('node:worker_threads');
const counters = new Int32Array(workerData.counters);
const { script, shared } = workerData.entries;
/** How many workers there have been, this one included. */
const born = shared ? Atomics.add(new Int32Array(shared), 0, 1) + 1 : 1;

if (script === 'cannot start') throw new Error('no threads today');

const outcome = (size) => ({
  stored: size,
  poison: 0,
  unprepared: 0,
  bytesBefore: 0,
  bytesAfter: 0,
  placed: [],
  failures: [],
  lost: [],
});
const end = () => {
  Atomics.add(counters, 0, 1);
  Atomics.notify(counters, 0);
};
/** Ids of the exchanges in a batch, as far as the tests give them: `exchange-<n>`. */
const idsOf = ({ memory, from, size }) =>
  Buffer.from(memory)
    .toString('latin1', from)
    .match(/exchange-\d+/g)
    .slice(0, size);

parentPort.on('message', (message) => {
  const { kind, id } = message;
  if (kind === 'call') {
    if (script === `dies at ${message.name}`) process.exit(3);
    if (script === `dies at ${message.name} once` && born === 1) process.exit(3);
    const error = { name: 'StorageError', message: 'away', code: 'UNAVAILABLE', stack: undefined };
    if (message.name === 'sizes') parentPort.postMessage({ kind: 'failed', of: 'call', id, error });
    else
      parentPort.postMessage({ kind: 'call', id, result: { name: message.name, args: message.args, born } });
    return;
  }
  if (script === 'is in its driver') {
    // In a call of the driver until the gate is shut, and then for a while.
    Atomics.add(counters, 3, 1);
    parentPort.postMessage({ kind: 'batch', id, outcome: outcome(message.size) });
    while (Atomics.load(counters, 4) === 0);
    Atomics.store(new Int32Array(shared), 0, 77);
    Atomics.sub(counters, 3, 1);
    Atomics.notify(counters, 3);
    return;
  }
  if (script === 'goes through the gate') Atomics.wait(counters, 4, 1);
  if (script === 'dies once' && born === 1) process.exit(3);
  if (script === 'dies of number 5' && idsOf(message).includes('exchange-5')) process.exit(3);
  if (script === 'hangs once' && born === 1) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
  if (script === 'store is away') {
    const error = { name: 'StorageError', message: 'away', code: 'UNAVAILABLE', stack: undefined };
    parentPort.postMessage({ kind: 'failed', of: 'batch', id, error });
  } else parentPort.postMessage({ kind: 'batch', id, outcome: outcome(message.size) });
  end();
});
parentPort.postMessage({ kind: 'ready' });
