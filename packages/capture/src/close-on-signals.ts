import type { RecorderCore } from './recorder/recorder-core';
import { handOver } from './write-at-exit';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** Tells the listeners of every copy of this package that is loaded. */
const OURS = Symbol.for('recap.signalListener');

/** Recorders to be closed; one pair of listeners serves all. */
const open = new Set<RecorderCore>();
/** Recorders that a signal closes at this moment. */
const closing = new Set<RecorderCore>();

/**
 * A signal that ends the program does so once the recorder is closed. A program that listens for the signal itself
 * ends as it likes, and is recorded until then.
 */
export function closeOnSignals(recorder: RecorderCore): void {
  // Before the program's own: one that hears a signal once only would be gone by our turn, and not be seen.
  if (open.size === 0) for (const signal of SIGNALS) process.prependListener(signal, onSignal);
  open.add(recorder);
  recorder.onClose(() => {
    open.delete(recorder);
    if (open.size + closing.size === 0) forget();
  });
}

const onSignal = Object.assign(
  (signal: NodeJS.Signals): void => {
    if (process.listeners(signal).some((listener) => !(OURS in listener))) flushAll(signal);
    else if (closing.size === 0) closeAll(signal);
    else {
      // Whoever asks twice does not want to wait: what is not stored goes where the next process finds it.
      handOver(closing);
      end(signal);
    }
  },
  { [OURS]: true },
);

function forget(): void {
  for (const signal of SIGNALS) process.removeListener(signal, onSignal);
}

/** Its server may still answer what is on its way, and the end of the process writes the rest. */
function flushAll(signal: NodeJS.Signals): void {
  for (const recorder of open) {
    recorder.flush().catch((error: unknown) => {
      recorder.onError(error, signal);
    });
  }
}

function closeAll(signal: NodeJS.Signals): void {
  for (const recorder of open) closing.add(recorder);
  const all = [...closing].map((recorder) =>
    recorder.close().catch((error: unknown) => {
      recorder.onError(error, signal);
    }),
  );
  void Promise.all(all).then(() => {
    end(signal);
  });
}

function end(signal: NodeJS.Signals): void {
  closing.clear();
  forget();
  // Another copy of this package may be at it still. A listener that the program has added meanwhile is told.
  if (!process.listeners(signal).some((listener) => OURS in listener)) process.kill(process.pid, signal);
}
