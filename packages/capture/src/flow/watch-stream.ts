import { methodOf } from '../flow-kind';
import type { FlowListener } from './flow-listener';
import { replaceMethod } from './replace-method';

/**
 * Watches a Node stream where it announces what it hands out: every way of reading ends in its own
 * `emit`. No listener is added, so the stream flows, pauses and holds back as it would.
 *
 * @returns false when nothing will come out of it.
 */
export function watchStream(stream: object, listener: FlowListener): boolean {
  // One that is written to as well is a connection, unless it passes on what it is given: it ends when it likes.
  const isSource = methodOf(stream, 'write') === undefined || methodOf(stream, '_transform') !== undefined;
  const { readableEnded, destroyed } = stream as Readonly<Record<string, unknown>>;
  if (!isSource || readableEnded === true || destroyed === true) return false;
  const undo = replaceMethod(
    stream,
    'emit',
    (original) =>
      function (...args) {
        const [event, detail] = args;
        // Before the program's listeners, who may write into the chunk.
        if (event === 'data') listener.onItem(detail);
        else if (event === 'end' || event === 'error' || event === 'close') {
          undo?.();
          if (event === 'end') listener.onComplete();
          else if (event === 'error') listener.onFailure(detail);
          else listener.onAbort();
        }
        return original.apply(this, args);
      },
  );
  return undo !== undefined;
}
