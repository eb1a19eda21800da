import type { RecorderCore } from './recorder/recorder-core';

/** How long the end of a program may be held up by what is not stored yet. */
const HAND_OVER_MS = 1_000;

/** Of that, for putting together what is in progress. */
const RECORD_OPEN_MS = 200;

/** Recorders that are open. One pair of listeners serves all: a program may make many, and Node warns of many listeners. */
const open = new Set<RecorderCore>();
/** Whose store failed at the end: trying again and again would keep the program alive for good. */
const failed = new WeakSet<RecorderCore>();

/** What is queued when the program has nothing left to do, or ends in its midst, is still written if it can be. */
export function writeAtExit(recorder: RecorderCore): void {
  if (open.size === 0) {
    process.on('beforeExit', flushAll);
    process.on('exit', handOverAll);
  }
  open.add(recorder);
  recorder.onWritten(() => {
    open.delete(recorder);
    if (open.size > 0) return;
    process.removeListener('beforeExit', flushAll);
    process.removeListener('exit', handOverAll);
  });
}

function flushAll(): void {
  for (const recorder of open) {
    // Nothing is opened only to write nothing.
    if (!hasWork(recorder) || failed.has(recorder)) continue;
    recorder.flush().catch((error: unknown) => {
      failed.add(recorder);
      recorder.onError(error, 'beforeExit');
    });
  }
}

function hasWork({ writer, overload }: RecorderCore): boolean {
  return writer.hasWork || overload.gaps.hasWork;
}

function handOverAll(): void {
  handOver(open);
}

/** The process ends at once: brings what is not stored to the store or the spool, without giving the thread back. */
export function handOver(recorders: Iterable<RecorderCore>): void {
  const deadline = performance.now() + HAND_OVER_MS;
  for (const recorder of recorders) {
    recorder.exchanges.releaseAnswers();
    recorder.exchanges.recordOpen(RECORD_OPEN_MS);
    recorder.writer.handOver(Math.max(0, deadline - performance.now()));
    recorder.overload.leaveGaps();
  }
  for (const recorder of recorders) recorder.writer.standStill();
}
