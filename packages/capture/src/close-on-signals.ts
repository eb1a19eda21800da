import type { RecorderCore } from './recorder/recorder-core';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** Recorders to be closed; one pair of listeners serves all. */
const open = new Set<RecorderCore>();

/** A signal that ends the program does so once the recorder is closed. */
export function closeOnSignals(recorder: RecorderCore): void {
  if (open.size === 0) for (const signal of SIGNALS) process.on(signal, closeAll);
  open.add(recorder);
  recorder.onClose(() => {
    open.delete(recorder);
    if (open.size === 0) forget();
  });
}

function forget(): void {
  for (const signal of SIGNALS) process.removeListener(signal, closeAll);
}

function closeAll(signal: NodeJS.Signals): void {
  const closing = [...open].map((recorder) =>
    recorder.close().catch((error: unknown) => {
      recorder.onError(error, signal);
    }),
  );
  void Promise.all(closing).then(() => {
    forget();
    // With a listener of its own the program has been told, and ends as it likes.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  });
}
